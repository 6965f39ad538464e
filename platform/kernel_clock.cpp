#include "platform/kernel_clock.hpp"

#include "platform/kernel_time.hpp"

#include <algorithm>
#include <cmath>

namespace concert::platform {

kernel_clock::kernel_clock() : precision_(0) {
  precision_ = measure_precision(*this);
}

ntp::clock_reading kernel_clock::read() const {
  const auto pair = read_bracketed(CLOCK_MONOTONIC_RAW, CLOCK_REALTIME);
  // An interruption between these two would look like a suspended machine.
  const auto awake = read_bracketed(CLOCK_MONOTONIC, CLOCK_BOOTTIME);
  // CLOCK_TAI is CLOCK_REALTIME and whole seconds, read a moment later.
  const auto tai = kernel_time(CLOCK_TAI) - pair.inner;
  return {
    .mono = ntp::mono_time{awake.outer},
    .raw = ntp::raw_time::from_nanoseconds(pair.outer),
    .wall = ntp::ntp_timestamp::from_unix(pair.inner),
    .unix_time = pair.inner,
    .boot = awake.inner,
    .tai_offset = std::chrono::floor<std::chrono::seconds>(
      tai + std::chrono::milliseconds{500}),
    .spread
    = ntp::ntp_duration::from_nanoseconds(std::max(pair.width, awake.width)),
  };
}

ntp::ntp_timestamp kernel_clock::wall() const {
  return ntp::ntp_timestamp::from_unix(kernel_time(CLOCK_REALTIME));
}

ntp::ntp_timestamp
kernel_clock::wall_of(std::chrono::nanoseconds realtime) const {
  return ntp::ntp_timestamp::from_unix(realtime);
}

ntp::local_stamp kernel_clock::stamp_of(std::chrono::nanoseconds realtime,
                                        ntp::stamp_kind kind) const {
  const auto pair = read_bracketed(CLOCK_MONOTONIC_RAW, CLOCK_REALTIME);
  // A slew makes the wall clock run faster than the oscillator by up to 10 %.
  const double rate = frequency().value_or(ntp::frequency{}).ratio;
  const double age = ntp::seconds_of(pair.inner - realtime) / (1 + rate);
  return {
    wall_of(realtime),
    ntp::raw_time::from_nanoseconds(pair.outer - ntp::nanoseconds_of(age)),
    kind};
}

std::int8_t measure_precision(const clock& c) {
  double least = 1;
  for (int i = 0; i < 32; ++i) {
    const auto first = c.wall();
    auto next = first;
    while (next == first)
      next = c.wall();
    const double step = (next - first).seconds();
    // A step backwards is somebody's hand.
    if (step > 0)
      least = std::min(least, step);
  }
  return static_cast<std::int8_t>(std::ceil(std::log2(least)));
}

} // namespace concert::platform
