#pragma once

#include "ntp_core/association/interleaving.hpp"
#include "ntp_core/association/measurement.hpp"
#include "ntp_core/association/poll_exchange.hpp"
#include "ntp_core/association/snapshot.hpp"
#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/fixed_list.hpp"
#include "ntp_core/nts/nts_client.hpp"
#include "ntp_core/packet/header.hpp"
#include "ntp_core/packet/packet.hpp"
#include "ntp_core/time/random.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

namespace concert::ntp {

struct association_config {
  std::uint8_t version = 4;     ///< 3 or 4
  std::int8_t min_poll = 6;     ///< log2 s, 0..17
  std::int8_t max_poll = 10;    ///< log2 s, min_poll..17
  std::int8_t initial_poll = 6; ///< log2 s
  bool iburst = true;           ///< a few quick polls at the start
  bool interleaved = false;     ///< RFC 9769; basic where the server is
  bool online = true;
  /// Left of the burst budget of this server from an earlier run, 0..8;
  /// one token comes back each 64 s.
  double burst_tokens = 8;
};

/// The caller must open a fresh socket with a random port, send this and then
/// call `on_sent` with the stamp it took just before sending.
struct send_packet {
  std::array<std::byte, nts_client::longest_request> bytes{};
  std::size_t size = header_size;
};

/// The caller must hand this to the steering.
struct measured {
  measurement value;
};

/// The exchange has ended; the caller must close its socket.
struct exchange_over {};

/// A poll ended or the reachability changed; the caller must tell the steering
/// of the new snapshot.
struct state_changed {};

/// The server refuses us for good (unanswered after DENY): the caller must end
/// this association and not use the address again.
struct demobilize {};

/// Silent for too long: the caller must look for another address.
struct reset {};

/// There is no cookie left, or the server does not accept what we have: the
/// caller must make a key exchange, again and again with growing pauses, and
/// then call `give_credentials`. Comes once until then.
struct nts_keys_needed {};

/// An answer brought cookies: the caller may store `credentials()`.
struct nts_cookies_changed {};

/// Something people may want to read (rate-limited by the caller).
struct association_event {
  enum class kind : std::uint8_t {
    reachable,
    unreachable,
    kiss_rate, ///< poll interval raised
    kiss_deny,
  } what{};
};

using association_action
  = std::variant<state_changed, send_packet, measured, exchange_over,
                 demobilize, reset, nts_keys_needed, nts_cookies_changed,
                 association_event>;
using association_actions = fixed_list<association_action, 8>;

/// The client side of one server (RFC 5905 §9 in client mode): asks, checks,
/// measures. No transport: the caller moves the bytes and takes the stamps.
///
/// The first packet that quotes the request's random transmit stamp (or, where
/// interleaved mode was asked for, its random receive stamp) is its one answer
/// and ends the exchange, whether the answer can be used or not; all other
/// packets count their verdict and change nothing else. Only an answer
/// that can be used counts for the reachability (RFC 5905 §9.2 sets `reach`
/// after the tests of synchronisation and distance).
///
/// With NTS, nothing of a packet is believed before its authenticator was
/// right, so that packets of others, kisses among them, end no exchange. A
/// refusal (NTSN), which nothing protects, is only remembered: if no authentic
/// answer comes in time, other keys are wanted. Polls go on while there are
/// cookies, pause without them, and go on when they are given.
class association {
public:
  /// First poll is due `start_delay` after `now`. With a cipher the server is
  /// asked with NTS, in version 4, and never without. `random` and `nts` must
  /// outlive this.
  association(const association_config& config, random_source& random,
              mono_time now, std::chrono::nanoseconds start_delay = {},
              aead_cipher* nts = nullptr);

  /// After a key exchange, or at the start what an earlier run had left. A poll
  /// that waited for it is due `now`. Without NTS nothing happens.
  void give_credentials(nts_credentials credentials, mono_time now);
  /// What is left of them, to be kept over a restart; null if there are none.
  const nts_credentials* credentials() const;

  /// The request left at `t1`, a daemon stamp. A kernel or hardware stamp may
  /// follow by `on_transmit_stamp`.
  void on_sent(const local_stamp& t1, mono_time now);
  /// The request could not be sent (no route, no permission); counts as an
  /// unanswered poll and never shortens an interval.
  association_actions on_send_failed(mono_time now);
  /// A better transmit stamp of the outstanding request.
  association_actions on_transmit_stamp(const local_stamp& t1, mono_time now);
  /// A datagram from the server's address and port.
  association_actions on_packet(std::span<const std::byte> bytes,
                                const local_stamp& t4, mono_time now);
  association_actions on_deadline(mono_time now);
  std::optional<mono_time> next_deadline() const;

  /// The wall clock was stepped: an exchange under way is dropped, and one that
  /// waits for its interleaved stamp. The next deadline is then `now`, to close
  /// the former.
  void on_clock_stepped(mono_time now);
  /// The discipline's wish, log2 s; kept within the limits and the manners.
  void set_desired_poll(std::int8_t poll, mono_time now);
  /// Ask a few times, soon (suspend, step by others, network change), spread
  /// over up to `spread`, within the burst budget.
  void request_poll(mono_time now, std::chrono::nanoseconds spread);
  /// `ntp-ctl online|offline`: offline means no packets. An exchange under way
  /// is dropped; the reachability stays as it is.
  void set_online(bool online, mono_time now);
  /// A person wants some polls at once: up to four, as at a start, each paid
  /// from the burst budget. Returns how many that makes; 0 = none, since it is
  /// offline, has refused us, waits for keys, polls quickly already, or has
  /// nothing left of its budget.
  int request_burst(mono_time now);
  /// Another configuration of the same server and version: limits of the poll
  /// interval, interleaved mode, online. What the server asked for (RATE) still
  /// holds within the limits; `initial_poll`, `iburst` and `burst_tokens`
  /// concern a start, and do nothing.
  void on_config(const association_config& config, mono_time now);

  association_snapshot snapshot(mono_time now) const;

private:
  packet_verdict judge_exchange(std::span<const std::byte> bytes, mono_time now,
                                packet& answer) const;
  packet_verdict authenticate(const packet& answer,
                              std::span<const std::byte> bytes,
                              association_actions& out);
  void want_keys(association_actions& out);
  bool waits_for_keys() const;
  measurement measure(const packet_header& header, const local_stamp& t4,
                      mono_time now) const;
  local_stamp checked_receive_stamp(const local_stamp& t4, mono_time now) const;
  bool is_plausible(const local_stamp& stamp, mono_time now) const;
  void count(packet_verdict v, bool is_answer);

  send_packet start_poll(mono_time now);
  void set_limits(std::int8_t min_poll, std::int8_t max_poll, mono_time now);
  void schedule_next_poll(mono_time now);
  void end_early_polls();
  void on_rate_kiss(mono_time now);
  void remember_server(const packet_header& header, mono_time now);
  void finish_measurement(association_actions& out);
  void end_without_answer(association_actions& out);
  void end_poll(bool answered, association_actions& out);
  void drop_exchange(mono_time now);

  std::int8_t effective_poll() const;
  std::chrono::nanoseconds regular_interval();
  double tokens_at(mono_time now) const;
  bool take_token(mono_time now);
  void return_token();

  association_config config_;
  random_source* random_;
  association_snapshot view_; // counters, and what the last answer said
  bool online_;
  bool denied_ = false; // DENY or RSTR since the last good answer
  bool demobilized_ = false;

  std::optional<poll_exchange> exchange_;
  std::optional<poll_exchange> expired_; // the last that went unanswered
  interleaving interleaving_;
  std::optional<nts_client> nts_;
  bool keys_wanted_ = false; // since the last `give_credentials`
  std::uint32_t misses_ = 0; // polls in a row without a usable answer
  std::uint32_t next_reset_; // misses at which to ask for another address

  mono_time next_poll_;
  std::optional<mono_time> last_poll_;
  bool next_is_early_ = false; // `next_poll_` was paid with a token
  int burst_left_ = 0;         // polls of the burst after the next one
  std::int8_t desired_poll_;   // log2 s, as wished
  std::int8_t kiss_min_poll_;  // what RATE made of the minimum
  int good_since_kiss_ = 0;
  double tokens_; // at `tokens_time_`
  mono_time tokens_time_;
};

} // namespace concert::ntp
