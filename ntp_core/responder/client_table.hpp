#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/packet/header.hpp"
#include "ntp_core/responder/counters.hpp"
#include "ntp_core/time/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace concert::ntp {

/// Names a client's slot and the reply in it.
struct client_slot {
  std::uint32_t index = 0;
  ntp_timestamp receive; ///< as in the reply; tells the replies apart
};

/// What a server remembers of its last clients: the stamps of the last reply to
/// each address, for interleaved mode (RFC 9769 §2), and how often it asked. A
/// table of fixed size with a keyed hash: the least recently seen of a few
/// makes room, so that a flood costs memory nothing.
///
/// Receive stamps of replies end in a one bit and transmit stamps in a zero, so
/// that no reply holds the same stamp twice, and a client that returns the one
/// cannot be mistaken for one that returns the other.
class client_table {
public:
  /// Room for at least `clients`; 0 = nobody is remembered. `hash_key` must be
  /// unpredictable.
  client_table(std::uint32_t clients, std::uint64_t hash_key);

  bool empty() const { return entries_.empty(); }

  /// Counts a request that gets no time.
  void count(const ip_address& client, mono_time now);

  /// How to answer a request.
  struct turn {
    client_slot slot; ///< its receive stamp is the reply's
    /// When the reply before left: the answer is interleaved.
    std::optional<ntp_timestamp> earlier_transmit;
    bool wants_transmit_stamp = false;
  };
  /// `request` came from `client` at the disciplined time `receive`, which may
  /// be moved by a few units. Forgets the reply before; the table must not be
  /// empty. `interleaved` = false answers all in basic mode.
  turn on_request(const ip_address& client, const packet_header& request,
                  ntp_timestamp receive, bool interleaved, mono_time now);

  /// The reply of `slot` is about to leave; `transmit` ends in a zero bit.
  void on_send(const client_slot& slot, ntp_timestamp transmit);
  /// The same reply left at `transmit`, as the kernel says. Ignored if that is
  /// before its receive stamp or far from what `on_send` was told.
  void on_transmit_stamp(const client_slot& slot, ntp_timestamp transmit);
  /// The reply of `slot` did not leave.
  void forget(const client_slot& slot);
  /// The scale of the stamps changed: those remembered are void.
  void forget_stamps() { ++scale_; }

  /// The `most` clients that asked most often, best first; reads everything.
  std::vector<client_count> top(std::size_t most) const;

private:
  /// One client: one cache line. Unused ones are those of nobody, who was seen
  /// before everybody else.
  struct alignas(64) entry {
    ip_address client;
    mono_time last_seen = mono_time::min();
    std::uint64_t requests = 0;
    // The last reply: unknown if there is none, or it has not been sent yet.
    ntp_timestamp receive;
    ntp_timestamp transmit;
    std::uint32_t scale = 0;      ///< of these two
    std::uint8_t stamps_left = 0; ///< basic requests till stamps are not taken
  };
  static_assert(sizeof(entry) == 64);

  /// A client can be in so many neighbouring entries.
  static constexpr std::size_t ways = 4;

  /// The index of the client's entry, made if it has none.
  std::uint32_t find(const ip_address& client, mono_time now);
  /// The entry of `slot` while its last reply is still that one.
  entry* last_reply(const client_slot& slot);

  std::array<std::uint64_t, 2> key_{};
  std::uint32_t scale_ = 0;
  std::vector<entry> entries_; // sets of `ways`
};

} // namespace concert::ntp
