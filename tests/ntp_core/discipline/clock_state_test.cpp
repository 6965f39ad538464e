#include "ntp_core/discipline/clock_state.hpp"

#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace concert::ntp::testing {

namespace {

constexpr auto f = clock_state::frequency;
constexpr auto o = clock_state::offset;

using matrix = std::vector<std::vector<double>>;

/// A Kalman filter as in the textbook: dense, with nothing left out.
struct plain_filter {
  std::vector<double> m;
  matrix p;

  explicit plain_filter(const clock_state& s) : m(s.size()), p(s.size()) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      m[i] = s.mean(i);
      for (std::size_t j = 0; j < s.size(); ++j)
        p[i].push_back(s.covariance(i, j));
    }
  }

  void predict(double dt, double wander, double drift, double jump) {
    const auto n = m.size();
    m[o] += dt * m[f];
    matrix ap = p; // A p, A being the identity with dt at (o, f)
    for (std::size_t j = 0; j < n; ++j)
      ap[o][j] += dt * p[f][j];
    p = ap;
    for (std::size_t i = 0; i < n; ++i)
      p[i][o] += dt * ap[i][f];
    p[f][f] += wander * dt;
    p[f][o] += wander * dt * dt / 2;
    p[o][f] += wander * dt * dt / 2;
    p[o][o] += wander * dt * dt * dt / 3 + jump;
    for (std::size_t i = 3; i < n; i += 2)
      p[i][i] += drift * dt;
  }

  void update(const std::vector<double>& h, double y, double noise) {
    const auto n = m.size();
    std::vector<double> g(n);
    double s = noise;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        g[i] += p[i][j] * h[j];
      s += h[i] * g[i];
      y -= h[i] * m[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
      m[i] += g[i] * y / s;
      for (std::size_t j = 0; j < n; ++j)
        p[i][j] -= g[i] * g[j] / s;
    }
  }
};

/// Largest difference of two beliefs, in deviations.
double difference(const clock_state& s, const plain_filter& k) {
  double worst = 0;
  const auto deviation
    = [&](std::size_t i) { return std::sqrt(std::max(k.p[i][i], 1e-26)); };
  for (std::size_t i = 0; i < s.size(); ++i) {
    worst = std::max(worst, std::abs(s.mean(i) - k.m[i]) / deviation(i));
    for (std::size_t j = 0; j < s.size(); ++j)
      worst = std::max(worst, std::abs(s.covariance(i, j) - k.p[i][j])
                                / deviation(i) / deviation(j));
  }
  return worst;
}

/// Whether no combination of unknowns has a negative variance, but for
/// rounding: Cholesky's decomposition of the correlations exists.
bool is_positive(const clock_state& s) {
  const auto n = s.size();
  matrix l(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double left = s.covariance(i, j)
                    / std::sqrt(s.covariance(i, i) * s.covariance(j, j));
      if (i == j)
        left += 1e-7;
      for (std::size_t k = 0; k < j; ++k)
        left -= l[i][k] * l[j][k];
      if (i == j && left <= 0)
        return false;
      l[i][j] = i == j ? std::sqrt(left) : left / l[j][j];
    }
  return true;
}

bool is_symmetric(const clock_state& s) {
  for (std::size_t i = 0; i < s.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (std::abs(s.covariance(i, j) - s.covariance(j, i))
          > 1e-9 * std::sqrt(s.covariance(i, i) * s.covariance(j, j)))
        return false;
  return true;
}

clock_state two_paths() {
  clock_state s{1e-5, 1e-10};
  s.add_path(0, 1e-8, 1e-3, 1e-8);
  s.add_path(1e-4, 4e-8, 2e-3, 2e-8);
  s.set_covariance(o, o, 1e-6);
  return s;
}

} // namespace

TEST_CASE("without shapes of noise the state is a plain Kalman filter's") {
  auto s = two_paths();
  plain_filter k{s};
  dice random{4};
  // All of the wide part and the outliers is far below the narrow part when a
  // measurement is much worse than what is known: what is left is linear.
  for (int i = 0; i < 200; ++i) {
    const double dt = random.uniform(1, 100);
    const double jump = i % 50 == 49 ? 1e-9 : 0;
    s.predict(dt, 1e-18, 1e-14, jump);
    k.predict(dt, 1e-18, 1e-14, jump);
    REQUIRE(difference(s, k) < 1e-9);

    std::vector<double> h(s.size());
    h[o] = random.uniform(-1, 1);
    h[f] = random.uniform(-1, 1);
    h[clock_state::asymmetry(0)] = random.uniform(-1, 1);
    h[clock_state::base(1)] = random.uniform(-1, 1);
    const double y = random.uniform(-1e-3, 1e-3);
    s.condition(h, y, 1e-9);
    k.update(h, y, 1e-9);
    REQUIRE(difference(s, k) < 1e-6);
  }
}

TEST_CASE("each way of an exchange sees offset, asymmetry, base and rate") {
  const double span = 0.01;
  for (const auto way : {direction::forward, direction::backward}) {
    auto s = two_paths();
    plain_filter k{s};
    std::vector<double> h(s.size());
    const double sign = way == direction::forward ? 1 : -1;
    h[o] = sign;
    h[clock_state::asymmetry(1)] = sign;
    h[clock_state::base(1)] = 1;
    h[f] = way == direction::forward ? -span : 0;
    double mean = 0;
    for (std::size_t i = 0; i < h.size(); ++i)
      mean += h[i] * s.mean(i);
    CHECK(s.expected(1, way, span) == doctest::Approx(mean));

    // A Gaussian law, and a measurement as expected: both parts agree on the
    // mean, and the gain is that of the two weighed.
    s.update(1, way, span, mean, {noise_shape::gaussian, 1e-3, 0});
    for (std::size_t i = 0; i < h.size(); ++i)
      CHECK(s.mean(i) == doctest::Approx(k.m[i]));
    k.update(h, mean, 1e-6);
    CHECK(s.covariance(o, o) >= k.p[o][o]);
    CHECK(s.covariance(o, o) < 1.05 * k.p[o][o]);
  }
}

TEST_CASE("what is seen of a path is its offset with its asymmetry") {
  auto s = two_paths();
  s.set_covariance(o, clock_state::asymmetry(0), -0.5e-8);
  CHECK(s.seen_variance(0) == doctest::Approx(1e-6 + 1e-8 - 1e-8));
  CHECK(s.seen_variance(1) == doctest::Approx(1e-6 + 4e-8));
}

TEST_CASE("the covariance stays sound over 100,000 updates of all kinds") {
  auto s = two_paths();
  dice random{8};
  bool symmetric = true;
  bool positive = true;
  for (int i = 0; i < 50'000; ++i) {
    s.predict(random.uniform(0, 64), 1e-18, 1e-14,
              random.uniform() < 1e-3 ? 1e-6 : 0);
    const std::size_t path = random.uniform() < 0.5 ? 0 : 1;
    const noise_law law{
      static_cast<noise_shape>(static_cast<int>(random.uniform(0, 3))),
      std::pow(10, random.uniform(-6, -3)), 1e-14};
    for (const auto way : {direction::forward, direction::backward}) {
      const double y
        = s.expected(path, way, 2e-3)
          + random.normal() * 1e-4 * (random.uniform() < 0.01 ? 100 : 1);
      s.update(path, way, 2e-3, y, law);
    }
    if (i % 100 == 0) {
      symmetric = symmetric && is_symmetric(s);
      positive = positive && is_positive(s);
    }
  }
  CHECK(symmetric);
  CHECK(positive);
  CHECK(s.is_sound());
}

TEST_CASE("paths come with nothing in common with the rest, and leave none") {
  auto s = two_paths();
  s.set_covariance(o, clock_state::asymmetry(1), 2e-8);
  s.add_path(5e-4, 9e-8, 3e-3, 3e-8);
  CHECK(s.size() == 8);
  CHECK(s.mean(clock_state::asymmetry(2)) == 5e-4);
  CHECK(s.mean(clock_state::base(2)) == 3e-3);
  CHECK(s.covariance(clock_state::asymmetry(2), clock_state::asymmetry(2))
        == 9e-8);
  CHECK(s.covariance(o, clock_state::asymmetry(2)) == 0);
  CHECK(s.covariance(o, clock_state::asymmetry(1)) == 2e-8);

  s.remove_path(0);
  CHECK(s.size() == 6);
  CHECK(s.mean(clock_state::asymmetry(0)) == 1e-4);
  CHECK(s.covariance(o, clock_state::asymmetry(0)) == 2e-8);
  CHECK(s.covariance(o, o) == 1e-6);
  CHECK(s.mean(clock_state::base(1)) == 3e-3);
}

TEST_CASE("an unknown that is replaced forgets all that it was tied to") {
  auto s = two_paths();
  const auto b = clock_state::base(0);
  s.set_covariance(o, b, 1e-9);
  s.replace(b, 7e-3, 5e-9);
  CHECK(s.mean(b) == 7e-3);
  CHECK(s.covariance(b, b) == 5e-9);
  for (std::size_t i = 0; i < s.size(); ++i)
    if (i != b)
      CHECK(s.covariance(i, b) == 0);
}

TEST_CASE("a mixture has the mean of its parts, and their spread as variance") {
  const auto one = two_paths();
  auto two = one;
  two.mean(o) = 3e-3;
  auto mixed = one;
  mixed.clear();
  mixed.add_mean(one, 0.75);
  mixed.add_mean(two, 0.25);
  mixed.add_spread(one, 0.75);
  mixed.add_spread(two, 0.25);
  CHECK(mixed.mean(o) == doctest::Approx(0.75e-3));
  CHECK(mixed.covariance(o, o)
        == doctest::Approx(1e-6 + 0.75 * 0.25 * 3e-3 * 3e-3));
  CHECK(mixed.covariance(f, f) == doctest::Approx(1e-10));
}

TEST_CASE("a state with something that is no number is not sound") {
  auto s = two_paths();
  CHECK(s.is_sound());
  auto lost = s;
  lost.mean(clock_state::base(0)) = std::nan("");
  CHECK_FALSE(lost.is_sound());
  lost = s;
  lost.set_covariance(f, o, INFINITY);
  CHECK_FALSE(lost.is_sound());
}

} // namespace concert::ntp::testing
