#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace concert::ntp {

/// What was seen in a span of time of a clock that somebody else steers.
/// Offsets are disciplined − system time: positive = that clock is slow. Means
/// weigh each value with the time for which it held.
struct watched_span {
  std::chrono::seconds since{}; ///< Unix time by that clock
  double watched_s = 0;         ///< time of which the rest tells
  std::uint64_t looks = 0;
  double mean_s = 0;
  double rms_s = 0;
  double largest_s = 0;                ///< of |offset|
  double uncertainty_s = 0;            ///< of these offsets: one deviation, RMS
  double max_error_s = 0;              ///< hard bound of the same, mean
  std::uint64_t steps = 0;             ///< of the clock, by whoever steers it
  double stepped_s = 0;                ///< sum of their sizes
  std::uint64_t frequency_changes = 0; ///< by whoever steers it
  double lowest_frequency = 0;         ///< correction in force, ratio
  double highest_frequency = 0;
  /// Steps that we would have made, and the sum of their sizes.
  std::uint64_t own_steps = 0;
  double own_stepped_s = 0;
};

/// Hour by hour, the oldest first, without hours in which nothing was seen.
struct shadow_snapshot {
  std::vector<watched_span> hours;
  watched_span total; ///< of these hours
};

} // namespace concert::ntp
