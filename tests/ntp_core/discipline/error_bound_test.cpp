#include "ntp_core/discipline/error_bound.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::ntp::testing {

namespace {

raw_time at(double s) {
  return raw_time{} + ntp_duration::from_seconds(s);
}

clock_estimate belief() {
  clock_estimate e;
  e.variance_s2 = 1e-10;
  e.covariance_s = 1e-13;
  e.frequency_variance = 1e-15;
  e.wander = 1e-9;
  return e;
}

} // namespace

TEST_CASE("the bound is never below root distance, and grows") {
  const error_bound b{belief(), {0.002, 0.03, 1e-8}};
  CHECK(b.max_error_s(at(0)) >= 0.017);
  double before = 0;
  for (int i = 0; i < 20; ++i) {
    const double t = std::exp2(i) - 1;
    CHECK(b.max_error_s(at(t)) > before);
    before = b.max_error_s(at(t));
    CHECK(b.max_error_s(at(t)) >= 0.017 + 0.1e-6 * t);
    CHECK(b.estimated_error_s(at(t)) > b.stability_s(at(t)));
  }
}

TEST_CASE("the served root dispersion bounds what is known, not wildly") {
  const upstream_error upstreams[]
    = {{0.002, 0.03, 0}, {0, 0, 0}, {1e-6, 1e-4, 0}, {0.5, 0.1, 0}};
  for (const auto& u : upstreams) {
    const error_bound b{belief(), u};
    for (const double age : {0.0, 10.0, 3000.0}) {
      served_time s;
      s.valid = true;
      b.serve(s, at(age), 0);
      for (int i = 0; i < 17; ++i) {
        const double t = std::exp2(i) - 1;
        const double honest = u.dispersion_s + b.doubt_s(at(age + t));
        const double served
          = s.root_dispersion_s(s.wall_base + ntp_duration::from_seconds(t));
        CHECK(served >= honest * 0.999999);
        CHECK(served <= 5 * honest + 1e-8);
      }
    }
  }
}

TEST_CASE("a clock that is left wrong says so in the dispersion") {
  const error_bound b{belief(), {0.002, 0.03, 0}};
  served_time s;
  s.valid = true;
  b.serve(s, at(0), 0.05);
  CHECK(s.root_dispersion_s(s.wall_base) >= 0.052);
}

} // namespace concert::ntp::testing
