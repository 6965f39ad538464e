#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

constexpr std::chrono::seconds status_interval{64};
/// Error of a clock that nobody has compared with anything (RFC 5905, MAXDISP).
constexpr double unknown_error_s = 16;

} // namespace

void tell(steering_actions& out, steering_event::severity level,
          std::string name, std::string text) {
  out.emplace_back(steering_event{level, std::move(name), std::move(text)});
}

std::optional<error_bound> steering::state::bound() const {
  if (!belief)
    return std::nullopt;
  return error_bound{*belief, upstream};
}

double steering::state::offset_s(const clock_reading& now) const {
  if (!belief)
    return 0;
  return belief->predicted(now.raw).offset_against(wall_minus_raw(now));
}

std::chrono::nanoseconds
steering::state::disciplined_unix(const clock_reading& now) const {
  // An NTP offset is below 2^31 s; more would not fit into Unix time.
  return now.unix_time + nanoseconds_of(std::clamp(offset_s(now), -3e9, 3e9));
}

double steering::state::max_error_s(const clock_reading& now) const {
  const auto limits = bound();
  if (!limits)
    return unknown_error_s;
  return limits->max_error_s(now.raw) + std::abs(offset_s(now));
}

std::optional<mono_time> steering::state::holdover_at() const {
  if (!last_update)
    return std::nullopt;
  return *last_update + patience;
}

system_state steering::state::derive(const clock_reading& now) const {
  if (panicking)
    return system_state::panic;
  if (contested(now.mono))
    return system_state::contested;
  if (!network)
    return system_state::offline;
  if (!policy.started() || !belief)
    return system_state::starting;
  if (max_error_s(now) > config.max_error_s)
    return system_state::unsynchronized;
  if (now.mono >= *holdover_at())
    return system_state::holdover;
  return system_state::synchronized;
}

/// When the bound will have grown beyond the limit if nobody answers.
std::optional<mono_time>
steering::state::error_limit_at(const clock_reading& now) const {
  const auto limits = bound();
  if (!limits || max_error_s(now) > config.max_error_s)
    return std::nullopt;
  const double left = config.max_error_s - std::abs(offset_s(now));
  const auto exceeded = [&](double t) {
    return limits->max_error_s(now.raw + ntp_duration::from_seconds(t)) > left;
  };
  constexpr double ten_years = 3e8;
  if (!exceeded(ten_years))
    return std::nullopt;
  double before = 0;
  double after = 1;
  while (!exceeded(after)) {
    before = after;
    after *= 2;
  }
  while (after - before > 0.5) {
    const double middle = (before + after) / 2;
    (exceeded(middle) ? after : before) = middle;
  }
  return now.mono + nanoseconds_of(after);
}

set_clock_status
steering::state::kernel_status(const clock_reading& now) const {
  set_clock_status s;
  s.synchronized = current == system_state::synchronized
                   || current == system_state::holdover
                   || (current == system_state::offline && policy.started()
                       && max_error_s(now) <= config.max_error_s);
  s.leap = s.synchronized ? leap.today() : leap_indicator::unsynchronized;
  s.max_error_s = max_error_s(now);
  const auto limits = bound();
  if (limits)
    s.estimated_error_s
      = std::hypot(limits->estimated_error_s(now.raw), offset_s(now));
  s.tai_offset = tai_offset;
  return s;
}

void steering::state::refresh(const clock_reading& now, steering_actions& out) {
  if (contested_until && now.mono >= *contested_until) {
    contested_until.reset();
    tell(out, steering_event::severity::info, "contest-over",
         "nobody else has changed the clock's frequency "
         "for five minutes");
  }
  const auto next = derive(now);
  const bool changed = next != current;
  if (changed) {
    const std::string from{to_string(current)};
    current = next;
    since = now.mono;
    tell(out,
         next == system_state::synchronized ? steering_event::severity::info
                                            : steering_event::severity::warning,
         "state",
         "from=" + from + " to=" + std::string{to_string(next)} + " "
           + state_reason(now));
  }
  const bool coasting
    = current == system_state::holdover || current == system_state::offline;
  error_limit = coasting ? error_limit_at(now) : std::nullopt;

  // What an earlier run said stays true until we know better.
  if (!may_touch(now.mono) || current == system_state::starting) {
    status_due = now.mono + status_interval;
    return;
  }
  if (!changed && status_due && now.mono < *status_due)
    return;
  status_due = now.mono + status_interval;
  out.emplace_back(kernel_status(now));
}

} // namespace concert::ntp
