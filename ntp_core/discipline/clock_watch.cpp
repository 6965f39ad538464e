#include "ntp_core/discipline/clock_watch.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

ntp_duration wall_minus_raw(const clock_reading& r) {
  return (r.wall - ntp_timestamp{}) - r.raw.since_origin();
}

clock_surprise clock_watch::observe(const clock_reading& now, double rate) {
  const auto before = last_;
  last_ = now;
  const double dt = (now.raw - before.raw).seconds();
  const double tolerance
    = 10 * std::max(now.spread.seconds(), before.spread.seconds()) + 100e-6
      + 1e-7 * std::abs(dt);

  clock_surprise found;
  const double suspended
    = seconds_of(now.boot - before.boot) - seconds_of(now.mono - before.mono);
  if (suspended > tolerance)
    found.suspended_s = suspended;

  const double by_raw = (wall_minus_raw(now) - wall_minus_raw(before)).seconds()
                        - rate * dt - found.suspended_s;
  const double by_boot = seconds_of(now.unix_time - before.unix_time)
                         - seconds_of(now.boot - before.boot);
  const bool stepped = std::abs(by_raw) > tolerance
                       && std::abs(by_boot) > tolerance
                       && (by_raw > 0) == (by_boot > 0);
  if (!stepped)
    return found;
  if (announced_s_
      && std::abs(by_raw - *announced_s_)
           < tolerance + 1e-3 * std::abs(*announced_s_)) {
    announced_s_.reset();
    return found;
  }
  found.jump_s = by_raw;
  return found;
}

} // namespace concert::ntp
