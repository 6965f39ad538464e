#pragma once

#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <chrono>
#include <optional>

namespace concert::ntp {

/// Knows whether today ends with a leap second, and when that has passed.
class leap_schedule {
public:
  /// The file's word beats `voted`, what the majority of the sources says. A
  /// vote counts on the last day of June and December only, because some
  /// servers announce it for a whole month. `unix_time` is the disciplined
  /// time.
  void update(leap_indicator voted, std::optional<leap_indicator> from_file,
              std::chrono::nanoseconds unix_time);

  /// What may be told to the kernel and to clients today.
  leap_indicator today() const { return today_; }

  /// True once, when the leap second is over: UTC has then moved by
  /// `utc_shift()` against every even scale. `unix_time` counts on evenly
  /// through the leap second.
  bool passed(std::chrono::nanoseconds unix_time);

  /// By how much the coming, or just passed, leap second moves UTC.
  ntp_duration utc_shift() const;

  /// Within 2 s of the leap second, or of the second it repeats.
  bool near(std::chrono::nanoseconds unix_time) const {
    return near(unix_time, unix_time);
  }
  /// Whether any moment between these two is.
  bool near(std::chrono::nanoseconds from, std::chrono::nanoseconds to) const;

  /// Whether a jump of the wall clock is the kernel making the leap second.
  bool explains(double jump_s, std::chrono::nanoseconds unix_time) const;

private:
  bool due() const;

  leap_indicator today_ = leap_indicator::none;
  /// The leap second announced last, and whether it is over.
  leap_indicator kind_ = leap_indicator::none;
  bool done_ = false;
  /// 00:00:00 UTC after the leap second, by the count before it.
  std::chrono::nanoseconds midnight_{};
};

} // namespace concert::ntp
