#include "ntp_core/discipline/leap_schedule.hpp"

#include "ntp_core/leap/leap_vote.hpp"

#include <cmath>

namespace concert::ntp {

namespace {

using std::chrono::nanoseconds;

bool is_leap(leap_indicator l) {
  return l == leap_indicator::insert_second
         || l == leap_indicator::delete_second;
}

/// 00:00 UTC of the next day.
nanoseconds end_of_day(nanoseconds unix_time) {
  return std::chrono::floor<std::chrono::days>(unix_time)
         + std::chrono::days{1};
}

} // namespace

void leap_schedule::update(leap_indicator voted,
                           std::optional<leap_indicator> from_file,
                           nanoseconds unix_time) {
  // Servers stop to announce while the second runs: too late to change.
  if (is_leap(today_) && unix_time >= midnight_ - std::chrono::seconds{2})
    return;
  const auto midnight = end_of_day(unix_time);
  const auto today = std::chrono::floor<std::chrono::seconds>(unix_time);
  auto next = from_file.value_or(voted);
  if (!is_leap(next) || (!from_file && !is_leap_day(today)))
    next = leap_indicator::none;
  // Nor does an announcement that still stands afterwards bring another one.
  if (done_ && unix_time < midnight_ + std::chrono::hours{12})
    next = leap_indicator::none;
  today_ = next;
  if (is_leap(next)) {
    kind_ = next;
    midnight_ = midnight;
    done_ = false;
  }
}

bool leap_schedule::passed(nanoseconds unix_time) {
  // A second that is left out is the one before midnight.
  const auto moment
    = midnight_
      - std::chrono::seconds{kind_ == leap_indicator::delete_second ? 1 : 0};
  if (!is_leap(today_) || unix_time < moment)
    return false;
  today_ = leap_indicator::none;
  done_ = true;
  return true;
}

ntp_duration leap_schedule::utc_shift() const {
  return ntp_duration::from_seconds(
    kind_ == leap_indicator::delete_second ? 1.0 : -1.0);
}

bool leap_schedule::near(nanoseconds from, nanoseconds to) const {
  return due() && to >= midnight_ - std::chrono::seconds{3}
         && from <= midnight_ + std::chrono::seconds{3};
}

bool leap_schedule::explains(double jump_s, nanoseconds unix_time) const {
  return due() && std::abs(jump_s - utc_shift().seconds()) < 0.1
         && unix_time > midnight_ - std::chrono::seconds{3}
         && unix_time < midnight_ + std::chrono::hours{1};
}

bool leap_schedule::due() const {
  return is_leap(today_) || done_;
}

} // namespace concert::ntp
