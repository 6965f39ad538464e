#include "ntp_core/discipline/one_sided.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace concert::ntp::testing {

namespace {

double square(double v) {
  return v * v;
}

double normal_density(double d, double variance) {
  return std::exp(-0.5 * d * d / variance)
         / std::sqrt(2 * std::numbers::pi * variance);
}

/// Density of the queueing alone, in shares and lengths of its parts, and the
/// share of what has nothing to do with the state, as the header describes it.
double density(double e, const noise_law& law) {
  if (law.shape == noise_shape::gaussian) {
    const double narrow = square(law.scale_s) + law.stamp_variance;
    return 0.95 * normal_density(e, narrow)
           + 0.05 * normal_density(e, 25 * narrow);
  }
  if (e < 0)
    return 0;
  double sum = 0;
  constexpr std::array<double, 3> share{0.89, 0.10, 0.01};
  constexpr std::array<double, 3> length{1, 8, 64};
  for (std::size_t i = 0; i < share.size(); ++i) {
    const double tau = length[i] * law.scale_s;
    sum += share[i] / tau * std::exp(-e / tau);
  }
  return sum;
}

/// The same moments by summing over u.
matched_moments integrated(double mean, double variance, double y,
                           const noise_law& law) {
  const double deviation = std::sqrt(variance);
  const double outlier = 1e-3 / (0.1 + 10 * std::abs(y - mean));
  // The wall lies at u = y: cells end there, on both sides.
  const double low = mean - 12 * deviation;
  const double high = mean + 12 * deviation;
  std::array<double, 3> sum{};
  const auto add = [&](double from, double to) {
    constexpr int cells = 20'000;
    const double width = (to - from) / cells;
    for (int i = 0; i < cells; ++i) {
      const double u = from + (i + 0.5) * width;
      const double p = normal_density(u - mean, variance)
                       * (density(y - u, law) + outlier) * width;
      sum[0] += p;
      sum[1] += p * (u - mean);
      sum[2] += p * square(u - mean);
    }
  };
  const double wall = std::fmin(std::fmax(y, low), high);
  if (wall > low)
    add(low, wall);
  if (wall < high)
    add(wall, high);
  const double centre = sum[1] / sum[0];
  return {mean + centre, sum[2] / sum[0] - square(centre), std::log(sum[0])};
}

constexpr std::array shapes{noise_shape::one_sided, noise_shape::softened,
                            noise_shape::gaussian};

void check_sane(const matched_moments& m, double variance) {
  CHECK(std::isfinite(m.mean));
  CHECK(std::isfinite(m.variance));
  CHECK(m.variance > 0);
  CHECK(std::isfinite(m.log_evidence));
  CHECK(m.variance < std::numeric_limits<double>::max() * variance);
}

} // namespace

TEST_CASE("the moments after a measurement are those of the exact posterior") {
  for (const auto shape : shapes)
    for (const double scale : {1e-5, 1e-3})
      for (const double deviation : {0.05, 0.3, 1.0, 4.0})
        for (const double d : {-3.0, -0.5, 0.0, 0.7, 5.0})
          for (const double mean : {0.0, -0.2}) {
            // What the shape blurs the wall by is part of the variance given.
            const double variance = square(deviation * scale);
            const double y = mean + d * scale;
            const noise_law law{shape, scale, 0};
            CAPTURE(static_cast<int>(shape));
            CAPTURE(scale);
            CAPTURE(deviation);
            CAPTURE(d);
            // Beyond ten deviations the sum above is too coarse.
            if (d < -10 * deviation)
              continue;
            const auto m = match_moments(mean, variance, y, law);
            const auto exact = integrated(mean, variance, y, law);
            const double unit = std::sqrt(exact.variance);
            CHECK(std::abs(m.mean - exact.mean) < 2e-3 * unit);
            CHECK(m.variance == doctest::Approx(exact.variance).epsilon(5e-3));
            CHECK(std::abs(m.log_evidence - exact.log_evidence) < 2e-3);
          }
}

TEST_CASE("a measurement far below the wall says nothing about the state") {
  // No queueing is negative: what is left is an outlier.
  for (const auto shape : {noise_shape::one_sided, noise_shape::softened}) {
    const auto m = match_moments(0, 1e-12, -1e-3, {shape, 1e-5, 0});
    CHECK(m.mean == doctest::Approx(0).epsilon(1e-9));
    CHECK(m.variance == doctest::Approx(1e-12));
  }
}

TEST_CASE("no measurement of a usual size makes moments that are no numbers") {
  for (const auto shape : shapes)
    for (const double scale : {1e-9, 1e-5, 1.0})
      for (const double ratio : {1e-16, 1e-8, 1.0, 1e8, 1e16})
        for (const double d :
             {-1e3, -40.0, -12.0, -1e-9, 0.0, 1e-9, 12.0, 40.0, 1e3}) {
          const double variance = ratio * square(scale);
          CAPTURE(static_cast<int>(shape));
          CAPTURE(scale);
          CAPTURE(ratio);
          CAPTURE(d);
          check_sane(match_moments(0.5, variance, 0.5 + d * std::sqrt(variance),
                                   {shape, scale, 0}),
                     variance);
          check_sane(match_moments(-1e9, variance, 1e9, {shape, scale, 1e-14}),
                     variance);
        }
}

TEST_CASE("the closed forms meet where one takes over from the other") {
  // In deviations: where the pull of the wall changes sign, and where the
  // series for far walls begins.
  for (const double edge : {0.0, -12.0}) {
    const double scale = 1e-4;
    const double deviation = 0.5e-4;
    // distance / deviation − deviation / scale = edge
    const double d = (edge + deviation / scale) * deviation;
    const noise_law law{noise_shape::one_sided, scale, 0};
    const auto variance = square(deviation);
    const auto below = match_moments(0, variance, d - 1e-9 * deviation, law);
    const auto above = match_moments(0, variance, d + 1e-9 * deviation, law);
    CAPTURE(edge);
    CHECK(std::abs(below.mean - above.mean) < 1e-4 * deviation);
    CHECK(below.variance == doctest::Approx(above.variance).epsilon(1e-3));
    CHECK(std::abs(below.log_evidence - above.log_evidence) < 1e-3);
  }
}

TEST_CASE("the far series agrees with the exact form beside it") {
  // A narrow scale, so that each part has its wall this far away and outliers
  // do not take over.
  const double deviation = 1;
  for (const double edge : {-11.999, -12.001}) {
    const double scale = deviation / (-edge + 0.5);
    const auto m = match_moments(0, 1, 0.5, {noise_shape::one_sided, scale, 0});
    const auto exact
      = integrated(0, 1, 0.5, {noise_shape::one_sided, scale, 0});
    CHECK(std::abs(m.mean - exact.mean) < 2e-3 * std::sqrt(exact.variance));
    CHECK(m.variance == doctest::Approx(exact.variance).epsilon(1e-2));
    CHECK(std::abs(m.log_evidence - exact.log_evidence) < 2e-3);
  }
}

TEST_CASE("late packets say less than early ones, and pull one way only") {
  const noise_law law{noise_shape::one_sided, 1e-3, 0};
  const double variance = square(0.5e-3);
  const auto early = match_moments(0, variance, -0.2e-3, law);
  const auto late = match_moments(0, variance, 20e-3, law);
  CHECK(early.mean < 0);
  CHECK(early.variance < 0.5 * variance);
  // A late one says that u is anywhere below it: nothing new.
  CHECK(std::abs(late.mean) < 0.2 * std::sqrt(variance));
  CHECK(late.variance > 0.9 * variance);
}

TEST_CASE("only the softened shape and the stamps blur the wall") {
  CHECK(blur_variance({noise_shape::one_sided, 1e-3, 1e-14})
        == doctest::Approx(1e-14));
  CHECK(blur_variance({noise_shape::softened, 1e-3, 1e-14}) > 1e-8);
  CHECK(blur_variance({noise_shape::gaussian, 1e-3, 1e-14}) == 0);
}

} // namespace concert::ntp::testing
