#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"

namespace concert::ntp {

/// What the filter of one source knew, for a run that follows in the same
/// boot: the oscillator goes on meanwhile, whatever becomes of the wall clock.
struct path_memory {
  clock_estimate clock; ///< without the configured correction
  double base_delay_s = 0;
  double mean_excess_s = 0;
  bool operator==(const path_memory&) const = default;
};

} // namespace concert::ntp
