#pragma once

#include "ntp_core/time/time.hpp"

namespace concert::ntp {

/// What is believed of remote − raw: a line with its uncertainty. The coarse
/// part is an integer, so that the doubles only hold small differences.
struct clock_estimate {
  raw_time at;         ///< where the values hold
  ntp_duration origin; ///< coarse part of remote − raw
  double offset_s = 0; ///< remote − raw − origin
  /// Rate of remote − raw (ratio): the correction that makes the clock right.
  double frequency = 0;
  double variance_s2 = 0;        ///< of `offset_s`
  double covariance_s = 0;       ///< of `offset_s` with `frequency`
  double frequency_variance = 0; ///< of `frequency`
  double wander = 0;             ///< random walk of `frequency`, per √s

  /// The same belief at another instant (algorithm.md §4.2); its uncertainty
  /// grows. Instants before `at` leave the uncertainty as it is.
  clock_estimate predicted(raw_time when) const;

  /// remote − wall at `at`, s, where the wall clock stands `wall_minus_raw`
  /// above the oscillator.
  double offset_against(ntp_duration wall_minus_raw) const {
    return (origin - wall_minus_raw).seconds() + offset_s;
  }

  /// The true difference jumped by `by`: the belief moves with it.
  void shift(ntp_duration by) { origin += by; }

  /// Adds doubt; s² and ratio².
  void inflate(double offset_variance_s2, double extra_frequency_variance) {
    variance_s2 += offset_variance_s2;
    frequency_variance += extra_frequency_variance;
  }

  bool operator==(const clock_estimate&) const = default;
};

} // namespace concert::ntp
