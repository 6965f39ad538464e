#include "actors/simulation/noise.hpp"

#include "tests/actors/simulation/moments.hpp"

#include <doctest/doctest.h>

namespace concert::actors::testing {

namespace {

constexpr int many = 20'000;

struct pairs {
  std::vector<double> first;
  std::vector<double> second;
};

/// Values of a process and those `lag_s` later, far from one another and at
/// no regular time.
template <class Process>
pairs pairs_of(Process process, double lag_s, double apart_s,
               int count = many) {
  seeded_random times{99};
  pairs result;
  double t = 0;
  for (int i = 0; i < count; ++i) {
    t += apart_s * times.between(0.5, 1.5);
    result.first.push_back(process.at(t));
    result.second.push_back(process.at(t + lag_s));
    t += lag_s;
  }
  return result;
}

} // namespace

TEST_CASE("normal variates have mean 0, deviation 1 and the right tails") {
  seeded_random random{5};
  std::vector<double> values;
  int beyond_two = 0;
  for (int i = 0; i < 200'000; ++i) {
    values.push_back(random.normal());
    beyond_two += std::abs(values.back()) > 2 ? 1 : 0;
  }
  CHECK(std::abs(mean(values)) < 0.01);
  CHECK(deviation(values) == doctest::Approx(1).epsilon(0.01));
  CHECK(beyond_two / 200'000.0 == doctest::Approx(0.0455).epsilon(0.03));
}

TEST_CASE("a stationary process forgets exponentially at any distance") {
  for (const double lag_s : {3.0, 30.0, 300.0, 700.0}) {
    CAPTURE(lag_s);
    const auto p = pairs_of(
      normal_process{normal_process::law::stationary, 300, 7}, lag_s, 2000);
    CHECK(std::abs(mean(p.first)) < 0.03);
    CHECK(deviation(p.first) == doctest::Approx(1).epsilon(0.02));
    CHECK(deviation(p.second) == doctest::Approx(1).epsilon(0.02));
    CHECK(std::abs(correlation(p.first, p.second) - std::exp(-lag_s / 300))
          < 0.02);
  }
}

TEST_CASE("a process is continuous: in a moment it moves by a little") {
  const auto p = pairs_of(
    normal_process{normal_process::law::stationary, 300, 8}, 0.03, 100);
  double square = 0;
  for (std::size_t i = 0; i < p.first.size(); ++i)
    square += std::pow(p.first[i] - p.second[i], 2);
  // 2 (1 − exp(−t / 300))
  CHECK(square / many == doctest::Approx(2 * 0.03 / 300).epsilon(0.05));
}

TEST_CASE("a walk spreads with the root of time, however often it is seen") {
  for (const double end_s : {5.0, 1000.0, 3000.0}) {
    CAPTURE(end_s);
    std::vector<double> ends;
    for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
      normal_process walk{normal_process::law::walk, 1000, seed};
      if (seed % 2 == 0)
        for (int i = 0; i < 7; ++i)
          walk.at(end_s * i / 7);
      ends.push_back(walk.at(end_s));
    }
    CHECK(std::abs(mean(ends)) < 0.06 * std::sqrt(end_s / 1000));
    CHECK(deviation(ends)
          == doctest::Approx(std::sqrt(end_s / 1000)).epsilon(0.04));
  }
}

TEST_CASE("two who look at a process at different times see the same one") {
  normal_process a{normal_process::law::stationary, 80, 3};
  normal_process b{normal_process::law::stationary, 80, 3};
  for (int i = 0; i < 580; ++i)
    a.at(0.5 + 1.7 * i);
  b.at(500.1);
  CHECK(a.at(1000) == b.at(1000));
}

TEST_CASE("a self-similar process remembers for hours and forgets in seconds") {
  const auto self_similar = [] {
    return memory_process{memory_law::self_similar, 0, 4};
  };
  for (const double lag_s : {20.0, 2000.0}) {
    double expected = 0;
    for (const double time_s : {20, 80, 320, 1280, 5120, 20480})
      expected += std::exp(-lag_s / time_s) / 6;
    const auto p = pairs_of(self_similar(), lag_s, 1e4, 6000);
    CHECK(deviation(p.first) == doctest::Approx(1).epsilon(0.03));
    CHECK(std::abs(correlation(p.first, p.second) - expected) < 0.04);
  }
}

} // namespace concert::actors::testing
