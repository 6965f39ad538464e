#include "actors/simulation/simulated_oscillator.hpp"
#include "tests/actors/simulation/moments.hpp"

#include <doctest/doctest.h>

namespace concert::actors::testing {

using namespace std::chrono_literals;

TEST_CASE("an oscillator without wander is wrong by a line") {
  simulated_oscillator o{1e-4, 0, {}, 1};
  CHECK(o.error_s(0s) == 0);
  CHECK(o.error_s(2500ms) == doctest::Approx(2.5e-4));
  CHECK(o.error_s(10'000s) == doctest::Approx(1));
}

TEST_CASE("wander is a random walk of frequency, one step a second") {
  std::vector<double> frequencies;
  std::vector<double> phases;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    simulated_oscillator o{0, 1e-9, {}, seed};
    phases.push_back(o.error_s(1000s));
    frequencies.push_back(o.frequency_error(1000s));
  }
  CHECK(deviation(frequencies)
        == doctest::Approx(1e-9 * std::sqrt(1000)).epsilon(0.04));
  // algorithm.md §1: W t^1.5 / √3
  CHECK(deviation(phases)
        == doctest::Approx(1e-9 * std::pow(1000, 1.5) / std::sqrt(3))
             .epsilon(0.04));
}

TEST_CASE("an oscillator is the same however often it is read") {
  simulated_oscillator often{1e-5, 1e-8, {.sine = 1e-6}, 3};
  simulated_oscillator once{1e-5, 1e-8, {.sine = 1e-6}, 3};
  for (auto t = 0ms; t < 100s; t += 130ms)
    often.error_s(t);
  CHECK(often.error_s(100s) == once.error_s(100s));
}

TEST_CASE("temperature can be a sine of frequency") {
  simulated_oscillator o{0, 0, {.sine = 1e-6, .sine_period_s = 1000}, 1};
  CHECK(o.frequency_error(250s) == doctest::Approx(1e-6));
  // Half a turn of it: amplitude × period / π.
  CHECK(o.error_s(500s)
        == doctest::Approx(1e-6 * 1000 / 3.14159).epsilon(0.01));
  CHECK(o.frequency_error(750s) == doctest::Approx(-1e-6));
  CHECK(std::abs(o.error_s(1000s)) < 1e-6);
}

TEST_CASE("temperature can be steps that come through a lag") {
  simulated_oscillator o{
    0, 0, {.square = 1e-6, .square_period_s = 4000, .square_lag_s = 100}, 1};
  CHECK(o.frequency_error(1999s) == doctest::Approx(1e-6));
  // The step of −2e-6 has gone 1 − 1/e of its way after the lag.
  CHECK(o.frequency_error(2099s)
        == doctest::Approx(1e-6 - 2e-6 * (1 - std::exp(-1))).epsilon(0.01));
  CHECK(o.frequency_error(3999s) == doctest::Approx(-1e-6));
}

TEST_CASE("a change of frequency leaves the past as it was") {
  simulated_oscillator o{1e-6, 0, {}, 1};
  const double before = o.error_s(10'500ms);
  o.change_frequency(10'500ms, 3e-6);
  CHECK(o.error_s(10'500ms) == doctest::Approx(before));
  CHECK(o.error_s(20'500ms) == doctest::Approx(before + 4e-5));
}

} // namespace concert::actors::testing
