#include "ntp_core/discipline/wander_bank.hpp"

#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

namespace concert::ntp::testing {

namespace {

constexpr double base = 1e-3;

wander_bank one_path(double frequency_deviation = 1e-6) {
  oscillator_prior prior;
  prior.deviation = frequency_deviation;
  wander_bank bank{prior};
  bank.for_each([](clock_state& s, std::size_t) {
    s.add_path(0, 1e-12, base, 1e-12);
    s.set_covariance(clock_state::offset, clock_state::offset, 1e-8);
  });
  return bank;
}

/// An oscillator that wanders, seen over one path.
struct walk {
  double wander = 0;
  double queueing = 10e-6;
  double offset = 0;
  double frequency = 0;

  void pass(double dt, dice& random) {
    const double kick = wander * std::sqrt(dt) * random.normal();
    offset += dt * (frequency + kick / 2);
    frequency += kick;
  }
  void show(wander_bank& bank, dice& random) const {
    const noise_law law{noise_shape::one_sided, queueing, 1e-14};
    bank.update(0, 2 * base,
                base + offset - 2 * base * frequency
                  + queueing * random.exponential(),
                base - offset + queueing * random.exponential(), law, law);
  }
};

double sum_of_weights(const wander_bank& bank) {
  const auto& w = bank.weights();
  return std::accumulate(w.begin(), w.end(), 0.0);
}

} // namespace

TEST_CASE("the weights of the beliefs always sum to one") {
  auto bank = one_path();
  dice random{2};
  walk truth{1e-8};
  CHECK(sum_of_weights(bank) == doctest::Approx(1));
  for (int i = 0; i < 300; ++i) {
    const double dt = random.uniform(0.1, 200);
    truth.pass(dt, random);
    if (i % 40 == 39)
      truth.offset += 0.1;
    bank.advance(dt, 1e-14, i % 40 == 39 ? 0.01 : 0);
    CHECK(sum_of_weights(bank) == doctest::Approx(1));
    truth.show(bank, random);
    CHECK(sum_of_weights(bank) == doctest::Approx(1));
  }
}

TEST_CASE("the evidence finds how much the oscillator wanders") {
  for (const double wander : {1e-9, 1e-8, 1e-7}) {
    auto bank = one_path();
    dice random{3};
    walk truth{wander};
    double mean_decade = 0;
    for (int i = 0; i < 1500; ++i) {
      truth.pass(64, random);
      bank.advance(64, 1e-14, 0);
      truth.show(bank, random);
      if (i >= 500)
        for (std::size_t k = 0; k + 1 < bank.size(); ++k)
          mean_decade
            += bank.weights()[k] * std::log10(wander_bank::wander_of(k)) / 1000;
    }
    CAPTURE(wander);
    CHECK(std::abs(mean_decade - std::log10(wander)) < 0.5);
    CHECK(std::abs(bank.mean(clock_state::offset) - truth.offset) < 100e-6);
  }
}

TEST_CASE("the favoured wander is the likely one before the first sample") {
  auto bank = one_path();
  bank.favour(1e-8);
  CHECK(std::sqrt(bank.wander_variance()) > 1e-9);
  std::size_t best = 0;
  for (std::size_t i = 0; i < bank.size(); ++i)
    best = bank.weights()[i] > bank.weights()[best] ? i : best;
  CHECK(wander_bank::wander_of(best) == doctest::Approx(1e-8));
}

TEST_CASE("a change of temperature is followed by the level that was ready") {
  auto bank = one_path();
  dice random{6};
  walk truth{1e-10};
  for (int i = 0; i < 500; ++i) {
    truth.pass(64, random);
    bank.advance(64, 1e-14, 0);
    truth.show(bank, random);
  }
  const double calm = std::sqrt(bank.wander_variance());
  truth.frequency += 5e-6;
  for (int i = 0; i < 3; ++i) {
    truth.pass(64, random);
    bank.advance(64, 1e-14, 0);
    truth.show(bank, random);
  }
  CHECK(std::sqrt(bank.wander_variance()) > 10 * calm);
  CHECK(std::abs(bank.mean(clock_state::frequency) - truth.frequency) < 1e-6);
}

TEST_CASE("a jump of the offset is taken when it is let in, and not kept") {
  auto bank = one_path();
  dice random{6};
  walk truth{1e-9};
  for (int i = 0; i < 200; ++i) {
    truth.pass(64, random);
    bank.advance(64, 1e-14, 0);
    truth.show(bank, random);
  }
  const double frequency = bank.mean(clock_state::frequency);
  truth.pass(64, random);
  truth.offset += 0.5;
  bank.advance(64, 1e-14, 0.25);
  truth.show(bank, random);
  CHECK(std::abs(bank.mean(clock_state::offset) - truth.offset) < 200e-6);
  CHECK(std::abs(bank.mean(clock_state::frequency) - frequency) < 1e-7);
  truth.pass(64, random);
  bank.advance(64, 1e-14, 0);
  truth.show(bank, random);
  CHECK(bank.weights().back() < 1e-6);
}

TEST_CASE("beliefs that have left the realm of numbers take over another's") {
  for (const bool in_between : {false, true}) {
    auto bank = one_path();
    dice random{7};
    walk truth{1e-9};
    for (int i = 0; i < 100; ++i) {
      truth.pass(64, random);
      bank.advance(64, 1e-14, 0);
      truth.show(bank, random);
    }
    bank.for_each([](clock_state& s, std::size_t i) {
      if (i == 2)
        s.mean(clock_state::frequency) = std::nan("");
      if (i == 4)
        s.set_covariance(clock_state::offset, clock_state::offset, INFINITY);
    });
    CAPTURE(in_between);
    if (in_between)
      bank.advance(64, 1e-14, 0);
    truth.pass(in_between ? 64 : 0, random);
    truth.show(bank, random);
    bank.for_each([](clock_state& s, std::size_t) { CHECK(s.is_sound()); });
    CHECK(sum_of_weights(bank) == doctest::Approx(1));
    CHECK(std::abs(bank.mean(clock_state::offset) - truth.offset) < 50e-6);
  }
}

TEST_CASE("the doubt about what is seen grows with the time ahead") {
  auto bank = one_path();
  const double now = bank.seen_variance(0, 0);
  CHECK(now == doctest::Approx(1e-8 + 1e-12));
  CHECK(bank.seen_variance(0, 100) > now + 0.5 * 100 * 100 * 1e-12);
  CHECK(bank.variance(clock_state::offset) == doctest::Approx(1e-8));
}

} // namespace concert::ntp::testing
