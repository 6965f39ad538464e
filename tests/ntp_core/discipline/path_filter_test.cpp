#include "ntp_core/discipline/path_filter.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace concert::ntp::testing {

namespace {

path_sample sample(double at_s, double offset_s, double delay_s = 200e-6) {
  path_sample s;
  s.at = raw_time{} + ntp_duration::from_seconds(at_s);
  s.offset = ntp_duration::from_seconds(offset_s);
  s.delay_s = delay_s;
  s.noise_variance = 1e-14;
  return s;
}

raw_time at(double s) {
  return raw_time{} + ntp_duration::from_seconds(s);
}

double offset(const path_filter& f, double t) {
  return f.at(at(t)).offset_against({});
}

/// Fed once in 16 s for long, at a rate of 10 ppm.
path_filter trained(double start_s = 0) {
  path_filter f{{}};
  for (int i = 0; i < 200; ++i)
    f.add(sample(16 * i, start_s + 16e-5 * i));
  return f;
}

constexpr double trained_end = 16 * 199;

} // namespace

TEST_CASE("the first sample is believed as far as its round trip allows") {
  path_filter f{{}};
  f.add(sample(0, 1.5, 0.02));
  const auto e = f.at(at(0));
  CHECK(e.offset_against({}) == doctest::Approx(1.5));
  CHECK(std::sqrt(e.variance_s2) == doctest::Approx(0.005).epsilon(0.2));
  CHECK(std::sqrt(e.frequency_variance) == doctest::Approx(100e-6));
}

TEST_CASE("a steady rate is learnt") {
  const auto f = trained();
  const auto e = f.at(at(trained_end + 1000));
  CHECK(e.frequency == doctest::Approx(10e-6).epsilon(1e-3));
  CHECK(e.offset_against({}) == doctest::Approx(trained_end * 1e-5 + 0.01));
}

TEST_CASE("uncertainty grows with time and shrinks with samples") {
  auto f = trained();
  const double now = f.at(at(trained_end)).variance_s2;
  const double later = f.at(at(trained_end + 10'000)).variance_s2;
  CHECK(later > 100 * now);
  f.add(sample(trained_end + 10'000, (trained_end + 10'000) * 1e-5));
  CHECK(f.at(at(trained_end + 10'000)).variance_s2 < later / 10);
}

TEST_CASE("one wild sample only adds doubt") {
  auto f = trained();
  const double before = offset(f, trained_end + 16);
  const auto verdict
    = f.add(sample(trained_end + 16, 1e-5 * (trained_end + 16) + 0.3));
  CHECK(verdict == sample_verdict::suspect);
  CHECK(offset(f, trained_end + 16) == before);
  CHECK(std::sqrt(f.at(at(trained_end + 16)).variance_s2)
        == doctest::Approx(0.3).epsilon(0.01));

  SUBCASE("which the next good one removes") {
    CHECK(f.add(sample(trained_end + 32, 1e-5 * (trained_end + 32)))
          == sample_verdict::used);
    CHECK(std::sqrt(f.at(at(trained_end + 32)).variance_s2) < 1e-4);
  }
  SUBCASE("and a second one on the same side is a jump") {
    CHECK(f.add(sample(trained_end + 32, 1e-5 * (trained_end + 32) + 0.3))
          == sample_verdict::jump);
    CHECK(offset(f, trained_end + 32)
          == doctest::Approx(1e-5 * (trained_end + 32) + 0.3));
  }
  SUBCASE("but one on the other side is not") {
    CHECK(f.add(sample(trained_end + 32, 1e-5 * (trained_end + 32) - 0.3))
          == sample_verdict::suspect);
  }
}

TEST_CASE("a sample that waited in a queue moves the estimate little") {
  auto f = trained();
  const double before = offset(f, trained_end + 16);
  f.add(sample(trained_end + 16, 1e-5 * (trained_end + 16) + 2e-3, 4.2e-3));
  CHECK(std::abs(offset(f, trained_end + 16) - before) < 50e-6);
}

TEST_CASE("years of offset cost no precision") {
  const double years = 1e9;
  const auto f = trained(years);
  const auto e = f.at(at(trained_end));
  CHECK(std::abs(e.offset_s) < 2);
  CHECK(e.offset_against(ntp_duration::from_seconds(years))
        == doctest::Approx(trained_end * 1e-5).epsilon(1e-6));
}

TEST_CASE("a shift moves the estimate and nothing else") {
  auto f = trained();
  const auto before = f.at(at(trained_end));
  f.shift(ntp_duration::from_seconds(-1));
  const auto after = f.at(at(trained_end));
  CHECK(after.offset_against({})
        == doctest::Approx(before.offset_against({}) - 1));
  CHECK(after.variance_s2 == before.variance_s2);
  CHECK(after.frequency == before.frequency);
}

TEST_CASE("the wander of the oscillator is found out") {
  for (const double wander : {1e-9, 1e-7}) {
    path_filter f{{}};
    std::mt19937_64 bits{5};
    const auto uniform
      = [&bits] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
    double x = 0;
    double rate = 0;
    double sum = 0;
    for (int i = 0; i < 2000; ++i) {
      for (int s = 0; s < 64; ++s) {
        rate += wander * std::sqrt(-2 * std::log(uniform()))
                * std::cos(6.283185307179586 * uniform());
        x += rate;
      }
      const double up = -std::log(uniform()) * 10e-6;
      const double down = -std::log(uniform()) * 10e-6;
      f.add(sample(64 * i, x + (up - down) / 2, 200e-6 + up + down));
      if (i >= 1000)
        sum += f.at(at(64 * i)).wander / 1000;
    }
    CHECK(sum > wander / 4);
    CHECK(sum < wander * 12);
  }
}

TEST_CASE("a remembered filter goes on as if nothing had been missed") {
  auto f = trained();
  const auto known = f.at(at(trained_end));
  const path_memory memory{known, f.delay().base_s(),
                           f.delay().mean_excess_s()};
  path_filter g{{}, memory};
  CHECK(g.delay().base_s() == f.delay().base_s());
  const auto later = trained_end + 100;
  CHECK(offset(g, later) == doctest::Approx(offset(f, later)));
  CHECK(g.at(at(later)).variance_s2
        == doctest::Approx(f.at(at(later)).variance_s2));

  SUBCASE("an ordinary first sample moves it as little") {
    for (auto* filter : {&f, &g})
      CHECK(filter->add(sample(later, later * 1e-5 + 1e-6))
            == sample_verdict::used);
    CHECK(offset(g, later) == doctest::Approx(offset(f, later)).epsilon(1e-4));
    CHECK(std::sqrt(g.at(at(later)).variance_s2) < 2e-6);
  }
  SUBCASE("what the first sample contradicts is forgotten at once") {
    CHECK(g.add(sample(later, 7, 0.02)) == sample_verdict::used);
    CHECK(offset(g, later) == doctest::Approx(7));
    CHECK(std::sqrt(g.at(at(later)).variance_s2)
          == doctest::Approx(0.005).epsilon(0.2));
    CHECK(g.samples() == 1);
    CHECK(g.delay().base_s() == 0.02);
  }
  SUBCASE("the second sample is not the first") {
    g.add(sample(later, later * 1e-5));
    CHECK(g.add(sample(later + 16, 7)) == sample_verdict::suspect);
  }
}

TEST_CASE("any input leaves finite numbers and true variances") {
  std::mt19937_64 bits{9};
  path_filter f{{}};
  double t = 0;
  for (int i = 0; i < 5000; ++i) {
    const double scale = std::pow(10.0, static_cast<double>(bits() % 18) - 8);
    t += static_cast<double>(bits() % 3) * scale;
    f.add(sample(std::fmod(t, 1e9),
                 (bits() % 2 ? 1 : -1) * std::min(scale, 2e9),
                 1e-9 + std::min(scale, 10.0)));
    const auto e = f.at(at(std::fmod(t, 1e9)));
    REQUIRE(std::isfinite(e.offset_s));
    REQUIRE(std::isfinite(e.frequency));
    REQUIRE(e.variance_s2 > 0);
    REQUIRE(e.frequency_variance > 0);
    REQUIRE(e.wander >= 0.9e-10);
  }
}

} // namespace concert::ntp::testing
