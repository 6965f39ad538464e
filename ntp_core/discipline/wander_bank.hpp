#pragma once

#include "ntp_core/discipline/clock_state.hpp"
#include "ntp_core/discipline/oscillator_prior.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace concert::ntp {

/// Interacting beliefs that differ in how much the oscillator wanders
/// (algorithm.md §4.4): nine levels from 1e-10 to 1e-6 per √s, two a decade,
/// and one that takes the offset to have jumped. The evidence weighs them; a
/// level that is out of favour takes over what the favoured ones know, so that
/// it is ready when the temperature changes.
class wander_bank {
  static constexpr std::size_t levels = 9;
  static constexpr std::size_t jump_level = levels;
  static constexpr std::size_t count = levels + 1;

public:
  explicit wander_bank(const oscillator_prior& prior);

  /// Takes this wander (per √s) for the likely one.
  void favour(double wander);

  /// Calls `f(state, level)` for all beliefs.
  template <class F>
  void for_each(F&& f) {
    for (std::size_t i = 0; i < count; ++i)
      f(states_[i], i);
  }

  /// Mixes and predicts. `jump` > 0 lets the jump level in, with this
  /// variance, s².
  void advance(double dt, double delay_drift, double jump);

  /// Takes one exchange; returns the log evidence.
  double update(std::size_t path, double span_s, double forward,
                double backward, const noise_law& forward_law,
                const noise_law& backward_law);

  /// Weight of each belief; their sum is 1.
  const std::array<double, count>& weights() const { return weights_; }
  const clock_state& state(std::size_t i) const { return states_[i]; }
  static double wander_of(std::size_t level);
  std::size_t size() const { return count; }
  /// Mean square of the wander, 1/s.
  double wander_variance() const;
  /// Weighted mean of all beliefs.
  double mean(std::size_t i) const;
  /// Variance of one unknown, with the spread of the beliefs.
  double variance(std::size_t i) const;
  /// Variance of o + a of a path after `dt` seconds more.
  double seen_variance(std::size_t path, double dt) const;

private:
  double transition(std::size_t from, std::size_t to, double scale,
                    double jump_share) const;
  void normalize();
  void heal();

  std::vector<clock_state> states_;
  std::vector<clock_state> mixed_; ///< room for the next mixture
  std::array<double, count> log_weights_{};
  std::array<double, count> weights_{};
};

} // namespace concert::ntp
