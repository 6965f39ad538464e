#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/time.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace concert::ntp {

/// What the server did with a packet.
enum class response : std::uint8_t {
  answered,  ///< time in the reply
  kiss_deny, ///< DENY sent
  kiss_rate, ///< RATE sent
  kiss_nts,  ///< NTSN sent: the client needs another key exchange
  ignored,   ///< silence
};
inline constexpr std::size_t response_count = 5;

/// Why. Every packet ends in exactly one pair of `response` and `reason`.
enum class reason : std::uint8_t {
  ok,               ///< a good request
  interleaved,      ///< a good request in interleaved mode
  nts,              ///< a good request with NTS
  nts_interleaved,  ///< a good request with NTS in interleaved mode
  access,           ///< deny list, or not in the allow list
  rate,             ///< too many requests from that address
  malformed,        ///< too short, or fields that do not fit
  mode,             ///< not mode 3
  symmetric_active, ///< mode 1, which has its own counter
  version,          ///< a version that is not served
  own_port,         ///< from a port of ours: would loop
  nts_required,     ///< no NTS where it is required
  nts_cookie,       ///< a cookie that is not ours, or no more
  nts_forged,       ///< a good cookie, but an authenticator that is wrong
  no_stamp,         ///< no receive stamp could be had
  send_error,       ///< the kernel refused the reply
};
inline constexpr std::size_t reason_count = 16;

/// "answered" / "kiss-deny" …: the words of logs, JSON and metrics.
std::string_view to_string(response r);
std::string_view to_string(reason r);
/// One sentence for documentation and `# HELP` lines.
std::string_view describe(reason r);

/// Replies by the time from receive stamp to sending, in powers of two: bucket
/// 0 up to 1 us, bucket n up to 2^n us, the last one everything above.
struct latency_histogram {
  static constexpr std::size_t size = 22;
  std::array<std::uint64_t, size> buckets{};

  void add(ntp_duration latency); ///< negative ones count as 0
  /// The upper limit of a bucket, s; infinite for the last.
  static double limit_s(std::size_t bucket);
  std::uint64_t total() const;
  /// The limit of the bucket in which the quantile `q` (0..1) lies, s; 0 when
  /// empty.
  double quantile_s(double q) const;
  latency_histogram& operator+=(const latency_histogram& other);
};

/// Packets by (response, reason).
struct server_counters {
  std::array<std::array<std::uint64_t, reason_count>, response_count> packets{};
  std::array<std::uint64_t, 8> versions{}; ///< requests by version field
  std::uint64_t queue_overflows = 0;       ///< dropped by the kernel before us
  latency_histogram latency;

  std::uint64_t& at(response p, reason q) {
    return packets[static_cast<std::size_t>(p)][static_cast<std::size_t>(q)];
  }

  std::uint64_t at(response p, reason q) const {
    return packets[static_cast<std::size_t>(p)][static_cast<std::size_t>(q)];
  }

  /// All packets judged.
  std::uint64_t total() const;
  server_counters& operator+=(const server_counters& other);
};

/// How often a remembered client asked since it is remembered.
struct client_count {
  ip_address client;
  std::uint64_t requests = 0;
};

} // namespace concert::ntp
