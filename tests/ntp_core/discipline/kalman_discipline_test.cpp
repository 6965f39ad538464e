#include "ntp_core/discipline/kalman_discipline.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace concert::ntp::testing {

namespace {

raw_time at(double s) {
  return raw_time{} + ntp_duration::from_seconds(s);
}

void feed(kalman_discipline& d, std::uint64_t id, double offset_s,
          double delay_s = 200e-6) {
  d.add_source(source_id{id}, {}, {});
  for (int i = 0; i < 50; ++i) {
    path_sample s;
    s.at = at(16 * i);
    s.offset = ntp_duration::from_seconds(offset_s);
    s.delay_s = delay_s + 1e-6 * (i % 7);
    s.noise_variance = 1e-13;
    d.on_sample(source_id{id}, s);
  }
}

constexpr double end = 16 * 49;

} // namespace

TEST_CASE("without selected sources there is nothing to follow") {
  kalman_discipline d;
  feed(d, 1, 0.1);
  CHECK(!d.combined(at(end)));
  CHECK(d.source(source_id{1}, at(end)));
  CHECK(!d.source(source_id{2}, at(end)));
}

TEST_CASE("only selected sources are combined, the surer ones more") {
  kalman_discipline d;
  feed(d, 1, 0);
  feed(d, 2, 100e-6);
  feed(d, 3, 1e-3, 0.02);
  feed(d, 4, 5.0);
  const std::vector<selected_source> chosen{
    {source_id{1}, 0}, {source_id{2}, 0}, {source_id{3}, 0}};
  d.set_selected(chosen);
  const auto c = d.combined(at(end));
  REQUIRE(c);
  CHECK(c->clock.offset_against({}) == doctest::Approx(50e-6).epsilon(0.05));
}

TEST_CASE("many sources never make the common wander vanish") {
  kalman_discipline d;
  std::vector<selected_source> chosen;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    feed(d, i, 0);
    chosen.push_back({source_id{i}, 0});
  }
  d.set_selected(chosen);
  const double one = d.source(source_id{1}, at(end))->clock.variance_s2;
  const auto all = d.combined(at(end));
  CHECK(all->clock.variance_s2 > 0.49 * one);
  CHECK(all->clock.variance_s2 < one);
  // Correlation of two deviations is at most one.
  CHECK(all->clock.covariance_s * all->clock.covariance_s
        <= all->clock.variance_s2 * all->clock.frequency_variance * 1.0001);
}

TEST_CASE("the bias of asymmetric paths and servers is kept apart") {
  kalman_discipline d;
  feed(d, 1, 0, 0.02);
  const std::vector<selected_source> chosen{{source_id{1}, 1e-6}};
  d.set_selected(chosen);
  CHECK(d.combined(at(end))->bias_variance
        == doctest::Approx(1e-6 + 2e-3 * 2e-3).epsilon(0.01));
}

TEST_CASE("a removed source is not combined any more") {
  kalman_discipline d;
  feed(d, 1, 0);
  const std::vector<selected_source> chosen{{source_id{1}, 0}};
  d.set_selected(chosen);
  d.remove_source(source_id{1});
  CHECK(!d.combined(at(end)));
}

} // namespace concert::ntp::testing
