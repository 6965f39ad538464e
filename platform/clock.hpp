#pragma once

#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"
#include "platform/error.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace concert::platform {

/// What the kernel should tell programs about the clock.
struct kernel_status {
  bool synchronized = false;
  ntp::leap_indicator leap = ntp::leap_indicator::unsynchronized;
  double max_error_s = 16;
  double estimated_error_s = 16;
  std::optional<std::chrono::seconds> tai_offset = std::nullopt;
};

/// The clock that the daemon keeps right. Reading is safe from any thread and
/// makes no system call on common hardware; changing is for one thread.
class clock {
public:
  virtual ~clock() = default;

  /// "system", "virtual" or "read-only".
  virtual std::string_view kind() const = 0;
  /// All scales at once, bracketed; retried while the bracket is wide.
  virtual ntp::clock_reading read() const = 0;
  /// Only the wall clock: the server's transmit stamp.
  virtual ntp::ntp_timestamp wall() const = 0;
  /// The wall clock when CLOCK_REALTIME was `realtime` (Unix time of a kernel
  /// stamp of the last second).
  virtual ntp::ntp_timestamp
  wall_of(std::chrono::nanoseconds realtime) const = 0;
  /// Both scales for a kernel stamp of the last second.
  virtual ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                                    ntp::stamp_kind kind) const = 0;
  /// Both scales now, kind `daemon`.
  ntp::local_stamp stamp_now() const;

  /// The correction in force; for a foreign hand at the clock.
  virtual result<ntp::frequency> frequency() const = 0;
  /// Sets the correction and returns what the clock took (quantised). With
  /// `slew_end`, the dead-man restores `base` at most 0.5 s after it unless
  /// another call comes first, and at once when this process dies. Beyond
  /// ±100000 ppm the limit is taken.
  virtual result<ntp::frequency>
  set_frequency(ntp::frequency value, ntp::frequency base,
                std::optional<ntp::mono_time> slew_end)
    = 0;
  virtual result<void> step(ntp::ntp_duration by) = 0;
  virtual result<void> set_status(const kernel_status& status) = 0;
  /// Steps made through this object so far; readers compare it to learn that
  /// stamps of before are void.
  virtual std::uint64_t step_count() const = 0;
  /// log2 s: the smallest interval that readings resolve, measured.
  virtual std::int8_t precision() const = 0;
  /// Virtual clocks: clock − truth (CLOCK_REALTIME), s.
  virtual std::optional<double> true_error_s() const { return std::nullopt; }
};

struct virtual_clock_options {
  double initial_offset_s = 0; ///< clock − CLOCK_REALTIME at its first start
  double frequency_error = 0;  ///< ratio; positive = fast
  double wander = 0;           ///< per √s
  std::uint64_t seed = 1;
  /// File that holds the clock's state and outlasts the process; unset = none.
  std::optional<std::filesystem::path> path = std::nullopt;
};

/// CLOCK_REALTIME with ADJ_TICK + ADJ_FREQUENCY. Permission is probed by
/// writing back the kernel's present values; `errc::permission` when refused.
/// The kernel's own PLL/FLL/PPS discipline is switched off. Forks the dead-man,
/// so that it must run before the first thread and before privileges go.
result<std::unique_ptr<clock>> open_system_clock();
/// An oscillator model over CLOCK_MONOTONIC; truth is CLOCK_REALTIME. A file
/// with a clock of this boot and the same parameters is continued; `corrupt`
/// when the file holds something else. Forks as `open_system_clock` does.
result<std::unique_ptr<clock>>
open_virtual_clock(const virtual_clock_options& options);
/// CLOCK_REALTIME, never touched; CLOCK_MONOTONIC_RAW below it.
std::unique_ptr<clock> open_read_only_clock();

/// The present error of the virtual clock in a file, clock − truth in seconds,
/// whoever steers it.
result<double> read_virtual_clock_error(const std::filesystem::path& path);

} // namespace concert::platform
