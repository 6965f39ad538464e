#include "ntp_core/discipline/snapshot.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

namespace {

constexpr auto base = ntp_timestamp::from_bits(0xe000000000000000);

ntp_timestamp later(double seconds) {
  return base + ntp_duration::from_seconds(seconds);
}

} // namespace

TEST_CASE("the served time is a line through offset and rate") {
  served_time t;
  t.valid = true;
  t.wall_base = base;
  t.offset_s = 0.25;
  t.rate = 1e-6;
  CHECK((t.disciplined(base) - base).seconds() == doctest::Approx(0.25));
  CHECK((t.disciplined(later(1000)) - base).seconds()
        == doctest::Approx(1000.251));
  CHECK((t.disciplined(later(-1000)) - base).seconds()
        == doctest::Approx(-999.751));
}

TEST_CASE("without valid time the wall clock is served, with the largest "
          "dispersion") {
  served_time t;
  t.wall_base = base;
  t.offset_s = 100;
  CHECK(t.disciplined(base) == base);
  CHECK(t.root_dispersion_s(base) == 16);
}

TEST_CASE("the dispersion grows with time and never falls below its base") {
  served_time t;
  t.valid = true;
  t.wall_base = base;
  t.variance_base = 1e-6;
  t.variance_linear = 1e-8;
  t.variance_quadratic = 1e-10;
  t.variance_cubic = 1e-12;
  CHECK(t.root_dispersion_s(base) == doctest::Approx(1e-3));
  CHECK(t.root_dispersion_s(later(-1000)) == doctest::Approx(1e-3));
  CHECK(t.root_dispersion_s(later(100))
        == doctest::Approx(std::sqrt(1e-6 + 1e-6 + 1e-6 + 1e-6)));
  t.variance_linear = -1;
  CHECK(t.root_dispersion_s(later(100)) == doctest::Approx(1e-3));
}

TEST_CASE("states have the names that JSON shows") {
  CHECK(to_string(system_state::synchronized) == "synchronized");
  CHECK(to_string(system_state::holdover) == "holdover");
  CHECK(to_string(source_state::falseticker) == "falseticker");
  CHECK(to_string(source_state::unusable) == "unusable");
}

} // namespace concert::ntp
