#pragma once

#include "ntp_core/access/access_table.hpp"
#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/access/rate_limit.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/packet/header.hpp"
#include "ntp_core/responder/client_table.hpp"
#include "ntp_core/responder/counters.hpp"
#include "ntp_core/responder/nts_server.hpp"
#include "ntp_core/time/random.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace concert::ntp {

/// What to do with clients that an access list or rule turns away.
enum class refusal : std::uint8_t { ignore, deny };

struct responder_config {
  access_table access;
  refusal deny_action = refusal::deny;    ///< for `access_verdict::denied`
  refusal allow_action = refusal::ignore; ///< for `access_verdict::not_allowed`
  std::uint8_t versions = 0b0001'1000;    ///< bit n: version n is served
  /// `require-nts`: unset = plain requests are served.
  std::optional<refusal> require_nts;
  rate_limit_config rate;
  /// Clients remembered for interleaved mode and for `top_clients`; 0 = none.
  std::uint32_t clients = 8192;
  bool interleaved = true; ///< RFC 9769; needs `clients`
  /// Answer mode 1 in mode 2, without any state.
  bool answer_symmetric_active = false;
  /// Where this machine itself listens; requests that claim to come from there
  /// would make it talk to itself. Port 123 alone proves nothing: many clients
  /// ask from it.
  std::vector<endpoint> own_endpoints;
};

/// Where a reply was written and what the packet counts as.
struct reply {
  response what = response::ignored;
  reason why = reason::ok;
  std::size_t size = 0;   ///< bytes of the reply; 0 = send nothing
  ntp_timestamp receive;  ///< as in the reply
  ntp_timestamp transmit; ///< when it leaves; set by `stamp`
  /// The client's slot, which holds the stamps of this reply once it is
  /// sent; none for kisses and where clients are not remembered.
  std::optional<client_slot> slot;
  /// The client uses interleaved mode: ask the kernel when this reply leaves,
  /// and tell `on_transmit_stamp`.
  bool wants_transmit_stamp = false;
  /// The transmit field is filled already (it tells of the reply before).
  bool interleaved = false;
  bool nts = false; ///< the request was authentic, and so will be the reply
  /// To be sealed by `stamp`, which takes longer then; 0 = no.
  std::uint32_t seal_ticket = 0;
};

/// Answers requests with the disciplined time (RFC 5905 §9.2, client/server
/// only, and mode 1 as if it were that). One for each worker: it owns that
/// worker's share of the rate limiter and of the clients. No allocation while
/// answering, no clock: the stamps come in.
///
/// Requests that would need a key to be judged and that we do not have (a MAC,
/// a crypto-NAK, NTS fields where that is off) get silence, as `malformed`: the
/// time in a plain reply would be refused anyway. Other extension fields are
/// skipped and not echoed.
///
/// With NTS (RFC 8915 §5.7) an authentic request gets an authentic reply, be it
/// an answer or a kiss, with a cookie for its own and one for each placeholder,
/// at most eight. Basic and interleaved mode are as without it. Where the
/// cookie or the authenticator is wrong, NTSN with the unique identifier is the
/// reply, 100 times a second at most; where a field is missing or does not fit,
/// silence, as `malformed`.
class responder {
public:
  /// `hash_key` must be unpredictable; it keys the tables of clients. `cipher`
  /// and `random` are for NTS and must outlive this; without them it is off.
  explicit responder(std::shared_ptr<const responder_config> config,
                     std::uint64_t hash_key, aead_cipher* cipher = nullptr,
                     random_source* random = nullptr);

  /// Clients are remembered unless what concerns their tables changed.
  void on_config(std::shared_ptr<const responder_config> config);
  void on_time(const served_time& time);
  /// For the cookies of NTS; null, as before the first call: requests with NTS
  /// get silence.
  void on_keys(std::shared_ptr<const cookie_keys> keys);

  /// Judges `request`, received at `received` (wall clock) from `client`, and
  /// writes the reply to `out` (≥ request size; may alias nothing). The
  /// transmit stamp is left zero: `stamp` sets it just before sending. A reply
  /// is never longer than its request. An unknown (zero) `received` means that
  /// no stamp could be had. At most `nts_server::most_unsealed` replies with
  /// NTS may wait for their stamp.
  reply respond(std::span<const std::byte> request, const endpoint& client,
                ntp_timestamp received, mono_time now,
                std::span<std::byte> out);

  /// The reply that `respond` returned as `r` is about to leave at wall time
  /// `transmit`: writes the disciplined time then into it (never zero, never
  /// before its receive stamp), unless it is interleaved, and then its seal, if
  /// it has one, which covers that time. Does nothing else, as each further
  /// step would make that time less certain. A seal takes 0.4 to 0.6 us with
  /// libgcrypt, 1 us with eight cookies: `transmit` should allow for all seals
  /// that come before the sending.
  void stamp(reply& r, std::span<std::byte> bytes,
             ntp_timestamp transmit) const;

  /// It left: remembers in the client's slot when, and counts the time since
  /// the receive stamp.
  void on_sent(const reply& r);

  /// The kernel says that the last reply of `slot` left at wall time
  /// `transmit`; nothing happens if the slot has gone on since.
  void on_transmit_stamp(const client_slot& slot, ntp_timestamp transmit);

  /// The kernel refused the reply instead: the packet
  /// counts as `send_error` instead, and its slot is forgotten.
  void on_send_failed(const reply& r);
  /// The kernel dropped `packets` before they could be read.
  void on_queue_overflow(std::uint64_t packets);

  const server_counters& counters() const { return counters_; }
  /// The `most` remembered clients that asked most often, best first. Reads the
  /// whole table: for people who ask, not for a tick.
  std::vector<client_count> top_clients(std::size_t most) const;

private:
  struct verdict {
    response what = response::ignored;
    reason why = reason::ok;
  };

  verdict judge(std::span<const std::byte> request, const packet_header& header,
                const endpoint& client, mono_time now,
                std::span<std::byte> scratch);
  bool is_own(const endpoint& client) const;
  std::optional<reason> refuse_mode(packet_mode mode) const;
  verdict check_access(const ip_address& client) const;
  packet_header build(const packet_header& request, response what,
                      ntp_timestamp received) const;
  void add_nts(std::size_t limit, std::span<std::byte> out, reply& r);
  void remember(const packet_header& request, const ip_address& client,
                mono_time now, packet_header& answer, reply& r);

  std::shared_ptr<const responder_config> config_;
  served_time time_;
  std::uint64_t hash_key_;
  nts_server nts_;
  rate_limiter limiter_;
  client_table clients_;
  server_counters counters_;
};

} // namespace concert::ntp
