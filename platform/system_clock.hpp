#pragma once

#include "platform/clock.hpp"

#include <sys/timex.h>

namespace concert::platform {

/// adjtimex(2), or what stands for the kernel in a test.
using adjtimex_function = int (*)(timex*);

/// `open_system_clock` on a given kernel.
result<std::unique_ptr<clock>> open_system_clock(adjtimex_function kernel);

} // namespace concert::platform
