#include "tools/ntp_sim/regression.hpp"

#include "tools/ntp_sim/regression_discipline.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace concert::sim {

using doctest::Approx;

namespace {

ntp::raw_time at(double s) {
  return ntp::raw_time{} + ntp::ntp_duration::from_seconds(s);
}

ntp::path_sample sample(double t, double offset_s, double delay_s) {
  ntp::path_sample s;
  s.at = at(t);
  s.offset = ntp::ntp_duration::from_seconds(offset_s);
  s.delay_s = delay_s;
  return s;
}

double offset_of(const regression_filter& f, double t) {
  const auto e = f.at(at(t));
  REQUIRE(e);
  return e->origin.seconds() + e->offset_s;
}

} // namespace

TEST_CASE("a line through exact points is found") {
  const point points[] = {{-2, 1}, {-1, 3}, {0, 5}, {1, 7}};
  const auto line = fit_line(points);
  CHECK(line.offset == Approx(5));
  CHECK(line.slope == Approx(2));
  CHECK(line.offset_variance == Approx(0));
}

TEST_CASE("a point of little weight hardly counts") {
  const point points[] = {{-2, 1}, {-1, 3}, {0, 500, 1e-9}, {1, 7}, {2, 9}};
  const auto line = fit_line(points);
  CHECK(line.offset == Approx(5).epsilon(1e-3));
  CHECK(line.slope == Approx(2).epsilon(1e-3));
}

TEST_CASE("the errors of a line are those of repeated fits") {
  std::mt19937_64 random{1};
  std::normal_distribution<double> noise{0, 1e-3};
  double squares = 0;
  double claimed = 0;
  double slope_squares = 0;
  double slope_claimed = 0;
  constexpr int repeats = 2000;
  for (int i = 0; i < repeats; ++i) {
    std::vector<point> points;
    points.reserve(20);
    for (int k = 0; k < 20; ++k)
      points.push_back({-static_cast<double>(k), noise(random)});
    const auto line = fit_line(points);
    squares += line.offset * line.offset;
    claimed += line.offset_variance;
    slope_squares += line.slope * line.slope;
    slope_claimed += line.slope_variance;
  }
  CHECK(squares / claimed == Approx(1).epsilon(0.1));
  CHECK(slope_squares / slope_claimed == Approx(1).epsilon(0.1));
}

TEST_CASE("so few runs have less than one in twenty sequences of coins") {
  std::mt19937_64 random{1};
  for (const std::size_t n : {8U, 20U, 64U, 128U}) {
    const auto critical = critical_runs(n);
    REQUIRE(critical > 0);
    int below = 0;
    int at_next = 0;
    constexpr int repeats = 20000;
    for (int i = 0; i < repeats; ++i) {
      std::vector<point> points;
      for (std::size_t k = 0; k < n; ++k)
        points.push_back({0, (random() >> 40 & 1) != 0 ? 1.0 : -1.0});
      const auto runs = count_runs(points, {});
      below += runs <= critical ? 1 : 0;
      at_next += runs <= critical + 1 ? 1 : 0;
    }
    CHECK(below < 0.055 * repeats);
    CHECK(at_next > 0.045 * repeats);
  }
  CHECK(critical_runs(3) == 0);
}

TEST_CASE("the regression finds offset and frequency behind queueing") {
  std::mt19937_64 random{2};
  std::exponential_distribution<double> queueing{1 / 100e-6};
  regression_filter filter{{0, 100e-6, 1e-8}, {}};
  constexpr double f = 20e-6;
  for (int i = 0; i < 64; ++i) {
    const double t = 64.0 * i;
    const double up = queueing(random);
    const double down = queueing(random);
    filter.add(sample(t, 0.5 + f * t + (up - down) / 2, 1e-3 + up + down));
  }
  const double end = 64.0 * 63;
  CHECK(std::abs(offset_of(filter, end) - (0.5 + f * end)) < 40e-6);
  const auto e = *filter.at(at(end));
  CHECK(std::abs(e.frequency - f) < 5 * std::sqrt(e.frequency_variance));
  CHECK(std::sqrt(e.variance_s2) < 40e-6);
  CHECK(filter.base_delay_s() >= 1e-3);
  CHECK(filter.base_delay_s() < 1.2e-3);
}

TEST_CASE("a change of frequency shortens the window of the regression") {
  std::mt19937_64 random{3};
  std::normal_distribution<double> noise{0, 10e-6};
  regression_filter filter{{0, 100e-6, 1e-8}, {}};
  double offset = 0;
  for (int i = 0; i < 80; ++i) {
    offset += 64 * (i < 64 ? 0 : 5e-6);
    filter.add(sample(64.0 * i, offset + noise(random), 1e-3));
  }
  // A line through all 64 would lag by far more.
  CHECK(std::abs(offset_of(filter, 64.0 * 79) - offset) < 100e-6);
  CHECK(filter.at(at(64.0 * 79))->frequency == Approx(5e-6).epsilon(0.1));
}

TEST_CASE("the regression waits for a second sample before it jumps") {
  regression_filter filter{{0, 100e-6, 1e-8}, {}};
  for (int i = 0; i < 10; ++i)
    filter.add(sample(64.0 * i, 0, 1e-3));
  CHECK(filter.add(sample(640, 100, 1e-3)) == ntp::sample_verdict::suspect);
  CHECK(filter.add(sample(704, 100, 1e-3)) == ntp::sample_verdict::jump);
  CHECK(offset_of(filter, 704) == Approx(100));
}

TEST_CASE("doubt drops the samples of the regression and keeps its belief") {
  regression_filter filter{{0, 100e-6, 1e-8}, {}};
  for (int i = 0; i < 10; ++i)
    filter.add(sample(64.0 * i, 1e-6 * i, 1e-3));
  const double before = offset_of(filter, 600);
  filter.inflate(1e-2, 0);
  CHECK(offset_of(filter, 600) == Approx(before));
  CHECK(filter.at(at(600))->variance_s2 >= 1e-2);
  filter.add(sample(640, 0.1, 1e-3));
  CHECK(offset_of(filter, 640) == Approx(0.1).epsilon(0.01));
}

TEST_CASE("sources of the regression are weighed by what they know") {
  regression_discipline all;
  const ntp::source_id near{1};
  const ntp::source_id far{2};
  all.add_source(near, {0, 100e-6, 1e-8}, {});
  all.add_source(far, {0, 100e-6, 1e-8}, {});
  CHECK_FALSE(all.source(near, at(0)));
  for (int i = 0; i < 10; ++i) {
    all.on_sample(near, sample(64.0 * i, i % 2 * 1e-6, 1e-4));
    all.on_sample(far, sample(64.0 * i + 1, 1e-3 + i % 2 * 1e-4, 50e-3));
  }
  const ntp::selected_source both[] = {{near, 0}, {far, 0}};
  CHECK_FALSE(all.combined(at(600)));
  all.set_selected(both);
  const auto c = all.combined(at(600));
  REQUIRE(c);
  CHECK(std::abs(c->clock.origin.seconds() + c->clock.offset_s) < 20e-6);
  all.remove_source(near);
  const auto rest = all.combined(at(600));
  REQUIRE(rest);
  CHECK(rest->clock.origin.seconds() + rest->clock.offset_s
        == Approx(1e-3).epsilon(0.2));
}

} // namespace concert::sim
