#pragma once

#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <optional>

namespace concert::ntp {

/// wall − raw of one reading; grows with the frequency correction.
ntp_duration wall_minus_raw(const clock_reading& r);

/// What happened to the clock since the last look.
struct clock_surprise {
  double suspended_s = 0; ///< the machine slept this long
  double jump_s = 0;      ///< a step of the wall clock that is not ours
};

/// Compares readings of the clock with what our own corrections explain.
///
/// A step shows twice: in wall − raw, which must follow the frequency in force,
/// and in wall − boot, which only steps can change where both are one clock.
/// Only what both show counts, so that neither the slews of another program
/// nor a simulated clock's rate look like a step.
class clock_watch {
public:
  explicit clock_watch(const clock_reading& now) : last_(now) {}

  /// Looks; `rate` is the frequency correction in force since the last look.
  clock_surprise observe(const clock_reading& now, double rate);

  /// We are about to step by this much; seen once, it is no surprise.
  void announce(ntp_duration step) { announced_s_ = step.seconds(); }
  void forget_announced() { announced_s_.reset(); }

private:
  clock_reading last_;
  std::optional<double> announced_s_;
};

} // namespace concert::ntp
