#pragma once

#include "platform/clock.hpp"

namespace concert::platform {

/// CLOCK_REALTIME for reading, with CLOCK_MONOTONIC_RAW below it.
class kernel_clock : public clock {
public:
  ntp::clock_reading read() const final;
  ntp::ntp_timestamp wall() const final;
  ntp::ntp_timestamp wall_of(std::chrono::nanoseconds realtime) const final;
  ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                            ntp::stamp_kind kind) const final;
  std::int8_t precision() const final { return precision_; }

protected:
  kernel_clock();

private:
  std::int8_t precision_;
};

/// log2 s: the least step between two readings of `c.wall()` that differ.
std::int8_t measure_precision(const clock& c);

} // namespace concert::platform
