#include "ntp_core/association/answer_check.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// RFC 5905 §7.2, MAXDISP: the root distance from which on a server is of no
/// use.
constexpr double max_distance_s = 16;

/// A round trip may come out this far below zero: stamps of different kinds are
/// compared, and a daemon's own stamps come late. Beyond that the server claims
/// to have held the request for longer than we waited.
constexpr double stamp_noise_s = 1e-3;

/// The coarsest clock that is still believed to be one, log2 s: the 15.6 ms
/// tick of old systems. A server cannot buy more tolerance with its precision.
constexpr int coarsest_precision = -6;

packet_verdict check_kiss(std::uint32_t code) {
  if (code == code_of("RATE"))
    return packet_verdict::kiss_rate;
  if (code == code_of("DENY") || code == code_of("RSTR"))
    return packet_verdict::kiss_deny;
  return packet_verdict::kiss_other;
}

bool is_reversed(const measurement& m) {
  // Some servers fill the digits below their precision with noise, so that T3
  // may seem to lie before T2.
  const double coarse
    = std::ldexp(1, std::min<int>(m.precision, coarsest_precision));
  return (m.t3 - m.t2).seconds() < -coarse
         || m.delay().seconds() < -(stamp_noise_s + coarse);
}

} // namespace

packet_verdict check_answer(const packet_header& answer, const measurement& m) {
  const bool no_time = answer.leap == leap_indicator::unsynchronized;
  // Some servers say with stratum 0 and no code that they are not synchronised,
  // and some send kisses without the leap indicator.
  if (answer.stratum == 0 && answer.reference_id != 0) {
    const auto kiss = check_kiss(answer.reference_id);
    if (no_time || kiss != packet_verdict::kiss_other)
      return kiss;
  }
  if (answer.receive.is_unknown() || answer.transmit.is_unknown())
    return packet_verdict::zero_stamp;
  if (is_reversed(m))
    return packet_verdict::reversed_stamps;
  if (no_time || answer.stratum == 0 || answer.stratum > 15)
    return packet_verdict::unsynchronized;
  if (m.root_delay.seconds() / 2 + m.root_dispersion.seconds()
      >= max_distance_s)
    return packet_verdict::distant;
  if (!answer.reference_time.is_unknown()
      && answer.transmit - answer.reference_time < ntp_duration{})
    return packet_verdict::stale_reference;
  return packet_verdict::accepted;
}

} // namespace concert::ntp
