#include "platform/kernel_rate.hpp"

#include <algorithm>
#include <cmath>

namespace concert::platform {

namespace {

constexpr double freq_limit_ppm = 500; // MAXFREQ of the kernel
constexpr double rate_limit_ppm = 100'000;
constexpr double freq_units_per_ppm = 65'536;
constexpr long us_per_s = 1'000'000;

} // namespace

kernel_rate to_kernel_rate(ntp::frequency value, long user_hz) {
  const double ppm = std::clamp(value.ppm(), -rate_limit_ppm, rate_limit_ppm);
  // One µs a tick is USER_HZ µs a second.
  const auto ppm_per_tick = static_cast<double>(user_hz);
  const long ticks
    = std::abs(ppm) <= freq_limit_ppm ? 0 : std::lround(ppm / ppm_per_tick);
  const double rest = ppm - static_cast<double>(ticks) * ppm_per_tick;
  return {us_per_s / user_hz + ticks, std::lround(rest * freq_units_per_ppm)};
}

ntp::frequency from_kernel_rate(kernel_rate rate, long user_hz) {
  const long ticks = rate.tick - us_per_s / user_hz;
  return ntp::frequency::from_ppm(static_cast<double>(ticks * user_hz)
                                  + static_cast<double>(rate.freq)
                                      / freq_units_per_ppm);
}

} // namespace concert::platform
