#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/time.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace concert::ntp {

/// ntpd-rs's `rate-limiting-cache-size` and `rate-limiting-cutoff-ms`.
struct rate_limit_config {
  std::uint32_t slots = 0;             ///< clients remembered; 0 = off
  std::chrono::milliseconds spacing{}; ///< one token each; 0 = off
  std::uint32_t burst = 8;             ///< tokens a quiet client has
  /// Of a client over its rate, one request in so many passes, 1..16.
  std::uint32_t leak = 16;
  /// One in so many of the others earns a RATE kiss; 0 = none does.
  std::uint32_t kiss = 0;
  bool operator==(const rate_limit_config&) const = default;
};

/// Token bucket for each IPv4 address and each IPv6 /64, in a table of fixed
/// size with a keyed hash: memory is bounded, collisions cannot be forced. A
/// client over its rate is never silenced completely: 1 request in `leak`
/// passes, chosen at random, so that somebody who sends in its name cannot cut
/// it off.
class rate_limiter {
public:
  rate_limiter(const rate_limit_config& config, std::uint64_t hash_key);

  enum class decision : std::uint8_t { pass, kiss, drop };
  /// Takes a token of `client`, if it has one.
  decision judge(const ip_address& client, mono_time now);

private:
  /// A client's bucket as one instant: when it will be full again.
  struct bucket {
    std::uint64_t client = 0; ///< keyed hash of the address
    mono_time full_at = mono_time::min();
  };

  /// Where a client's bucket may be: one cache line.
  struct alignas(64) bucket_set {
    std::array<bucket, 4> ways{};
  };

  bucket& find(std::uint64_t client);
  decision draw();

  std::chrono::nanoseconds spacing_{};
  std::chrono::nanoseconds depth_{}; ///< time in which an empty bucket fills
  std::array<std::uint64_t, 2> key_{};
  std::uint32_t leak_ = 1;
  std::uint32_t kiss_ = 0;
  std::uint64_t draws_ = 0;
  std::vector<bucket_set> sets_; // empty: no limit
};

} // namespace concert::ntp
