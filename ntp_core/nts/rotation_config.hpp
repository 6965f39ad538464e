#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace concert::ntp {

/// How the keys of cookies change, random or derived ones.
struct rotation_config {
  static constexpr std::size_t most_stale_keys = 1000;

  /// How long a key seals; at least 1 s.
  std::chrono::seconds interval = std::chrono::hours{24};
  /// How many keys that seal no more still open; at most `most_stale_keys`.
  std::size_t stale_keys = 7;
};

/// Unix time beyond which no clock counts (about 35,000 years): sums with it
/// stay in range.
constexpr std::chrono::seconds latest_time{std::int64_t{1} << 40};

/// The nearest Unix time that makes sense to us.
constexpr std::chrono::seconds within_limits(std::chrono::seconds time) {
  return std::clamp(time, std::chrono::seconds{0}, latest_time);
}

/// The nearest values that are allowed.
constexpr rotation_config within_limits(const rotation_config& config) {
  return {std::clamp(config.interval, std::chrono::seconds{1}, latest_time),
          std::min(config.stale_keys, rotation_config::most_stale_keys)};
}

} // namespace concert::ntp
