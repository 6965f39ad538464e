#include "ntp_core/discipline/delay_watch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace concert::ntp {

namespace {

/// Statistics forget with 1/0.02 = 50 samples; faster ones see correlation
/// where there is none.
constexpr double slowest_gain = 0.02;
constexpr double clip_deviations = 3;
constexpr std::uint64_t unclipped = 8;
constexpr std::uint64_t uncorrelated = 12;
/// Chance makes this much correlation.
constexpr double dead_band = 0.15;
constexpr double highest = 0.97;
constexpr std::size_t short_memory = 8;

} // namespace

void delay_watch::add(double delay) {
  if (samples_ == 0) {
    first_ = delay;
    first_minimum_ = delay;
    mean_ = delay;
  }
  if (samples_ < starting) {
    first_sum_ += delay - first_;
    first_squares_ += (delay - first_) * (delay - first_);
    first_minimum_ = std::min(first_minimum_, delay);
  }
  ++samples_;

  const double gain
    = std::max(slowest_gain, 1 / (static_cast<double>(samples_) + 1));
  double d = delay - mean_;
  if (samples_ > unclipped) {
    const double limit = clip_deviations * std::sqrt(now_.variance);
    d = std::clamp(d, -limit, limit);
  }
  now_.covariance += gain * (d * before_ - now_.covariance);
  now_.variance += gain * (d * d - now_.variance);
  mean_ += gain * d;
  before_ = d;
  earlier_[samples_ % earlier_.size()] = now_;
  correlations_[samples_ % longest] = correlation_now();

  delays_[samples_ % longest] = delay;
  kept_ = std::min(kept_ + 1, longest);
}

double delay_watch::first_scale_s() const {
  const auto n = static_cast<double>(std::min(samples_, starting));
  if (n < 2)
    return std::max(1e-7, 0.08 * first_minimum_);
  // The minimum of n one-way sums lies above the base by a known share of the
  // mean, and a tenth of a sample of prior knowledge says 0.08 of the delay.
  const double excess = first_ + first_sum_ / n - first_minimum_;
  const double share
    = std::max(0.6, 2 - std::sqrt(std::numbers::pi / 2 / n) * 1.15);
  return std::max(1e-8, (excess * n + 0.016 * first_minimum_) / n / share);
}

double delay_watch::first_deviation_s() const {
  const auto n = static_cast<double>(std::min(samples_, starting));
  if (n < 2)
    return 0.08 * first_minimum_;
  const double squares
    = std::max(0.0, first_squares_ - first_sum_ * first_sum_ / n);
  const double prior = 0.1 * first_minimum_;
  return std::sqrt((squares + 0.2 * prior * prior) / (n - 0.8));
}

double delay_watch::spread_s() const {
  return samples_ <= starting ? std::numeric_limits<double>::infinity()
                              : std::sqrt(now_.variance);
}

double delay_watch::correlation_now() const {
  if (samples_ <= uncorrelated || now_.variance <= 0)
    return 0;
  const double r = now_.covariance / now_.variance;
  return std::clamp((r - dead_band) / (1 - dead_band), 0.0, highest);
}

double delay_watch::correlation() const {
  double least = highest;
  for (std::size_t i = 0; i < std::min<std::size_t>(short_memory, samples_);
       ++i)
    least = std::min(least, correlations_[(samples_ - i) % longest]);
  return samples_ == 0 ? 0 : least;
}

double delay_watch::lasting_correlation() const {
  if (samples_ < longest)
    return 0;
  return *std::min_element(correlations_.begin(), correlations_.end());
}

std::optional<delay_watch::range> delay_watch::recent(std::size_t count) const {
  if (kept_ < count)
    return std::nullopt;
  const double last = delays_[samples_ % longest];
  range r{last, last};
  for (std::size_t i = 1; i < count; ++i) {
    const double delay = delays_[(samples_ - i) % longest];
    r.low_s = std::min(r.low_s, delay);
    r.high_s = std::max(r.high_s, delay);
  }
  return r;
}

void delay_watch::path_changed(std::size_t samples_ago) {
  mean_ = delays_[samples_ % longest];
  before_ = 0;
  kept_ = 0;
  if (samples_ > samples_ago)
    now_ = earlier_[(samples_ - samples_ago) % earlier_.size()];
}

} // namespace concert::ntp
