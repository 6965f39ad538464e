#pragma once

#include "ntp_core/time/time.hpp"
#include "platform/error.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace concert::platform {

/// A tiny process beside the daemon that restores a clock's base frequency when
/// the daemon dies, is stopped or hangs in the middle of a slew. It sleeps
/// unless a slew is in progress, and ends with the daemon.
///
/// The clocks that can be changed start one themselves when they are opened.
class dead_man {
public:
  /// Puts a base frequency in force. Runs in the guard, so that it may use what
  /// was there before the fork, system calls and shared memory.
  using restorer = std::function<void(ntp::frequency base)>;

  /// How long after its end a slew is left alone; costs 0.25 ms at 1000 ppm.
  static constexpr std::chrono::milliseconds grace{250};

  /// Forks, so that it must run before the first thread. The guard becomes
  /// nobody (if we are root) and keeps CAP_SYS_TIME alone (if
  /// `needs_system_time`) or nothing.
  static result<std::unique_ptr<dead_man>> start(const restorer& restore,
                                                 bool needs_system_time);
  ~dead_man();

  /// From now to the next call: when CLOCK_MONOTONIC passes `deadline`, or this
  /// process ends, the base frequency `base` is put in force, once. Never
  /// blocks.
  void arm(ntp::frequency base, ntp::mono_time deadline);
  /// No slew in progress. True if the guard acted since it was armed.
  bool disarm();

  /// Carries out `set`, a change of the clock's frequency, which starts a slew
  /// until `slew_end` or ends one.
  result<ntp::frequency>
  watch_over(ntp::frequency base, std::optional<ntp::mono_time> slew_end,
             const std::function<result<ntp::frequency>()>& set);

private:
  struct impl;
  explicit dead_man(std::unique_ptr<impl> i);
  std::unique_ptr<impl> impl_;
};

} // namespace concert::platform
