#include "ntp_core/responder/client_table.hpp"

#include "ntp_core/access/siphash.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

/// Basic requests in a row after which a client has left interleaved mode.
constexpr std::uint8_t most_basic_requests = 4;
/// A transmit stamp further from the time of sending belongs to nothing.
constexpr auto longest_send = ntp_duration::from_seconds(1);

/// How far a receive stamp may be moved to be unlike those before it: room for
/// 512 of one tick of a clock of nanoseconds.
constexpr auto longest_tick = ntp_duration::from_units(1024);

constexpr bool is_receive_stamp(ntp_timestamp t) {
  return (t.bits() & 1) != 0;
}

/// All that tells one client from another.
std::array<std::uint64_t, 3> identity(const ip_address& client) {
  const auto octets = std::as_bytes(std::span{client.octets()});
  return {read_big_endian<std::uint64_t>(octets, 0),
          read_big_endian<std::uint64_t>(octets, 8),
          std::uint64_t{client.scope_id()} << 1 | (client.is_v4() ? 1 : 0)};
}

} // namespace

client_table::client_table(std::uint32_t clients, std::uint64_t hash_key)
  // Other halves than the rate limiter makes out of the same number.
  : key_{siphash({hash_key, 3}, {}), siphash({hash_key, 4}, {})},
    entries_((std::size_t{clients} + ways - 1) / ways * ways) {
  // nop
}

void client_table::count(const ip_address& client, mono_time now) {
  if (!empty())
    find(client, now);
}

client_table::turn client_table::on_request(const ip_address& client,
                                            const packet_header& request,
                                            ntp_timestamp receive,
                                            bool interleaved, mono_time now) {
  const auto index = find(client, now);
  auto& e = entries_[index];
  turn t;
  if (interleaved && is_receive_stamp(request.origin)
      && request.origin == e.receive && request.receive != request.transmit
      && !e.transmit.is_unknown() && e.scale == scale_) {
    t.earlier_transmit = e.transmit;
    e.stamps_left = most_basic_requests;
  } else if (e.stamps_left > 0) {
    --e.stamps_left;
  }
  // A client that asks more than once in a tick of the clock gets different
  // stamps, and so does one that takes another's place.
  const auto ahead = e.receive - receive;
  if (!e.receive.is_unknown() && ahead >= ntp_duration{}
      && ahead < longest_tick)
    receive = e.receive + ntp_duration::from_units(2);
  e.receive = receive;
  e.transmit = {};
  e.scale = scale_;
  t.slot = {index, receive};
  t.wants_transmit_stamp = interleaved && e.stamps_left > 0;
  return t;
}

void client_table::on_send(const client_slot& slot, ntp_timestamp transmit) {
  if (auto* e = last_reply(slot))
    e->transmit = transmit;
}

void client_table::on_transmit_stamp(const client_slot& slot,
                                     ntp_timestamp transmit) {
  auto* e = last_reply(slot);
  if (e != nullptr && !e->transmit.is_unknown()
      && transmit - e->receive >= ntp_duration{}
      && transmit - e->transmit <= longest_send)
    e->transmit = transmit;
}

void client_table::forget(const client_slot& slot) {
  if (auto* e = last_reply(slot))
    e->receive = e->transmit = {};
}

std::vector<client_count> client_table::top(std::size_t most) const {
  const auto better = [](const client_count& a, const client_count& b) {
    return a.requests != b.requests ? a.requests > b.requests
                                    : a.client < b.client;
  };
  std::vector<client_count> best; // a heap with the least of them in front
  for (const auto& e : entries_) {
    const client_count c{e.client, e.requests};
    if (c.requests == 0 || most == 0)
      continue;
    if (best.size() == most) {
      if (!better(c, best.front()))
        continue;
      std::pop_heap(best.begin(), best.end(), better);
      best.pop_back();
    }
    best.push_back(c);
    std::push_heap(best.begin(), best.end(), better);
  }
  std::sort_heap(best.begin(), best.end(), better);
  return best;
}

std::uint32_t client_table::find(const ip_address& client, mono_time now) {
  const auto hash = siphash(key_, identity(client));
  // The high half chooses the set without bias towards the first ones.
  const auto set = ((hash >> 32) * (entries_.size() / ways)) >> 32;
  auto index = set * ways;
  auto oldest = index;
  for (const auto end = index + ways; index != end; ++index) {
    if (entries_[index].client == client)
      break;
    if (entries_[index].last_seen < entries_[oldest].last_seen)
      oldest = index;
  }
  if (index == (set + 1) * ways) {
    index = oldest;
    auto& e = entries_[index];
    e.client = client;
    e.requests = 0;
    e.stamps_left = 0;
    e.scale = scale_ - 1; // the stamps are those of somebody else
  }
  ++entries_[index].requests;
  entries_[index].last_seen = now;
  return static_cast<std::uint32_t>(index);
}

client_table::entry* client_table::last_reply(const client_slot& slot) {
  if (slot.index >= entries_.size())
    return nullptr;
  auto& e = entries_[slot.index];
  return e.receive == slot.receive && e.scale == scale_ ? &e : nullptr;
}

} // namespace concert::ntp
