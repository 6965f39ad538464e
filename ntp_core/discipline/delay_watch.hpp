#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace concert::ntp {

/// What the round trips of one path say by themselves, without any clock: how
/// they spread at the start, how much one resembles the next, and their recent
/// minimum (algorithm.md §4.5–4.6, algorithm-offmodel.md §3).
class delay_watch {
public:
  /// Samples of the start, whose spread gives the first noise scale.
  static constexpr std::uint64_t starting = 8;

  /// Takes one round trip, s, > 0.
  void add(double delay_s);

  std::uint64_t samples() const { return samples_; }
  /// Smallest round trip of the start, s.
  double first_minimum_s() const { return first_minimum_; }
  /// Likely mean of the one-way queueing, from the start, s.
  double first_scale_s() const;
  /// Deviation of the round trips of the start, s.
  double first_deviation_s() const;

  /// Deviation of the recent round trips, without their outliers, s; infinite
  /// at the start.
  double spread_s() const;
  /// Correlation of one excess with the next, 0 to 0.97: the least of the last
  /// eight values, so that a single excursion does not count.
  double correlation() const;
  /// The least of the last 60 values; 0 before there are so many. High only
  /// where the base itself moves.
  double lasting_correlation() const;

  /// The last `count` (1 to `longest`) round trips, s.
  struct range {
    double low_s = 0;
    double high_s = 0;
  };
  /// Nothing while there are fewer since the last change.
  std::optional<range> recent(std::size_t count) const;
  static constexpr std::size_t longest = 60;

  /// The path has changed `samples_ago` (≤ 7) samples ago: the statistics go
  /// on from what they were before.
  void path_changed(std::size_t samples_ago);

private:
  struct moments {
    double variance = 0;
    double covariance = 0; ///< with the round trip before
  };

  double correlation_now() const;

  std::uint64_t samples_ = 0;
  double first_sum_ = 0;
  double first_squares_ = 0; ///< about the first round trip
  double first_ = 0;
  double first_minimum_ = 0;

  double mean_ = 0;
  double before_ = 0; ///< deviation of the round trip before
  moments now_;
  std::array<moments, 8> earlier_{}; ///< ring
  std::array<double, longest> correlations_{};
  std::array<double, longest> delays_{};
  std::size_t kept_ = 0; ///< of `delays_`
};

} // namespace concert::ntp
