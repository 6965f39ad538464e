#pragma once

#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <cstdint>

namespace concert::ntp {

/// One accepted exchange with a server: four stamps and what the server says of
/// its own time. Nothing is derived yet; the discipline forms offset and delay
/// on the raw scale.
struct measurement {
  local_stamp t1;   ///< request left
  ntp_timestamp t2; ///< request arrived there
  ntp_timestamp t3; ///< reply left there
  local_stamp t4;   ///< reply arrived
  /// When t4 was handled; tells samples of before a step from later ones.
  mono_time received_at;

  leap_indicator leap = leap_indicator::none;
  std::uint8_t stratum = 0;       ///< 1..15
  std::uint32_t reference_id = 0; ///< host order
  std::int8_t precision = 0;      ///< log2 s
  ntp_duration root_delay;        ///< ≥ 0
  ntp_duration root_dispersion;   ///< ≥ 0

  /// Offset = remote − local by the wall stamps (RFC 5905 §8); positive means
  /// that we are slow.
  ntp_duration offset() const {
    return ntp_duration::from_units(((t2 - t1.wall).units() / 2)
                                    + ((t3 - t4.wall).units() / 2));
  }

  /// Round trip less the time spent at the server; negative values are real
  /// (stamp noise) and left to the user.
  ntp_duration delay() const { return (t4.raw - t1.raw) - (t3 - t2); }
};

} // namespace concert::ntp
