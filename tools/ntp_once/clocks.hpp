#pragma once

#include "platform/clock.hpp"
#include "platform/system_clock.hpp"

#include <cstdint>
#include <memory>

/// The same clocks as the daemon's, by the plainest calls: `clock_gettime` and
/// `adjtimex`, no file, no shared memory, no `ppoll`.
namespace concert::once {

/// What stands under the wall clock.
enum class time_scale : std::uint8_t {
  raw, ///< CLOCK_MONOTONIC_RAW, with CLOCK_BOOTTIME for suspends
  /// CLOCK_MONOTONIC less the kernel's frequency correction, where only that
  /// and CLOCK_REALTIME can be read (simulators).
  monotonic,
};

/// CLOCK_REALTIME, only watched.
std::unique_ptr<platform::clock> open_watched_clock(time_scale scale);

/// CLOCK_REALTIME, set by `kernel`. Permission is probed by writing back the
/// kernel's present values, and its own PLL is switched off. Forks a guard, so
/// that nothing may be buffered for output.
platform::result<std::unique_ptr<platform::clock>>
open_kernel_clock(time_scale scale,
                  platform::adjtimex_function kernel = adjtimex);

/// An oscillator model over CLOCK_MONOTONIC that lives as long as the object;
/// truth is CLOCK_REALTIME. `options.path` must be absent.
std::unique_ptr<platform::clock>
open_model_clock(const platform::virtual_clock_options& options);

} // namespace concert::once
