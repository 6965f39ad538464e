#include "ntp_core/responder/client_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

using namespace std::chrono_literals;

namespace {

constexpr auto at = ntp_timestamp::from_bits(0xe800000040000001);
constexpr auto sent = ntp_timestamp::from_bits(0xe800000050000000);

ip_address client(std::uint32_t n) {
  return ip_address::v4({10, static_cast<std::uint8_t>(n >> 16),
                         static_cast<std::uint8_t>(n >> 8),
                         static_cast<std::uint8_t>(n)});
}

client_table::turn ask(client_table& table, const ip_address& from,
                       ntp_timestamp origin, mono_time now,
                       ntp_timestamp receive = at) {
  packet_header h;
  h.origin = origin;
  h.transmit = ntp_timestamp::from_bits(5);
  return table.on_request(from, h, receive, true, now);
}

bool is_remembered(const client_table& table, const ip_address& a) {
  const auto all = table.top(1000);
  return std::any_of(all.begin(), all.end(),
                     [&](const client_count& c) { return c.client == a; });
}

} // namespace

TEST_CASE("of the clients that share a place the one longest unseen makes "
          "room") {
  client_table table{4, 7};
  mono_time now{1h};
  for (std::uint32_t n = 1; n <= 4; ++n)
    ask(table, client(n), {}, now += 1s);
  ask(table, client(1), {}, now += 1s);
  ask(table, client(5), {}, now += 1s);
  CHECK(is_remembered(table, client(1)));
  CHECK(!is_remembered(table, client(2)));
  CHECK(is_remembered(table, client(3)));
  table.count(client(6), now += 1s);
  CHECK(!is_remembered(table, client(3)));
  CHECK(is_remembered(table, client(6)));
}

TEST_CASE("a flood from many addresses takes no more room than there is") {
  client_table table{1000, 7};
  const auto last = client(99'999);
  for (std::uint32_t n = 0; n < 100'000; ++n)
    ask(table, client(n), {}, mono_time{std::chrono::seconds{n}});
  const auto all = table.top(100'000);
  CHECK(all.size() == 1000);
  CHECK(is_remembered(table, last));
  CHECK(std::all_of(all.begin(), all.end(),
                    [](const client_count& c) { return c.requests == 1; }));
}

TEST_CASE("stamps that still come for a client that made room reach nobody") {
  for (const bool answered : {true, false}) {
    client_table table{1, 7};
    std::array<client_slot, 4> old;
    for (std::uint32_t n = 0; n < 4; ++n)
      old[n] = ask(table, client(n), {}, mono_time{1h}).slot;
    for (std::uint32_t n = 4; n < 8; ++n)
      if (answered)
        ask(table, client(n), {}, mono_time{2h});
      else
        table.count(client(n), mono_time{2h});
    for (const auto& slot : old) {
      table.on_send(slot, sent);
      table.on_transmit_stamp(slot, sent);
    }
    for (std::uint32_t n = 4; n < 8; ++n)
      for (const auto& slot : old)
        CHECK(
          !ask(table, client(n), slot.receive, mono_time{3h}).earlier_transmit);
  }
}

TEST_CASE("all requests of one tick of the clock get receive stamps of their "
          "own") {
  client_table table{64, 7};
  std::vector<std::uint64_t> stamps;
  stamps.reserve(500);
  for (int i = 0; i < 500; ++i)
    stamps.push_back(
      ask(table, client(1), {}, mono_time{1h}).slot.receive.bits());
  CHECK(std::all_of(stamps.begin(), stamps.end(),
                    [](std::uint64_t s) { return s % 2 == 1; }));
  std::sort(stamps.begin(), stamps.end());
  CHECK(std::unique(stamps.begin(), stamps.end()) == stamps.end());
}

TEST_CASE("a receive stamp is not moved for one that is really later") {
  client_table table{64, 7};
  const auto later = at + ntp_duration::from_seconds(1e-6);
  ask(table, client(1), {}, mono_time{1h}, later);
  CHECK(ask(table, client(1), {}, mono_time{1h}).slot.receive == at);
}

} // namespace concert::ntp
