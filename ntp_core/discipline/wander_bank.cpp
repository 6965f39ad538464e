#include "ntp_core/discipline/wander_bank.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

constexpr double lowest_wander = 1e-10; ///< per √s
/// What the jump level wanders besides.
constexpr double jump_wander = 1e-9;
/// A level may change by one in about 64 s / 0.01. Scaling with the time
/// between samples saves 15 % of the error at polls of 1 s.
constexpr double change_time_s = 64;
constexpr double change_share = 0.01;
constexpr double far_change_share = 1e-4; ///< to any level at all
constexpr double jump_stays = 1e-9;
constexpr double jump_share = 1e-4;
constexpr double least_log_weight = -40;
constexpr double negligible_weight = 1e-12;
/// The uppermost level also finds a clock that is 5 % wrong. That is rare: at
/// even odds the noise of the first samples would look like such a clock.
constexpr double wildest_frequency = 2e-2;
constexpr double wildest_share = 0.02;

double square(double v) {
  return v * v;
}

} // namespace

double wander_bank::wander_of(std::size_t level) {
  return level == jump_level
           ? jump_wander
           : lowest_wander * std::pow(10, 0.5 * static_cast<double>(level));
}

wander_bank::wander_bank(const oscillator_prior& prior) {
  states_.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    states_.emplace_back(
      prior.frequency,
      square(i == levels - 1 ? wildest_frequency : prior.deviation));
  mixed_ = states_;
  log_weights_.fill(0);
  log_weights_[levels - 1] = std::log(wildest_share);
  log_weights_[jump_level] = least_log_weight;
  normalize();
}

void wander_bank::favour(double wander) {
  const double level = 2 * std::log10(std::max(wander, 1e-12) / lowest_wander);
  for (std::size_t i = 0; i < levels; ++i)
    log_weights_[i] = -std::abs(static_cast<double>(i) - level);
  log_weights_[jump_level] = least_log_weight;
  normalize();
}

double wander_bank::transition(std::size_t from, std::size_t to, double scale,
                               double jump) const {
  if (from == jump_level)
    return to == jump_level ? jump_stays : (1 - jump_stays) / levels;
  if (to == jump_level)
    return jump;
  const double change = change_share * scale;
  const double far = far_change_share * scale;
  if (from == to)
    return 1 - change - jump;
  const int neighbours = (from > 0 ? 1 : 0) + (from + 1 < levels ? 1 : 0);
  const bool near = from + 1 == to || to + 1 == from;
  return far / (levels - 1) + (near ? (change - far) / neighbours : 0);
}

void wander_bank::advance(double dt, double delay_drift, double jump) {
  const double scale = std::min(1.0, dt / change_time_s);
  const double jump_probability = jump > 0 ? jump_share : 0;
  if (mixed_.front().size() != states_.front().size())
    mixed_ = states_;
  for (std::size_t to = 0; to < count; ++to) {
    std::array<double, count> w{};
    double sum = 0;
    for (std::size_t from = 0; from < count; ++from) {
      w[from] = weights_[from] * transition(from, to, scale, jump_probability);
      sum += w[from];
    }
    auto& s = mixed_[to];
    s.clear();
    // What is left out below is missing in the sum as well.
    double kept = 0;
    for (auto& v : w) {
      v = v < negligible_weight * sum ? 0 : v;
      kept += v;
    }
    for (std::size_t from = 0; from < count; ++from)
      if (w[from] > 0)
        s.add_mean(states_[from], w[from] / kept);
    for (std::size_t from = 0; from < count; ++from)
      if (w[from] > 0)
        s.add_spread(states_[from], w[from] / kept);
    log_weights_[to] = std::log(std::max(sum, 1e-300));
  }
  states_.swap(mixed_);
  for (std::size_t i = 0; i < count; ++i)
    states_[i].predict(dt, square(wander_of(i)), delay_drift,
                       i == jump_level ? jump : 0);
  normalize();
}

double wander_bank::update(std::size_t path, double span_s, double forward,
                           double backward, const noise_law& forward_law,
                           const noise_law& backward_law) {
  for (std::size_t i = 0; i < count; ++i) {
    auto& s = states_[i];
    log_weights_[i]
      += s.update(path, direction::forward, span_s, forward, forward_law);
    log_weights_[i]
      += s.update(path, direction::backward, span_s, backward, backward_law);
  }
  heal();
  double top = *std::max_element(log_weights_.begin(), log_weights_.end());
  double sum = 0;
  for (const double w : log_weights_)
    sum += std::exp(w - top);
  top += std::log(sum);
  for (double& w : log_weights_)
    w = std::max(w - top, least_log_weight);
  normalize();
  return top;
}

/// A belief that has left the realm of numbers takes over the best of the
/// others.
void wander_bank::heal() {
  std::array<bool, count> sound{};
  std::size_t best = count;
  for (std::size_t i = 0; i < count; ++i) {
    sound[i] = std::isfinite(log_weights_[i]) && states_[i].is_sound();
    if (sound[i] && (best == count || log_weights_[i] > log_weights_[best]))
      best = i;
  }
  if (best == count)
    return; // nothing to take over; no input was found that makes this
  for (std::size_t i = 0; i < count; ++i) {
    if (sound[i])
      continue;
    states_[i] = states_[best];
    log_weights_[i] = log_weights_[best] + least_log_weight;
  }
}

void wander_bank::normalize() {
  const double top
    = *std::max_element(log_weights_.begin(), log_weights_.end());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    weights_[i] = std::exp(log_weights_[i] - top);
    sum += weights_[i];
  }
  for (auto& w : weights_)
    w /= sum;
}

double wander_bank::wander_variance() const {
  double q = 0;
  for (std::size_t i = 0; i < count; ++i)
    q += weights_[i] * square(wander_of(i));
  return q;
}

double wander_bank::mean(std::size_t i) const {
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k)
    sum += weights_[k] * states_[k].mean(i);
  return sum;
}

double wander_bank::variance(std::size_t i) const {
  const double centre = mean(i);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k)
    sum
      += weights_[k]
         * (states_[k].covariance(i, i) + square(states_[k].mean(i) - centre));
  return sum;
}

double wander_bank::seen_variance(std::size_t path, double dt) const {
  constexpr auto f = clock_state::frequency;
  constexpr auto o = clock_state::offset;
  const auto a = clock_state::asymmetry(path);
  const double centre = mean(o) + mean(a) + dt * mean(f);
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const auto& s = states_[k];
    const double at = s.mean(o) + s.mean(a) + dt * s.mean(f);
    sum += weights_[k]
           * (s.seen_variance(path)
              + 2 * dt * (s.covariance(f, o) + s.covariance(f, a))
              + dt * dt * s.covariance(f, f)
              + square(wander_of(k)) * dt * dt * dt / 3 + square(at - centre));
  }
  return sum;
}

} // namespace concert::ntp
