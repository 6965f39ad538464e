#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace concert::ntp {

/// Largest step allowed in each direction, s; infinity is no limit.
struct step_threshold {
  double forward_s = std::numeric_limits<double>::infinity();
  double backward_s = std::numeric_limits<double>::infinity();
  bool operator==(const step_threshold&) const = default;
};

struct steering_config {
  /// How many sources must agree; unset = a majority of the configured ones,
  /// at most 3.
  std::optional<std::uint32_t> minimum_agreeing_sources;
  step_threshold single_step_panic_threshold{1000, 1000};
  step_threshold startup_step_panic_threshold{
    std::numeric_limits<double>::infinity(), 86400};
  /// Sum of |steps| after the start that is still allowed, s.
  std::optional<double> accumulated_step_panic_threshold_s;
  double startup_step_s = 0.010; ///< first correction: step if above
  double step_s = 0.5;           ///< later: step if above
  double max_slew = 1000e-6;     ///< ratio
  double max_error_s = 1.0;      ///< `[synchronization] max-error`
  std::uint8_t local_stratum = 16;
  std::uint32_t reference_id = 0x584e4f4e; ///< "XNON"
  bool exit_on_panic = false;              ///< `on-panic = "exit"`
  bool warn_on_jump = true;
  /// log2 s, measured resolution of the clock.
  std::int8_t precision = -20;
  /// Never step to before this Unix time (build date or saved time).
  std::chrono::nanoseconds not_before{};
  /// Does nothing to the clock; reports and serves only.
  bool read_only = false;
  /// `[synchronization.algorithm] initial-wander`-like start value, per √s.
  double initial_wander = 1e-8;
  /// Time in which an offset is slewed away, in intervals between samples; up
  /// to four times as long where that costs nothing, 128 s at most. Longer is
  /// quieter in frequency and later in time.
  double slew_polls = 0.25;
  /// Accuracy against load: how far wander may exceed what is not known anyway
  /// before sources are asked more often. Half of it asks about twice as often.
  double poll_tolerance = 2;
  /// So many sources at most are combined.
  std::uint8_t combine_limit = 8;
  bool operator==(const steering_config&) const = default;
};

} // namespace concert::ntp
