#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/time/stamp.hpp"

namespace concert::ntp {

/// What the filter of one source knew, for a run that follows in the same
/// boot: the oscillator goes on meanwhile, whatever becomes of the wall clock.
struct path_memory {
  clock_estimate clock; ///< of all sources together, without the correction
                        ///< configured for this one
  double base_delay_s = 0;
  double mean_excess_s = 0;
  /// What the path was found to add to the offset that it shows, s.
  double asymmetry_s = 0;
  stamp_kind sent = stamp_kind::kernel; ///< who took our stamps on it
  stamp_kind received = stamp_kind::kernel;
  bool operator==(const path_memory&) const = default;
};

} // namespace concert::ntp
