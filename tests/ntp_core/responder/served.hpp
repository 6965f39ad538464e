#pragma once

#include "ntp_core/responder/responder.hpp"
#include "tests/ntp_core/support/octets.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

/// A responder with its clients, for tests.
namespace concert::ntp::test {

inline constexpr auto received = ntp_timestamp::from_bits(0xe800000040000000);
inline const auto client = *endpoint::parse("192.0.2.7:40000");

inline packet_header request_header(std::uint8_t version = 4) {
  packet_header h;
  h.version = version;
  h.mode = packet_mode::client;
  h.poll = 7;
  h.transmit = ntp_timestamp::from_bits(0x0123456789abcdef);
  return h;
}

inline octets request(std::uint8_t version = 4) {
  return to_octets(request_header(version));
}

inline served_time good_time() {
  served_time t;
  t.valid = true;
  t.leap = leap_indicator::none;
  t.stratum = 3;
  t.reference_id = 0xc0000201;
  t.precision = -24;
  t.reference_time = received - ntp_duration::from_seconds(10);
  t.root_delay = ntp_duration::from_seconds(0.01);
  t.wall_base = received - ntp_duration::from_seconds(10);
  t.offset_s = 0.5;
  t.variance_base = 1e-6;
  return t;
}

/// Who lies in one of `deny` is denied, who lies in none of `allow` outside.
inline access_table access_of(std::initializer_list<std::string_view> deny,
                              std::initializer_list<std::string_view> allow
                              = {"0.0.0.0/0", "::/0"}) {
  const auto parse = [](auto texts) {
    std::vector<ip_prefix> prefixes;
    for (const auto text : texts)
      prefixes.push_back(*ip_prefix::parse(text));
    return prefixes;
  };
  return {parse(deny), parse(allow), access_order::deny_first};
}

/// A responder with one client.
struct served {
  explicit served(responder_config config = {})
    : machine(std::make_shared<responder_config>(std::move(config)), 42,
              &cipher, &random) {
    machine.on_time(good_time());
  }

  reply ask(const octets& bytes, const endpoint& from = client) {
    using namespace std::chrono_literals;
    out.assign(std::max(bytes.size(), header_size), std::byte{0xaa});
    last = machine.respond(bytes, from, received, mono_time{1h}, out);
    CHECK(last.size <= bytes.size());
    CHECK((last.size == 0) == (last.what == response::ignored));
    return last;
  }

  void stamp(ntp_timestamp transmit) {
    machine.stamp(last, std::span{out}.first(last.size), transmit);
    machine.on_sent(last);
  }

  packet_header answer() {
    REQUIRE(last.size == header_size);
    return *parse_header(std::span{out}.first(last.size));
  }

  bool silent(const octets& bytes, reason why, const endpoint& from = client) {
    const auto before = machine.counters().at(response::ignored, why);
    const auto r = ask(bytes, from);
    return r.what == response::ignored && r.why == why
           && machine.counters().at(response::ignored, why) == before + 1;
  }

  toy_cipher cipher;
  seeded_random random;
  responder machine;
  octets out;
  reply last;
};

} // namespace concert::ntp::test
