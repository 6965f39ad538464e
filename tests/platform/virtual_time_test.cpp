#include "platform/virtual_time.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>

namespace concert::platform {

using namespace std::chrono_literals;

namespace {

constexpr ntp::mono_time start{1000s};
const auto first_wall = ntp::ntp_timestamp::from_unix(1'700'000'000s);

struct fixture {
  explicit fixture(oscillator_parameters parameters = {}) {
    page.oscillator = parameters;
    virtual_time::start(page, start, first_wall);
  }

  double wall_s(const virtual_time& time, ntp::mono_time t) const {
    return (time.wall_at(time.raw_at(t)) - first_wall).seconds();
  }

  virtual_clock_page page{};
};

constexpr auto steering = virtual_time::writer::daemon;
constexpr auto guard = virtual_time::writer::guard;

} // namespace

TEST_CASE("an oscillator is a function of time alone") {
  const oscillator_parameters parameters{3e-6, 1e-8, 7};
  const oscillator in_order{parameters};
  const oscillator at_once{parameters};
  const oscillator other{{3e-6, 1e-8, 8}};
  double last = 0;
  for (auto t = 0ns; t <= 1000s; t += 250ms)
    last = in_order.error_s(t);
  CHECK(last == at_once.error_s(1000s));
  CHECK(last != other.error_s(1000s));
  // Going back gives what was there.
  CHECK(std::abs(in_order.error_s(500s + 1ms) - at_once.error_s(500s + 1ms))
        < 1e-18);
  CHECK(at_once.error_s(500s)
        == doctest::Approx(oscillator{parameters}.error_s(500s)).epsilon(1e-9));
}

TEST_CASE("an oscillator runs on without jumps") {
  const oscillator o{{0, 1e-6, 3}};
  for (auto t = 1s; t <= 1000s; t += 1s) {
    const double step = o.error_s(t) - o.error_s(t - 1ns);
    REQUIRE(std::abs(step) < 1e-12);
  }
}

TEST_CASE("frequency wanders with the square root of time") {
  constexpr double wander = 1e-8;
  double sum_of_squares = 0;
  constexpr int oscillators = 400;
  for (std::uint64_t seed = 0; seed < oscillators; ++seed) {
    const oscillator o{{5e-6, wander, seed}};
    const double end = o.error_s(101s) - o.error_s(100s) - 5e-6;
    sum_of_squares += end * end;
  }
  const double deviation = std::sqrt(sum_of_squares / oscillators);
  CHECK(deviation == doctest::Approx(wander * 10).epsilon(0.15));
}

TEST_CASE("a clock runs as its oscillator until it is corrected") {
  fixture f{{100e-6, 0, 1}};
  virtual_time time{f.page};
  CHECK(f.wall_s(time, start + 1000s) == doctest::Approx(1000.1));
  time.apply(steering, start + 1000s, {ntp::frequency{-50e-6}, {}});
  CHECK(f.wall_s(time, start + 1000s) == doctest::Approx(1000.1));
  const double gained
    = f.wall_s(time, start + 2000s) - f.wall_s(time, start + 1000s);
  CHECK(std::abs(gained - 1000 * (1 + 100e-6) * (1 - 50e-6)) < 1e-8);
  CHECK(time.rate().ratio == -50e-6);
}

TEST_CASE("a step moves the wall clock and neither oscillator nor rate") {
  fixture f;
  virtual_time time{f.page};
  time.apply(steering, start + 10s, {ntp::frequency{1e-3}, {}});
  const auto raw = time.raw_at(start + 20s);
  time.apply(steering, start + 20s, {{}, ntp::ntp_duration::from_seconds(-5)});
  CHECK(time.raw_at(start + 20s) == raw);
  CHECK(time.rate().ratio == 1e-3);
  CHECK(f.wall_s(time, start + 20s) == doctest::Approx(15.01));
  CHECK(f.wall_s(time, start + 30s) == doctest::Approx(25.02));
}

TEST_CASE("two processes see and change one clock") {
  fixture f{{10e-6, 1e-9, 5}};
  virtual_time ours{f.page};
  virtual_time theirs{f.page};
  ours.apply(steering, start + 1s, {ntp::frequency{1e-3}, {}});
  theirs.apply(guard, start + 2s, {ntp::frequency{0}, {}});
  ours.apply(steering, start + 3s, {{}, ntp::ntp_duration::from_seconds(1)});
  CHECK(ours.rate().ratio == 0);
  CHECK(f.wall_s(ours, start + 100s) == f.wall_s(theirs, start + 100s));
  CHECK(f.wall_s(ours, start + 100s) == doctest::Approx(101.001).epsilon(1e-4));
}

TEST_CASE("what a stopped writer left half-written is never seen") {
  fixture f;
  virtual_time time{f.page};
  time.apply(steering, start + 1s, {ntp::frequency{1e-3}, {}});
  // The daemon stops after it scribbled on the segment not in force.
  const auto active = f.page.active.load() % 4;
  const auto half = active == 0 ? 1 : 0;
  f.page.segments[half].wall = 0;
  f.page.segments[half].rate = 99;
  CHECK(time.rate().ratio == 1e-3);
  time.apply(guard, start + 2s, {ntp::frequency{0}, {}});
  CHECK(time.rate().ratio == 0);
  CHECK(f.wall_s(time, start + 3s) == doctest::Approx(3.001));
  CHECK(f.page.segments[half].rate == 99);
}

TEST_CASE("readers beside two writers always see a whole clock") {
  fixture f{{0, 1e-9, 1}};
  std::atomic<bool> torn{false};
  std::atomic<bool> done{false};
  // Changes lie a second apart or more, so that parts of two do not fit
  // together; their rates add up to less than 2 ms.
  const auto write = [&](virtual_time::writer who, double rate) {
    virtual_time time{f.page};
    for (int i = 0; i < 20'000; ++i)
      time.apply(who, start + 1s * (i % 3), {ntp::frequency{rate}, {}});
  };
  std::thread reader{[&] {
    const virtual_time time{f.page};
    while (!done)
      if (std::abs(f.wall_s(time, start + 1s) - 1) > 0.01)
        torn = true;
  }};
  std::thread second{[&] { write(guard, -1e-8); }};
  write(steering, 1e-8);
  second.join();
  done = true;
  reader.join();
  CHECK_FALSE(torn);
}

} // namespace concert::platform
