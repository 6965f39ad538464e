#pragma once

#include "ntp_core/association/association.hpp"
#include "ntp_core/packet/packet.hpp"
#include "tests/ntp_core/support/octets.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace concert::ntp::test {

using namespace std::chrono_literals;

template <class T>
const T* find(const association_actions& actions) {
  for (const auto& a : actions)
    if (const auto* found = std::get_if<T>(&a))
      return found;
  return nullptr;
}

template <class T>
int count(const association_actions& actions) {
  int n = 0;
  for (const auto& a : actions)
    n += std::holds_alternative<T>(a) ? 1 : 0;
  return n;
}

inline bool has_event(const association_actions& actions,
                      association_event::kind what) {
  for (const auto& a : actions)
    if (const auto* e = std::get_if<association_event>(&a);
        e && e->what == what)
      return true;
  return false;
}

/// An association with a clock of its own and a server that is right.
struct driver {
  explicit driver(const association_config& config = {},
                  aead_cipher* nts = nullptr)
    : machine(config, random, now, {}, nts) {}

  /// A stamp of the present, or `ago` before it.
  local_stamp stamp(stamp_kind kind = stamp_kind::daemon,
                    std::chrono::nanoseconds ago = 0ns) const {
    const auto since = now.time_since_epoch() - ago;
    return {ntp_timestamp::from_unix(1'800'000'000s + since),
            raw_time::from_nanoseconds(since), kind};
  }

  /// Goes on to the next deadline.
  association_actions step() {
    REQUIRE(machine.next_deadline());
    now = std::max(now, *machine.next_deadline());
    return machine.on_deadline(now);
  }

  /// Goes on until a request leaves; returns the time that it took.
  std::chrono::nanoseconds poll() {
    const auto before = now;
    for (int i = 0; i < 4 && !asked; ++i)
      note(step());
    REQUIRE(asked);
    asked = false;
    return now - before;
  }

  /// What a good server sends after half of `round_trip`.
  packet_header reply(std::chrono::nanoseconds round_trip = 20ms) const {
    packet_header h;
    h.version = request.version;
    h.mode = packet_mode::server;
    h.stratum = 2;
    h.precision = -20;
    h.reference_id = 0xc0000201;
    h.root_delay = short_format::not_below(ntp_duration::from_seconds(0.01));
    h.root_dispersion = h.root_delay;
    h.origin = request.transmit;
    h.receive = stamp().wall + ntp_duration::from_nanoseconds(round_trip / 2);
    h.transmit = h.receive;
    h.reference_time = h.receive - ntp_duration::from_seconds(30);
    return h;
  }

  association_actions deliver(const octets& bytes,
                              stamp_kind kind = stamp_kind::kernel) {
    const auto actions = machine.on_packet(bytes, stamp(kind), now);
    note(actions);
    return actions;
  }

  /// A whole exchange with transmit stamp and good answer, or that of `change`.
  association_actions exchange(const std::function<void(packet_header&)>& change
                               = {}) {
    poll();
    return answer(change);
  }

  association_actions answer(const std::function<void(packet_header&)>& change
                             = {}) {
    machine.on_transmit_stamp(stamp(stamp_kind::kernel), now);
    auto h = reply();
    now += 20ms;
    if (change)
      change(h);
    return deliver(to_octets(h));
  }

  /// A poll without an answer; returns what its end brought.
  association_actions miss() {
    poll();
    const auto actions = step();
    note(actions);
    return actions;
  }

  /// Ends the initial burst with good answers.
  void end_burst() {
    for (int i = 0; i < 4; ++i)
      exchange();
  }

  void note(const association_actions& actions) {
    measurements += count<measured>(actions);
    ends += count<exchange_over>(actions);
    states += count<state_changed>(actions);
    if (const auto* s = find<send_packet>(actions)) {
      request_bytes.assign(s->bytes.begin(), s->bytes.begin() + s->size);
      request = *parse_header(s->bytes);
      machine.on_sent(stamp(), now);
      asked = true;
    }
  }

  association_snapshot snapshot() const { return machine.snapshot(now); }
  std::uint64_t packets(packet_verdict v) const {
    return snapshot().packets[static_cast<std::size_t>(v)];
  }

  seeded_random random;
  mono_time now{1h};
  association machine;
  packet_header request;
  octets request_bytes; ///< all of it
  int measurements = 0;
  int ends = 0;
  int states = 0;
  bool asked = false; ///< a request left of which `poll` has not told yet
};

} // namespace concert::ntp::test
