#pragma once

#include "ntp_core/time/time.hpp"
#include "platform/error.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace concert::once {

/// A process beside this one that puts the clock's base frequency in force when
/// this one dies, is stopped or hangs in the middle of a slew. It sleeps in
/// `poll` and `read` on a pipe, and ends with this one.
class guard {
public:
  using restorer = std::function<void(ntp::frequency base)>;

  /// How long after its end a slew is left alone.
  static constexpr std::chrono::milliseconds grace{250};

  static platform::result<guard> start(const restorer& restore);

  guard(guard&& o) noexcept
    : line_(std::exchange(o.line_, -1)),
      child_(std::exchange(o.child_, -1)) {}
  guard& operator=(guard&&) = delete;
  ~guard();

  /// From now on `base` is restored some time after `slew_end`, or when this
  /// process ends before; absent: there is nothing to restore. Never blocks.
  void watch(ntp::frequency base, std::optional<ntp::mono_time> slew_end) const;

private:
  guard(int line, int child) : line_(line), child_(child) {}

  int line_;
  int child_;
};

} // namespace concert::once
