#include "ntp_core/responder/transmit_delay.hpp"

#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::ntp {

namespace {

ntp_duration us(double value) {
  return ntp_duration::from_seconds(value * 1e-6);
}

/// What is said of reply `slot`, us, with the margins taken out.
double said(const transmit_delay& d, std::size_t slot) {
  const auto first = d.of(0).value_or(us(-1e6)).seconds() * 1e6;
  const auto whole = d.of(slot).value_or(us(-1e6)).seconds() * 1e6;
  return first * 8 / transmit_delay::first_eighths
         + (whole - first) * 8 / transmit_delay::each_eighths;
}

} // namespace

TEST_CASE("nothing is said before the first reply of a batch was stamped") {
  transmit_delay d;
  CHECK(!d.of(0));
  d.on_sample(5, us(20));
  CHECK(!d.of(0));
  CHECK(!d.of(5));
  d.on_sample(0, us(8));
  CHECK(said(d, 0) == doctest::Approx(8).epsilon(1e-3));
  CHECK(said(d, 5) == doctest::Approx(8).epsilon(1e-3));
}

TEST_CASE("later replies of a batch teach what each one takes") {
  transmit_delay d;
  d.on_sample(0, us(8));
  d.on_sample(10, us(28));
  CHECK(said(d, 0) == doctest::Approx(8).epsilon(1e-3));
  CHECK(said(d, 1) == doctest::Approx(10).epsilon(1e-3));
  CHECK(said(d, 63) == doctest::Approx(134).epsilon(1e-3));
}

TEST_CASE("the least counts, not the mean") {
  transmit_delay d;
  for (const double delay : {12, 9, 200, 8, 50})
    d.on_sample(0, us(delay));
  for (const double delay : {60, 48, 300})
    d.on_sample(20, us(delay));
  CHECK(said(d, 0) == doctest::Approx(8).epsilon(1e-3));
  CHECK(said(d, 20) == doctest::Approx(48).epsilon(1e-3));
}

TEST_CASE("an old minimum is forgotten after two windows") {
  transmit_delay d;
  d.on_sample(0, us(2));
  for (std::size_t i = 0; i < transmit_delay::window; ++i)
    d.on_sample(0, us(10));
  CHECK(said(d, 0) == doctest::Approx(2).epsilon(1e-3));
  for (std::size_t i = 0; i < transmit_delay::window; ++i)
    d.on_sample(0, us(10));
  CHECK(said(d, 0) == doctest::Approx(10).epsilon(1e-3));
}

TEST_CASE("negative and absurd delays teach nothing") {
  transmit_delay d;
  d.on_sample(0, us(-1));
  d.on_sample(0, us(1001));
  CHECK(!d.of(0));
  d.on_sample(0, us(8));
  d.on_sample(3, us(-1));
  d.on_sample(3, us(1e6));
  CHECK(said(d, 3) == doctest::Approx(8).epsilon(1e-3));
}

TEST_CASE("a later reply that left earlier than any first one lowers what is "
          "said of the first") {
  transmit_delay d;
  d.on_sample(0, us(20));
  d.on_sample(4, us(6));
  CHECK(said(d, 0) == doctest::Approx(6).epsilon(1e-3));
  CHECK(d.of(63) == d.of(0));
}

TEST_CASE("hardly a reply is said to leave later than it does, though few are "
          "looked at") {
  test::seeded_random random;
  // What the system needs at least, and an exponential tail above that.
  const auto delay = [&](std::size_t slot) {
    const auto tail = -std::log(1 - random.uniform());
    return us(4 + 1.5 * tail + 1.2 * static_cast<double>(slot));
  };
  transmit_delay d;
  int late = 0;
  double early = 0;
  constexpr int samples = 300;
  constexpr int replies = 1024;
  for (int i = 0; i < samples; ++i) {
    const auto k = random.next() % 8;
    d.on_sample(k, delay(k));
    for (int j = 0; j < replies && i > 64; ++j) {
      const auto slot = random.next() % 8;
      const auto error = *d.of(slot) - delay(slot);
      late += error > ntp_duration{} ? 1 : 0;
      early -= error.seconds() * 1e6 / replies / (samples - 65);
    }
  }
  CHECK(late < replies * (samples - 65) / 1000);
  CHECK(early < 5);
}

} // namespace concert::ntp
