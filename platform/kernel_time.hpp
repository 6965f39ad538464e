#pragma once

#include "ntp_core/time/time.hpp"

#include <chrono>
#include <ctime>

namespace concert::platform {

/// One of the kernel's clocks, by vDSO.
inline std::chrono::nanoseconds kernel_time(clockid_t id) {
  timespec t{};
  clock_gettime(id, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

inline ntp::mono_time monotonic_now() {
  return ntp::mono_time{kernel_time(CLOCK_MONOTONIC)};
}

/// Two clocks at one instant.
struct clock_pair {
  std::chrono::nanoseconds outer{}; ///< halfway between its two readings
  std::chrono::nanoseconds inner{}; ///< read between them
  std::chrono::nanoseconds width{}; ///< between the readings of `outer`
};

/// Reads `inner` between two readings of `outer`; of up to five attempts the
/// narrowest counts, since an interrupt may fall between.
clock_pair read_bracketed(clockid_t outer, clockid_t inner);

} // namespace concert::platform
