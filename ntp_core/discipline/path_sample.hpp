#pragma once

#include "ntp_core/association/measurement.hpp"
#include "ntp_core/time/time.hpp"

namespace concert::ntp {

/// One exchange on the raw scale.
struct path_sample {
  raw_time at;               ///< middle of the exchange
  ntp_duration offset;       ///< remote − raw at `at`
  double delay_s = 0;        ///< round trip, > 0
  double noise_variance = 0; ///< of `offset` from the stamps alone, s²
  double span_s = 0;         ///< from T1 to T4: round trip and server's time
  /// What the server itself may be wrong by, s.
  double root_distance_s = 0;
  /// Who took our two stamps. Their lateness is part of the path, so that
  /// other kinds make another path.
  stamp_kind sent = stamp_kind::kernel;
  stamp_kind received = stamp_kind::kernel;
};

/// Forms offset and delay out of the four stamps (RFC 5905 §8), with the raw
/// stamps for T1 and T4. `correction_s` is added to the offset; `precision` is
/// the resolution of our own clock (log2 s), below which no delay is believed.
path_sample make_path_sample(const measurement& m, double correction_s,
                             std::int8_t precision);

} // namespace concert::ntp
