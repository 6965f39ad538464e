#include "tools/ntp_sim/tally.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::sim {

using doctest::Approx;

namespace {

scenario of_length(double duration_s, double settle_s) {
  scenario s;
  s.duration_s = duration_s;
  s.settle_s = settle_s;
  return s;
}

/// A run whose error is this at each second.
template <class Error>
tally run(const scenario& s, Error error) {
  gauge g{s};
  for (int i = 1; i <= s.duration_s; ++i)
    g.second(i, error(i), 1e-9);
  return g.result();
}

figures one(const tally& t, bool has_lock_level = false) {
  return pooled(std::span{&t, 1}, has_lock_level);
}

} // namespace

TEST_CASE("statistics begin when the scenario says") {
  const auto f = one(
    run(of_length(1000, 500), [](double t) { return t < 500 ? 1.0 : 2e-6; }));
  CHECK(f.rms == Approx(2e-6));
  CHECK(f.max_worst == Approx(2e-6));
  CHECK(f.frequency_rms == Approx(1e-9));
  CHECK(f.p999 == Approx(2e-6).epsilon(0.012));
}

TEST_CASE("seeds are pooled as the root of the mean square, with an error from "
          "their spread") {
  const auto s = of_length(100, 50);
  const tally runs[] = {run(s, [](double) { return 1e-6; }),
                        run(s, [](double) { return -3e-6; })};
  const auto f = pooled(runs, false);
  CHECK(f.rms == Approx(std::sqrt(5.0) * 1e-6));
  // Mean squares 1 and 9: 5 ± 4; half of that over the root.
  CHECK(f.rms_error == Approx(4 / (2 * std::sqrt(5.0)) * 1e-6));
  CHECK(f.max_mean == Approx(2e-6));
  CHECK(f.max_worst == Approx(3e-6));
  CHECK(f.seed_rms.size() == 2);
  CHECK(f.seed_rms[1] == Approx(3e-6));
}

TEST_CASE("the 99.9th percentile does not see what is rarer") {
  const auto f = one(run(of_length(20000, 0), [](double t) {
    return std::fmod(t, 2000) == 0 ? 1.0 : 1e-6;
  }));
  CHECK(f.p999 == Approx(1e-6).epsilon(0.012));
  CHECK(f.max_worst == 1.0);
}

TEST_CASE("locked is the clock after its last excursion in the first half") {
  auto s = of_length(1000, 500);
  s.lock_level_s = 1e-3;
  const auto f = one(run(s,
                         [](double t) {
                           const bool away
                             = t < 10 || t == 123 || (t > 700 && t < 800);
                           return away ? 1.0 : 1e-6;
                         }),
                     true);
  CHECK(f.first_lock_median == 123);
  CHECK(f.first_lock_worst == 123);
}

TEST_CASE("an error that grows has a trend and growing quarters") {
  const auto growing
    = one(run(of_length(4000, 0), [](double t) { return -t * 1e-9; }));
  CHECK(growing.trend == Approx(2).epsilon(0.01));
  CHECK(growing.quarters[3] > 6 * growing.quarters[0]);
  const auto level
    = one(run(of_length(4000, 0), [](double t) { return std::sin(t); }));
  CHECK(std::abs(level.trend) < 0.05);
}

TEST_CASE("errors beyond the bound count from the start, outside the listed "
          "windows") {
  auto s = of_length(100, 50);
  s.exceptions.push_back({60, 70});
  gauge g{s};
  for (const double t : {10.0, 60.0, 65.0, 70.0, 71.0})
    g.judge(t, -2e-3, {true, 1e-3, 1e-4, 1e-3});
  g.judge(80, 2e-3, {true, 1e-3, 1e-4, 3e-3});
  const auto f = one(g.result());
  CHECK(f.bound_violations == 2);
  CHECK(f.bound_looks == 3);
  CHECK(f.first_violation == 10);
  CHECK(f.last_violation == 71);
  CHECK(f.consistency == Approx(2));
  CHECK(f.estimated_error == Approx(1e-3));
  CHECK(f.max_error == Approx((4 * 1e-3 + 3e-3) / 5));
}

TEST_CASE("what is said while not synchronized does not count as honesty") {
  gauge g{of_length(100, 0)};
  g.judge(1, 1.0, {false, 1e-6, 1e-6, 16});
  CHECK_FALSE(one(g.result()).consistency);
}

TEST_CASE("changes of the selection are counted per day") {
  gauge g{of_length(86400, 0)};
  std::uint64_t set = 1;
  for (int i = 0; i <= 86400; i += 16) {
    if (i == 160 || i == 1600)
      ++set;
    g.second(i, 1e-6, 0);
    g.selection(i, set);
  }
  auto t = g.result();
  t.seconds = 86400;
  CHECK(one(t).selection_changes_per_day == Approx(2));
}

TEST_CASE("packets are per source") {
  tally t;
  t.packets = 400;
  t.servers = 4;
  CHECK(one(t).packets == 100);
}

} // namespace concert::sim
