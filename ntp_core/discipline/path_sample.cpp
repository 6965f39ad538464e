#include "ntp_core/discipline/path_sample.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// Typical error of one stamp by who took it, s, without its lateness: that is
/// part of the path's delay and of its queueing. A wall that is blurred more
/// than it is costs accuracy on quiet networks.
double stamp_noise_s(stamp_kind kind) {
  switch (kind) {
    case stamp_kind::hardware:
      return 20e-9;
    case stamp_kind::kernel:
      return 100e-9;
    case stamp_kind::daemon:
      break;
  }
  return 2e-6;
}

double square(double v) {
  return v * v;
}

double resolution_s(std::int8_t precision) {
  return std::ldexp(1.0, std::clamp<int>(precision, -32, 0));
}

/// Remote stamp less raw stamp; exact, whatever the origins of the two are.
ntp_duration difference(ntp_timestamp remote, raw_time raw) {
  return (remote - ntp_timestamp{}) - raw.since_origin();
}

} // namespace

path_sample make_path_sample(const measurement& m, double correction_s,
                             std::int8_t precision) {
  const auto forward = difference(m.t2, m.t1.raw);
  const auto backward = difference(m.t3, m.t4.raw);
  const auto half
    = [](ntp_duration d) { return ntp_duration::from_units(d.units() / 2); };

  path_sample s;
  s.at = m.t1.raw + half(m.t4.raw - m.t1.raw);
  s.offset = forward + half(backward - forward)
             + ntp_duration::from_seconds(correction_s);
  s.delay_s = std::max(m.delay().seconds(), resolution_s(precision));
  s.noise_variance
    = (square(stamp_noise_s(m.t1.kind)) + square(stamp_noise_s(m.t4.kind))) / 4
      + square(resolution_s(m.precision)) / 24
      + square(resolution_s(precision)) / 24;
  s.span_s = (m.t4.raw - m.t1.raw).seconds();
  s.root_distance_s = m.root_delay.seconds() / 2 + m.root_dispersion.seconds();
  s.sent = m.t1.kind;
  s.received = m.t4.kind;
  return s;
}

} // namespace concert::ntp
