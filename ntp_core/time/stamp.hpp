#pragma once

#include "ntp_core/time/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concert::ntp {

/// Who took a time stamp, best first.
enum class stamp_kind : std::uint8_t {
  hardware, ///< the network interface
  kernel,   ///< the kernel's network stack
  daemon,   ///< this program, before send or after receive
};

constexpr std::string_view to_string(stamp_kind kind) {
  switch (kind) {
    case stamp_kind::hardware:
      return "hardware";
    case stamp_kind::kernel:
      return "kernel";
    case stamp_kind::daemon:
      break;
  }
  return "daemon";
}

/// The moment a packet left or arrived, on both local scales.
struct local_stamp {
  ntp_timestamp wall; ///< the clock that is disciplined
  raw_time raw;       ///< the oscillator under it
  stamp_kind kind = stamp_kind::daemon;
};

/// All local scales read at one instant (bracketed; the reads lie within
/// `spread` of each other).
struct clock_reading {
  mono_time mono;
  raw_time raw;
  ntp_timestamp wall;
  /// Unix time of `wall` (era resolved by the kernel).
  std::chrono::nanoseconds unix_time{};
  /// CLOCK_BOOTTIME; differs from `mono` by the time spent suspended.
  std::chrono::nanoseconds boot{};
  /// The kernel's TAI − UTC, 0 if never set.
  std::chrono::seconds tai_offset{};
  /// Uncertainty of pairing `raw` with `wall`, and `mono` with `boot`.
  ntp_duration spread;
};

/// RFC 5905 §7.3, figure 9.
enum class leap_indicator : std::uint8_t {
  none = 0,
  insert_second = 1,  ///< last minute of the day has 61 s
  delete_second = 2,  ///< last minute of the day has 59 s
  unsynchronized = 3, ///< the clock is not synchronised
};

} // namespace concert::ntp
