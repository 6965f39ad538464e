#include "ntp_core/shadow/clock_record.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::ntp {

namespace {

using std::chrono::seconds;

/// A clock that somebody else steers, and what we believe of it.
struct watched {
  clock_record record;
  clock_reading now;
  system_snapshot seen;
  steering_config config;
  double frequency = 10e-6;

  watched() {
    now.mono += std::chrono::hours{1};
    now.boot = std::chrono::hours{1};
    now.unix_time = seconds{1'700'000'000 / 3600 * 3600};
    now.wall = ntp_timestamp::from_unix(now.unix_time);
    now.raw = now.raw + ntp_duration::from_seconds(3600);
    seen.synchronized = true;
    seen.last_update = now.mono;
    seen.budget = {.measurement_s = 12e-6, .asymmetry_s = 16e-6};
  }

  /// `by` passes by a perfect clock, and the wall clock goes on as it is set.
  void pass(seconds by) {
    now.mono += by;
    now.boot += by;
    now.raw
      = now.raw + ntp_duration::from_seconds(by.count() / (1 + frequency));
    jump(static_cast<double>(by.count()));
  }

  void jump(double s) {
    now.unix_time += std::chrono::nanoseconds{std::llround(s * 1e9)};
    now.wall = now.wall + ntp_duration::from_seconds(s);
  }

  void look(double offset_s) {
    seen.offset_s = offset_s;
    // As for a clock of ours: it holds what is to be corrected as well.
    seen.budget.unslewed_s = std::abs(offset_s);
    seen.max_error_s = 1e-3 + std::abs(offset_s);
    record.look(now, seen, frequency, config);
  }
};

} // namespace

TEST_CASE("an hour's figures weigh each offset with its time") {
  watched w;
  w.look(0);
  w.pass(seconds{30});
  w.look(1e-3);
  w.pass(seconds{10});
  w.look(-3e-3);
  const auto s = w.record.snapshot();
  REQUIRE(s.hours.size() == 1);
  const auto& h = s.hours[0];
  CHECK(h.looks == 3);
  CHECK(h.watched_s == doctest::Approx(41));
  CHECK(h.mean_s == doctest::Approx((30e-3 - 30e-3) / 41));
  CHECK(h.rms_s == doctest::Approx(std::sqrt((30e-6 + 90e-6) / 41)));
  CHECK(h.largest_s == doctest::Approx(3e-3));
  CHECK(h.uncertainty_s == doctest::Approx(20e-6));
  CHECK(h.max_error_s == doctest::Approx(1e-3));
  CHECK(h.own_steps == 0);
}

TEST_CASE("a week is kept, and its total is that of its hours") {
  watched w;
  for (int i = 0; i < 200 * 60; ++i) {
    w.look(i < 30 * 60 ? 1 : 1e-3);
    w.pass(seconds{60});
  }
  const auto s = w.record.snapshot();
  CHECK(s.hours.size() == clock_record::most_hours);
  CHECK(s.total.since == s.hours[0].since);
  CHECK(s.total.looks == clock_record::most_hours * 60);
  CHECK(s.total.rms_s == doctest::Approx(1e-3));
  CHECK(s.total.lowest_frequency == doctest::Approx(10e-6));
}

TEST_CASE("before the clock is known and while it is not, nothing counts") {
  watched w;
  w.seen.synchronized = false;
  w.look(5);
  CHECK(w.record.snapshot().hours.at(0).looks == 0);
  w.seen.synchronized = true;
  w.pass(seconds{60});
  w.look(1e-3);
  w.seen.synchronized = false;
  w.pass(seconds{60});
  w.look(7);
  const auto total = w.record.snapshot().total;
  CHECK(total.looks == 1);
  CHECK(total.watched_s == doctest::Approx(1));
  CHECK(total.largest_s == doctest::Approx(1e-3));
}

TEST_CASE("a long silence does not count as one long value") {
  watched w;
  w.look(1e-3);
  w.pass(seconds{1800});
  w.look(1e-3);
  CHECK(w.record.snapshot().total.watched_s == doctest::Approx(129));
}

TEST_CASE("steps and frequencies of the other daemon are seen") {
  watched w;
  w.look(0.2);
  w.pass(seconds{16});
  w.jump(0.2);
  w.look(0);
  w.pass(seconds{16});
  w.frequency = 12e-6;
  w.look(0);
  const auto h = w.record.snapshot().hours.at(0);
  CHECK(h.steps == 1);
  CHECK(h.stepped_s == doctest::Approx(0.2).epsilon(0.01));
  CHECK(h.frequency_changes == 1);
  CHECK(h.lowest_frequency == doctest::Approx(10e-6));
  CHECK(h.highest_frequency == doctest::Approx(12e-6));
  // We would have stepped at the start, and not again when it did.
  CHECK(h.own_steps == 1);
  CHECK(h.own_stepped_s == doctest::Approx(0.2));
}

TEST_CASE("a clock that drifts away would not have made us step") {
  watched w;
  for (int i = 0; i < 50; ++i) {
    w.look(0.1 * i);
    w.pass(seconds{16});
  }
  CHECK(w.record.snapshot().total.own_steps == 0);
  // But for a jump of what the sources say.
  w.look(10);
  CHECK(w.record.snapshot().total.own_steps == 1);
}

TEST_CASE("an empty record is an empty snapshot") {
  const auto s = clock_record{}.snapshot();
  CHECK(s.hours.empty());
  CHECK(s.total.looks == 0);
  CHECK(s.total.rms_s == 0);
}

} // namespace concert::ntp
