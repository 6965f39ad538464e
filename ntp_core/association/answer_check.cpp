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

/// Some servers fill the digits below their precision with noise, so that later
/// stamps may seem to lie before earlier ones by this, s.
double coarseness_s(std::int8_t precision) {
  return std::ldexp(1, std::min<int>(precision, coarsest_precision));
}

bool is_reversed(const measurement& m) {
  const double coarse = coarseness_s(m.precision);
  return (m.t3 - m.t2).seconds() < -coarse
         || m.delay().seconds() < -(stamp_noise_s + coarse);
}

/// `reversed`: the stamps are in no possible order. `newest`: the last moment
/// that the server knows of.
packet_verdict check(const packet_header& answer, bool reversed,
                     ntp_timestamp newest) {
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
  if (reversed)
    return packet_verdict::reversed_stamps;
  if (no_time || answer.stratum == 0 || answer.stratum > 15)
    return packet_verdict::unsynchronized;
  if (answer.root_delay.duration().seconds() / 2
        + answer.root_dispersion.duration().seconds()
      >= max_distance_s)
    return packet_verdict::distant;
  if (!answer.reference_time.is_unknown()
      && newest - answer.reference_time < ntp_duration{})
    return packet_verdict::stale_reference;
  return packet_verdict::accepted;
}

} // namespace

packet_verdict check_answer(const packet_header& answer, const measurement& m) {
  return check(answer, is_reversed(m), answer.transmit);
}

packet_verdict check_interleaved(const packet_header& answer,
                                 const measurement& completed) {
  const bool before_last = (answer.receive - completed.t3).seconds()
                           < -coarseness_s(answer.precision);
  // The transmit stamp is a poll old, and the reference may be newer.
  return check(answer, before_last || is_reversed(completed), answer.receive);
}

} // namespace concert::ntp
