#pragma once

#include "ntp_core/time/time.hpp"

namespace concert::platform {

/// A frequency correction as adjtimex(2) splits it; the parts add up.
struct kernel_rate {
  long tick = 0; ///< µs a tick, within 10 % of 1 s / USER_HZ
  long freq = 0; ///< 2^-16 ppm, within ±500 ppm
};

/// The nearest correction that the kernel can make; values beyond ±100000 ppm
/// are brought to the limit. `user_hz` is the kernel's USER_HZ.
kernel_rate to_kernel_rate(ntp::frequency value, long user_hz);

ntp::frequency from_kernel_rate(kernel_rate rate, long user_hz);

} // namespace concert::platform
