#include "ntp_core/discipline/clock_watch.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace concert::ntp::testing {

namespace {

/// A kernel's clocks after `t` seconds at this frequency correction.
clock_reading reading(double t, double rate, double stepped = 0,
                      double slept = 0) {
  clock_reading r;
  const double even = t * (1 + rate);
  r.mono = mono_time{nanoseconds_of(even)};
  r.raw = raw_time{} + ntp_duration::from_seconds(t);
  r.unix_time = 1'800'000'000s + nanoseconds_of(even + stepped + slept);
  r.wall = ntp_timestamp::from_unix(r.unix_time);
  r.boot = nanoseconds_of(even + slept);
  r.spread = ntp_duration::from_seconds(1e-6);
  return r;
}

} // namespace

TEST_CASE("our own slew is no surprise") {
  clock_watch w{reading(0, 1e-3)};
  const auto seen = w.observe(reading(1000, 1e-3), 1e-3);
  CHECK(seen.jump_s == 0);
  CHECK(seen.suspended_s == 0);
}

TEST_CASE("the slew of another program is no step") {
  clock_watch w{reading(0, 1e-3)};
  CHECK(w.observe(reading(1000, 1e-3), 0).jump_s == 0);
}

TEST_CASE("a step is seen with size and sign") {
  clock_watch w{reading(0, 0)};
  CHECK(w.observe(reading(10, 0, -0.25), 0).jump_s == doctest::Approx(-0.25));
  CHECK(w.observe(reading(20, 0, -0.25), 0).jump_s == 0);
}

TEST_CASE("an announced step is ours, once") {
  clock_watch w{reading(0, 0)};
  w.announce(ntp_duration::from_seconds(0.5));
  CHECK(w.observe(reading(1, 0, 0.5), 0).jump_s == 0);
  CHECK(w.observe(reading(2, 0, 1.0), 0).jump_s == doctest::Approx(0.5));
}

TEST_CASE("a step of another size than announced is not ours") {
  clock_watch w{reading(0, 0)};
  w.announce(ntp_duration::from_seconds(0.5));
  CHECK(w.observe(reading(1, 0, 0.7), 0).jump_s == doctest::Approx(0.7));
}

TEST_CASE("sleep is told from a step") {
  clock_watch w{reading(0, 0)};
  const auto seen = w.observe(reading(10, 0, 0, 3600), 0);
  CHECK(seen.suspended_s == doctest::Approx(3600));
  CHECK(seen.jump_s == 0);
}

} // namespace concert::ntp::testing
