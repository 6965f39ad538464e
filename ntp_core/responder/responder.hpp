#pragma once

#include "ntp_core/access/access_list.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/access/rate_limit.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/packet/header.hpp"
#include "ntp_core/responder/counters.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace concert::ntp {

/// What to do with clients that an access list or rule turns away.
enum class refusal : std::uint8_t { ignore, deny };

struct responder_config {
  access_list deny; ///< checked first; empty matches nobody
  refusal deny_action = refusal::deny;
  access_list allow; ///< clients outside get `allow_action`
  refusal allow_action = refusal::ignore;
  std::uint8_t versions = 0b0001'1000; ///< bit n: version n is served
  /// `require-nts`: unset = plain requests are served.
  std::optional<refusal> require_nts;
  rate_limit_config rate;
  /// Where this machine itself listens; requests that claim to come from there
  /// would make it talk to itself. Port 123 alone proves nothing: many clients
  /// ask from it.
  std::vector<endpoint> own_endpoints;
};

/// Where a reply was written and what the packet counts as.
struct reply {
  response what = response::ignored;
  reason why = reason::ok;
  std::size_t size = 0; ///< bytes of the reply; 0 = send nothing
};

/// Answers requests with the disciplined time (RFC 5905 §9.2, client/server
/// only). One for each worker: it owns that worker's share of the rate limiter.
/// No allocation while answering, no clock: the stamps come in.
///
/// Requests that would need a key to be judged (a MAC, a crypto-NAK, NTS
/// fields) get silence, as `malformed`: the time in a plain reply would be
/// refused anyway. Other extension fields are skipped and not echoed.
class responder {
public:
  /// `hash_key` must be unpredictable; it keys the rate limiter's table.
  explicit responder(std::shared_ptr<const responder_config> config,
                     std::uint64_t hash_key);

  /// Clients' rates are remembered unless the rate limit itself changed.
  void on_config(std::shared_ptr<const responder_config> config);
  void on_time(const served_time& time);

  /// Judges `request`, received at `received` (wall clock) from `client`, and
  /// writes the reply to `out` (≥ request size; may alias nothing). The
  /// transmit stamp is left zero: `stamp` sets it just before sending. A reply
  /// is never longer than its request. An unknown (zero) `received` means that
  /// no stamp could be had.
  reply respond(std::span<const std::byte> request, const endpoint& client,
                ntp_timestamp received, mono_time now,
                std::span<std::byte> out);

  /// Writes the transmit stamp, the disciplined time at wall time `transmit`,
  /// into a reply of `respond` (never zero, never before its receive stamp).
  void stamp(std::span<std::byte> reply, ntp_timestamp transmit) const;

  /// The kernel refused the reply that `respond` returned as `r`: the packet
  /// counts as `send_error` instead.
  void on_send_failed(const reply& r);
  /// The kernel dropped `packets` before they could be read.
  void on_queue_overflow(std::uint64_t packets);

  const server_counters& counters() const { return counters_; }

private:
  struct verdict {
    response what = response::ignored;
    reason why = reason::ok;
  };

  verdict judge(std::span<const std::byte> request, const endpoint& client,
                mono_time now);
  verdict check_access(const ip_address& client) const;
  packet_header build(const packet_header& request, response what,
                      ntp_timestamp received) const;

  std::shared_ptr<const responder_config> config_;
  served_time time_;
  std::uint64_t hash_key_;
  rate_limiter limiter_;
  server_counters counters_;
};

} // namespace concert::ntp
