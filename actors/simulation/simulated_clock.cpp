#include "actors/simulation/simulated_clock.hpp"

#include "platform/kernel_rate.hpp"

#include <algorithm>
#include <cmath>

namespace concert::actors {

namespace {

/// The machine has run for a while when the simulation begins.
constexpr std::chrono::nanoseconds uptime = std::chrono::seconds{100};
constexpr std::chrono::milliseconds guard_patience{500};

/// What the kernel makes of `value`, at the usual USER_HZ.
ntp::frequency quantised(ntp::frequency value) {
  constexpr long user_hz = 100;
  return platform::from_kernel_rate(platform::to_kernel_rate(value, user_hz),
                                    user_hz);
}

ntp::ntp_duration scaled(ntp::ntp_duration d, double rate) {
  return d + ntp::ntp_duration::from_seconds(d.seconds() * rate);
}

} // namespace

simulated_clock::simulated_clock(const event_queue& world,
                                 const simulated_clock_options& options)
  : world_(world),
    oscillator_(options.frequency_error, options.wander, options.temperature,
                options.seed) {
  now_.raw = raw();
  now_.wall
    = truth() + ntp::ntp_duration::from_seconds(options.initial_offset_s);
  now_.mono = ntp::ntp_duration::from_nanoseconds(uptime);
  now_.rate = quantised({options.initial_correction}).ratio;
}

ntp::raw_time simulated_clock::raw() const {
  const auto passed = awake();
  return ntp::raw_time::from_nanoseconds(uptime + passed)
         + ntp::ntp_duration::from_seconds(oscillator_.error_s(passed));
}

ntp::ntp_timestamp simulated_clock::wall_at(ntp::raw_time raw) const {
  return now_.wall + scaled(raw - now_.raw, now_.rate);
}

ntp::ntp_timestamp simulated_clock::wall() const {
  return ntp::ntp_timestamp::from_unix(realtime());
}

ntp::mono_time simulated_clock::mono() const {
  return ntp::mono_time{
    (now_.mono + scaled(raw() - now_.raw, now_.rate)).nanoseconds()};
}

std::chrono::nanoseconds simulated_clock::realtime() const {
  return wall_at(raw()).to_unix(epoch + world_.now());
}

ntp::ntp_timestamp simulated_clock::truth() const {
  return ntp::ntp_timestamp::from_unix(epoch + world_.now());
}

true_time simulated_clock::time_of(ntp::mono_time when) const {
  const auto at = mono(); // takes the oscillator to now
  const auto wait
    = std::ceil(ntp::seconds_of(when - at) / (1 + frequency_error()) * 1e9);
  return world_.now()
         + std::chrono::nanoseconds{
           std::max<std::int64_t>(0, static_cast<std::int64_t>(wait))};
}

ntp::clock_reading simulated_clock::read() const {
  const auto at = mono();
  const auto unix_time = realtime();
  return {
    .mono = at,
    .raw = raw(),
    .wall = wall_of(unix_time),
    .unix_time = unix_time,
    .boot = at.time_since_epoch() + slept_,
    .tai_offset = tai_offset_,
    .spread = {},
  };
}

ntp::ntp_timestamp
simulated_clock::wall_of(std::chrono::nanoseconds realtime) const {
  return ntp::ntp_timestamp::from_unix(realtime);
}

ntp::local_stamp simulated_clock::stamp_of(std::chrono::nanoseconds realtime,
                                           ntp::stamp_kind kind) const {
  const auto at = raw();
  const auto stamp = wall_of(realtime);
  const double age = (wall_at(at) - stamp).seconds() / (1 + now_.rate);
  return {stamp, at - ntp::ntp_duration::from_seconds(age), kind};
}

platform::result<ntp::frequency> simulated_clock::frequency() const {
  return ntp::frequency{now_.rate};
}

simulated_clock::segment simulated_clock::segment_from_now() const {
  const auto at = raw();
  return {at, wall_at(at), now_.mono + scaled(at - now_.raw, now_.rate),
          now_.rate};
}

platform::result<void> simulated_clock::may_change() const {
  if (refuse_)
    return tl::unexpected{
      platform::error{platform::errc::permission, "the clock may not be set"}};
  return {};
}

platform::result<ntp::frequency>
simulated_clock::set_frequency(ntp::frequency value, ntp::frequency base,
                               std::optional<ntp::mono_time> slew_end) {
  if (auto allowed = may_change(); !allowed)
    return tl::unexpected{allowed.error()};
  ++done_.frequencies;
  now_ = segment_from_now();
  now_.rate = quantised(value).ratio;
  base_ = base;
  guard_at_.reset();
  if (slew_end)
    guard_at_ = *slew_end + guard_patience;
  return ntp::frequency{now_.rate};
}

void simulated_clock::end_guarded_slew() {
  if (!guard_at_)
    return;
  ++done_.guards;
  guard_at_.reset();
  now_ = segment_from_now();
  now_.rate = quantised(base_).ratio;
}

platform::result<void> simulated_clock::step(ntp::ntp_duration by) {
  if (auto allowed = may_change(); !allowed)
    return allowed;
  ++done_.steps;
  ++steps_;
  done_.last_step_s = by.seconds();
  foreign_step(by);
  return {};
}

platform::result<void>
simulated_clock::set_status(const platform::kernel_status& status) {
  if (auto allowed = may_change(); !allowed)
    return allowed;
  ++done_.statuses;
  status_ = status;
  if (status.tai_offset)
    tai_offset_ = *status.tai_offset;
  return {};
}

std::optional<double> simulated_clock::true_error_s() const {
  return (wall_at(raw()) - truth()).seconds();
}

void simulated_clock::foreign_step(ntp::ntp_duration by) {
  now_ = segment_from_now();
  now_.wall = now_.wall + by;
}

void simulated_clock::foreign_frequency(ntp::frequency value) {
  now_ = segment_from_now();
  now_.rate = quantised(value).ratio;
}

void simulated_clock::slept(std::chrono::nanoseconds gap) {
  slept_ += gap;
  foreign_step(ntp::ntp_duration::from_nanoseconds(gap));
}

void simulated_clock::change_oscillator(double by) {
  oscillator_.change_frequency(awake(), by);
}

double simulated_clock::frequency_error() const {
  return (1 + oscillator_.frequency_error(awake())) * (1 + now_.rate) - 1;
}

} // namespace concert::actors
