#include "ntp_core/discipline/one_sided.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace concert::ntp {

namespace {

// The queueing of a packet is exponential in most cases, eight times as long in
// one of ten and 64 times in one of a hundred. Without the long parts heavy
// tails cost 1.5 times the error; their exact shares do not matter
// (docs/algorithm.md, "constants").
constexpr std::array<double, 3> part_share{0.89, 0.10, 0.01};
constexpr std::array<double, 3> part_length{1, 8, 64};

constexpr double wide_share = 0.05; ///< of the Gaussian shape
constexpr double wide_ratio = 25;   ///< its variance against the narrow part

/// Blur of the wall of the softened shape, in units of the scale.
constexpr double softness = 0.4;

/// Density of measurements that have nothing to do with the state. It falls
/// with the distance: were it constant, a step of 100 s would look like a row
/// of such measurements for six polls.
constexpr double outlier_share = 1e-3;
constexpr double outlier_width_s = 0.1;
constexpr double outlier_growth = 10;

double square(double v) {
  return v * v;
}

/// exp(x²) erfc(x) for x ≥ 0.
double scaled_erfc(double x) {
  if (x < 12)
    return std::exp(x * x) * std::erfc(x);
  const double y = 1 / (x * x);
  return std::numbers::inv_sqrtpi / x
         * (1 - 0.5 * y * (1 - 1.5 * y * (1 - 2.5 * y)));
}

/// A standard normal variate known to lie below `limit`: how far its mean lies
/// below zero, and its variance.
struct truncated {
  double shift;
  double variance;
};

truncated below(double limit) {
  constexpr double far = -12; // beyond it the differences cancel: series
  const double pull = -limit * std::numbers::sqrt2 / 2;
  truncated t{};
  if (limit < far) {
    const double i = 1 / (limit * limit);
    t.shift = -limit * (1 + i * (1 - i * (2 - 10 * i)));
    t.variance = i * (1 - i * (6 - 50 * i));
  } else if (limit > 0) {
    t.shift = std::exp(-0.5 * limit * limit) * std::numbers::inv_sqrtpi
              / std::numbers::sqrt2 / (0.5 * std::erfc(pull));
    t.variance = 1 - t.shift * (t.shift + limit);
  } else {
    t.shift = std::sqrt(2 * std::numbers::inv_pi) / scaled_erfc(pull);
    t.variance = 1 - t.shift * (t.shift + limit);
  }
  t.variance = std::clamp(t.variance, 1e-9, 1.0);
  return t;
}

/// A weighted sum of explanations, each with its own moments.
class mixture {
public:
  void add(double log_weight, double mean, double variance) {
    log_weight_[size_] = log_weight;
    mean_[size_] = mean;
    variance_[size_] = variance;
    ++size_;
  }

  matched_moments result() const {
    const double top
      = *std::max_element(log_weight_.begin(), log_weight_.begin() + size_);
    std::array<double, most> weight{};
    double sum = 0;
    double mean = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      weight[i] = std::exp(log_weight_[i] - top);
      sum += weight[i];
      mean += weight[i] * mean_[i];
    }
    mean /= sum;
    double variance = 0;
    for (std::size_t i = 0; i < size_; ++i)
      variance += weight[i] * (variance_[i] + square(mean_[i] - mean));
    return {mean, variance / sum, top + std::log(sum)};
  }

private:
  static constexpr std::size_t most = 4;
  std::array<double, most> log_weight_{};
  std::array<double, most> mean_{};
  std::array<double, most> variance_{};
  std::size_t size_ = 0;
};

/// e ~ `share` of an exponential variate of mean `tau`.
void add_exponential(mixture& all, double mean, double variance, double y,
                     double share, double tau) {
  const double d = y - mean;
  const double deviation = std::sqrt(variance);
  const double alpha = d / deviation - deviation / tau;
  const auto t = below(alpha);
  double matched = mean + variance / tau - deviation * t.shift;
  if (alpha < -12) {
    const double i = 1 / (alpha * alpha);
    matched = y + deviation / alpha * (1 - i * (2 - 10 * i));
  }
  const double pull = -alpha * std::numbers::sqrt2 / 2;
  // A wide prior makes variance / tau² huge: each branch leaves out what
  // would cancel there.
  const double fit
    = alpha <= 0 ? std::log(0.5 * scaled_erfc(pull)) - 0.5 * d * d / variance
                 : -d / tau + 0.5 * variance / (tau * tau)
                     + std::log(0.5 * std::erfc(pull));
  all.add(std::log(share / tau) + fit, matched, variance * t.variance);
}

void add_gaussian(mixture& all, double mean, double variance, double y,
                  double share, double noise) {
  const double d = y - mean;
  const double total = variance + noise;
  all.add(std::log(share) - 0.5 * std::log(2 * std::numbers::pi * total)
            - 0.5 * d * d / total,
          mean + variance / total * d, variance * noise / total);
}

} // namespace

double blur_variance(const noise_law& law) {
  switch (law.shape) {
    case noise_shape::one_sided:
      return law.stamp_variance;
    case noise_shape::softened:
      return law.stamp_variance + square(softness * law.scale_s);
    case noise_shape::gaussian:
      break;
  }
  return 0;
}

matched_moments match_moments(double mean, double variance, double y,
                              const noise_law& law) {
  mixture all;
  if (law.shape == noise_shape::gaussian) {
    const double noise = square(law.scale_s) + law.stamp_variance;
    add_gaussian(all, mean, variance, y, 1 - wide_share, noise);
    add_gaussian(all, mean, variance, y, wide_share, wide_ratio * noise);
  } else {
    for (std::size_t i = 0; i < part_share.size(); ++i)
      add_exponential(all, mean, variance, y, part_share[i],
                      part_length[i] * law.scale_s);
  }
  all.add(std::log(outlier_share
                   / (outlier_width_s + outlier_growth * std::abs(y - mean))),
          mean, variance);
  return all.result();
}

} // namespace concert::ntp
