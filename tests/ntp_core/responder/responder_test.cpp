#include "ntp_core/packet/packet.hpp"
#include "tests/ntp_core/responder/served.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

using namespace std::chrono_literals;
using test::access_of;
using test::client;
using test::field;
using test::from_hex;
using test::good_time;
using test::octets;
using test::received;
using test::request;
using test::request_header;
using test::served;
using test::zeros;

TEST_CASE("a request is answered with the disciplined time") {
  for (std::uint8_t version : {3, 4}) {
    served s;
    const auto r = s.ask(request(version));
    CHECK(r.what == response::answered);
    CHECK(r.why == reason::ok);
    const auto transmit = received + ntp_duration::from_seconds(1e-3);
    s.stamp(transmit);
    const auto h = s.answer();
    CHECK(h.leap == leap_indicator::none);
    CHECK(h.version == version);
    CHECK(h.mode == packet_mode::server);
    CHECK(h.stratum == 3);
    CHECK(h.poll == 7);
    CHECK(h.precision == -24);
    CHECK(h.root_delay.duration().seconds() >= 0.01);
    CHECK(h.root_dispersion.duration().seconds() >= 1e-3);
    CHECK(h.root_dispersion.duration().seconds() < 1.1e-3);
    CHECK(h.reference_id == 0xc0000201);
    CHECK(h.reference_time == good_time().reference_time);
    CHECK(h.origin == request_header().transmit);
    CHECK((h.receive - received).seconds() == doctest::Approx(0.5));
    CHECK((h.transmit - transmit).seconds() == doctest::Approx(0.5));
    CHECK(s.machine.counters().at(response::answered, reason::ok) == 1);
    CHECK(s.machine.counters().versions[version] == 1);
  }
}

TEST_CASE("a server without valid time says that it is not synchronised") {
  served s;
  s.machine.on_time({});
  CHECK(s.ask(request()).what == response::answered);
  const auto h = s.answer();
  CHECK(h.leap == leap_indicator::unsynchronized);
  CHECK(h.stratum == 16);
  CHECK((h.receive - received).units() == 1);
  CHECK(h.root_dispersion.duration().seconds() == 16);
}

TEST_CASE("stratum 16 is never served with a leap that says synchronised") {
  served s;
  auto t = good_time();
  t.stratum = 16;
  s.machine.on_time(t);
  s.ask(request());
  CHECK(s.answer().leap == leap_indicator::unsynchronized);
}

TEST_CASE("stamps are never zero and never in the wrong order") {
  served s;
  s.machine.on_time({});
  octets out(header_size);
  const auto ask = [&](ntp_timestamp at, ntp_timestamp sent) {
    auto r = s.machine.respond(request(), client, at, mono_time{}, out);
    s.machine.stamp(r, out, sent);
    return *parse_header(out);
  };
  const auto end_of_era = ntp_timestamp::from_bits(~std::uint64_t{0});
  const auto after = end_of_era + ntp_duration::from_units(1);
  CHECK(ask(end_of_era, after).transmit.bits() == 2);
  CHECK(ask(end_of_era, end_of_era).transmit.bits() == 2);
  CHECK(ask(after - ntp_duration::from_units(4), after).receive.bits() != 0);
  const auto early = ask(received, received - ntp_duration::from_seconds(1));
  CHECK((early.transmit - early.receive).units() == 1);
  auto t = good_time();
  t.offset_s = 1;
  t.wall_base = ntp_timestamp::from_bits(0) - ntp_duration::from_seconds(1);
  s.machine.on_time(t);
  CHECK(ask(t.wall_base, t.wall_base).receive.bits() == 1);
}

TEST_CASE("receive stamps end in a one bit and transmit stamps in a zero, so "
          "that they are never the same") {
  for (const std::uint32_t clients : {0, 64})
    for (std::int64_t unit = 0; unit < 4; ++unit) {
      responder_config c;
      c.clients = clients;
      c.deny_action = refusal::deny;
      if (unit == 3)
        c.access = access_of({"0.0.0.0/0"});
      served s{c};
      const auto at = received + ntp_duration::from_units(unit);
      s.out.assign(header_size, std::byte{});
      s.last = s.machine.respond(request(), client, at, mono_time{}, s.out);
      s.stamp(at);
      CHECK((s.answer().receive.bits() & 1) == 1);
      CHECK((s.answer().transmit.bits() & 1) == 0);
      CHECK((s.answer().receive - at).seconds() == doctest::Approx(0.5));
    }
}

TEST_CASE("the reference stamp is never later than the receive stamp") {
  served s;
  auto t = good_time();
  t.reference_time = received + ntp_duration::from_seconds(2);
  s.machine.on_time(t);
  s.ask(request());
  CHECK(s.answer().reference_time == s.answer().receive);
}

TEST_CASE("an unknown time of arrival gets no answer") {
  served s;
  octets out(header_size);
  const auto r = s.machine.respond(request(), client, {}, mono_time{}, out);
  CHECK(r.size == 0);
  CHECK(r.why == reason::no_stamp);
}

TEST_CASE("every version in every mode but the client's gets silence "
          "(CVE-2025-58066)") {
  for (std::uint8_t version = 0; version < 8; ++version)
    for (const int mode : {0, 1, 2, 4, 5, 6, 7}) {
      served s;
      auto h = request_header(version);
      h.mode = static_cast<packet_mode>(mode);
      CHECK(s.silent(test::to_octets(h),
                     mode == 1 ? reason::symmetric_active : reason::mode));
    }
}

TEST_CASE("other modes get silence even from denied clients and where NTS is "
          "required") {
  responder_config c;
  c.access = access_of({"0.0.0.0/0", "::/0"});
  c.deny_action = refusal::deny;
  c.require_nts = refusal::deny;
  served s{c};
  auto h = request_header();
  h.mode = packet_mode::server;
  CHECK(s.silent(test::to_octets(h), reason::mode));
  CHECK(s.silent(test::to_octets(h) + field(0x0104, 32) + field(0x0404, 36),
                 reason::mode));
}

TEST_CASE("monlist requests of all lengths get silence (CVE-2013-5211)") {
  served s;
  CHECK(s.silent(from_hex("1700032a00000000"), reason::malformed));
  CHECK(s.silent(from_hex("1700032a") + zeros(44), reason::mode));
  CHECK(s.silent(from_hex("1700032a") + zeros(188), reason::mode));
}

TEST_CASE("mode 7 errors, also from our own address, get silence "
          "(CVE-2009-3563)") {
  responder_config c;
  c.own_endpoints = {*endpoint::parse("192.0.2.1:123")};
  served s{c};
  CHECK(s.silent(from_hex("97000000"), reason::malformed));
  CHECK(s.silent(from_hex("97000000") + zeros(44), reason::mode));
  CHECK(s.silent(from_hex("97000000") + zeros(44), reason::own_port,
                 c.own_endpoints[0]));
}

TEST_CASE(
  "control requests get silence (CVE-2016-7434, -9310, CVE-2019-8936)") {
  served s;
  CHECK(s.silent(from_hex("160200010000000000000000"), reason::malformed));
  for (const auto* start :
       {"1602000100000000", "160a000100000000", "160c000100000000",
        "1606000100000000", "161f000100000000", "1608000100000000ffff",
        "160a00010000000000000036"})
    CHECK(s.silent(from_hex(start) + zeros(48), reason::mode));
}

TEST_CASE("replies of other servers get silence, so that two never talk to "
          "each other") {
  served s;
  s.ask(request());
  const auto answer = octets(s.out.begin(), s.out.begin() + header_size);
  CHECK(s.silent(answer, reason::mode));
}

TEST_CASE("requests from where we listen get silence, from another machine's "
          "port 123 an answer") {
  responder_config c;
  c.own_endpoints = {*endpoint::parse("192.0.2.1:123"),
                     *endpoint::parse("[2001:db8::1]:123")};
  served s{c};
  CHECK(s.silent(request(), reason::own_port, c.own_endpoints[0]));
  CHECK(s.silent(request(), reason::own_port, c.own_endpoints[1]));
  CHECK(s.ask(request(), *endpoint::parse("192.0.2.7:123")).size == 48);
  CHECK(s.ask(request(), *endpoint::parse("192.0.2.1:124")).size == 48);
}

TEST_CASE("packets below 48 octets get silence") {
  served s;
  const auto whole = request();
  for (std::size_t size = 0; size < header_size; ++size)
    CHECK(s.silent({whole.begin(), whole.begin() + static_cast<int>(size)},
                   reason::malformed));
}

TEST_CASE(
  "lengths with a crypto-NAK, a MAC, or nothing that fits get silence") {
  served s;
  for (std::size_t extra :
       {1U, 2U, 3U, 4U, 8U, 12U, 16U, 20U, 24U, 28U, 976U, 1424U, 65459U})
    CHECK(s.silent(request() + zeros(extra), reason::malformed));
}

TEST_CASE("unknown extension fields are skipped and not echoed") {
  served s;
  CHECK(s.ask(request() + field(0x2005, 24)).size == header_size);
  CHECK(s.ask(request() + field(0xf501, 12) + field(0xf323, 1000)).size
        == header_size);
}

TEST_CASE("a unique identifier alone gets a plain answer") {
  served s;
  CHECK(s.ask(request() + field(0x0104, 32)).size == header_size);
}

TEST_CASE("requests that look like NTS get silence, well-formed or not "
          "(CVE-2023-33192, CVE-2023-4012)") {
  served s;
  const auto uid = field(0x0104, 32);
  CHECK(s.silent(request() + uid + field(0x0204, 20) + field(0x0404, 36),
                 reason::malformed));
  CHECK(s.silent(request() + uid + field(0x0204, 100) + field(0x0404, 36),
                 reason::malformed));
  for (const auto* lengths : {"ffffffff", "00030010", "00000000", "fffdfffd"}) {
    auto authenticator = field(0x0404, 36);
    const auto sizes = from_hex(lengths);
    std::copy(sizes.begin(), sizes.end(), authenticator.begin() + 4);
    CHECK(s.silent(request() + uid + authenticator, reason::malformed));
  }
}

TEST_CASE("extension fields whose length lies get silence") {
  served s;
  for (const int length : {0, 3, 4, 12, 30, 40, 0xfffd, 0xfffe, 0xffff})
    CHECK(s.silent(request() + field(0x0104, 32, length), reason::malformed));
}

TEST_CASE("versions that are not served get silence") {
  served s;
  for (const int v : {0, 1, 2, 5, 6, 7})
    CHECK(s.silent(request(static_cast<std::uint8_t>(v)), reason::version));
}

TEST_CASE("a denied client gets a DENY that only its request can have drawn") {
  responder_config c;
  c.access = access_of({"192.0.2.0/24"});
  served s{c};
  const auto r = s.ask(request());
  CHECK(r.what == response::kiss_deny);
  CHECK(r.why == reason::access);
  s.stamp(received);
  const auto h = s.answer();
  CHECK(h.leap == leap_indicator::unsynchronized);
  CHECK(h.stratum == 0);
  CHECK(h.reference_id == code_of("DENY"));
  CHECK(h.origin == request_header().transmit);
  CHECK(!h.receive.is_unknown());
  CHECK(!h.transmit.is_unknown());
  CHECK(s.ask(request(), *endpoint::parse("198.51.100.1:5")).what
        == response::answered);
}

TEST_CASE("deny and allow lists can be silent, and deny comes first") {
  responder_config c;
  c.access = access_of({"192.0.2.0/24"}, {"192.0.0.0/16"});
  c.deny_action = refusal::ignore;
  c.allow_action = refusal::deny;
  served s{c};
  CHECK(s.silent(request(), reason::access));
  CHECK(s.ask(request(), *endpoint::parse("192.0.3.1:5")).what
        == response::answered);
  CHECK(s.ask(request(), *endpoint::parse("10.0.0.1:5")).what
        == response::kiss_deny);
}

TEST_CASE("an empty allow list serves nobody") {
  responder_config c;
  c.access = access_of({}, {});
  served s{c};
  CHECK(s.silent(request(), reason::access));
}

TEST_CASE("a client over its rate gets silence, and so do its DENY kisses") {
  responder_config c;
  c.rate = {64, 1s, 4};
  served s{c};
  for (int i = 0; i < 4; ++i)
    CHECK(s.ask(request()).what == response::answered);
  int answered = 0;
  for (int i = 0; i < 100; ++i)
    answered += s.ask(request()).what == response::answered ? 1 : 0;
  CHECK(answered < 25);
  CHECK(s.machine.counters().at(response::ignored, reason::rate) >= 75);
  c.access = access_of({"0.0.0.0/0", "::/0"});
  s.machine.on_config(std::make_shared<responder_config>(c));
  int kisses = 0;
  for (int i = 0; i < 100; ++i)
    kisses += s.ask(request()).what == response::kiss_deny ? 1 : 0;
  CHECK(kisses < 25);
}

TEST_CASE(
  "a client over its rate may get a RATE that only its request can have "
  "drawn") {
  responder_config c;
  c.rate = {64, 1s, 1, 16, 1};
  served s{c};
  s.ask(request());
  int kisses = 0;
  for (int i = 0; i < 100; ++i) {
    if (s.ask(request()).what != response::kiss_rate)
      continue;
    ++kisses;
    CHECK(s.last.why == reason::rate);
    CHECK(!s.last.slot);
    s.stamp(received);
    const auto h = s.answer();
    CHECK(h.leap == leap_indicator::unsynchronized);
    CHECK(h.stratum == 0);
    CHECK(h.reference_id == code_of("RATE"));
    CHECK(h.origin == request_header().transmit);
  }
  CHECK(kisses > 75);
  CHECK(s.machine.counters().at(response::kiss_rate, reason::rate)
        == static_cast<std::uint64_t>(kisses));
}

TEST_CASE("what gets no answer within the rate gets no RATE beyond it") {
  responder_config c;
  c.rate = {64, 1h, 1, 16, 1};
  c.access = access_of({"198.51.100.0/24"});
  c.deny_action = refusal::ignore;
  served s{c};
  auto server = request_header();
  server.mode = packet_mode::server;
  for (int i = 0; i < 50; ++i) {
    CHECK(s.silent(request(2), reason::version));
    CHECK(s.silent(request() + zeros(20), reason::malformed));
    CHECK(s.silent(test::to_octets(server), reason::mode));
    CHECK(
      s.silent(request(), reason::access, *endpoint::parse("198.51.100.1:5")));
  }
}

TEST_CASE("the time from arrival to sending is counted, kisses included") {
  responder_config c;
  c.access = access_of({"198.51.100.0/24"});
  served s{c};
  s.ask(request());
  s.stamp(received + ntp_duration::from_seconds(30e-6));
  s.ask(request(), *endpoint::parse("198.51.100.1:5"));
  s.stamp(received + ntp_duration::from_seconds(30e-6));
  const auto& latency = s.machine.counters().latency;
  CHECK(latency.total() == 2);
  CHECK(latency.quantile_s(1) == doctest::Approx(32e-6));
}

TEST_CASE("those who asked most are told, whether or not they were answered") {
  responder_config c;
  c.rate = {64, 1h, 2};
  served s{c};
  const auto ask = [&](const char* from, int times) {
    for (int i = 0; i < times; ++i)
      s.ask(request(), *endpoint::parse(from));
  };
  ask("192.0.2.1:1", 3);
  ask("192.0.2.2:1", 50);
  ask("[2001:db8::1]:1", 7);
  const auto top = s.machine.top_clients(2);
  REQUIRE(top.size() == 2);
  CHECK(top[0].client.to_string() == "192.0.2.2");
  CHECK(top[0].requests == 50);
  CHECK(top[1].client.to_string() == "2001:db8::1");
  CHECK(top[1].requests == 7);
  CHECK(s.machine.top_clients(10).size() == 3);
  CHECK(s.machine.top_clients(0).empty());
  c.clients = 0;
  s.machine.on_config(std::make_shared<responder_config>(c));
  ask("192.0.2.1:1", 3);
  CHECK(s.machine.top_clients(10).empty());
}

TEST_CASE("where NTS is required plain requests get DENY or silence") {
  responder_config c;
  c.require_nts = refusal::deny;
  served denying{c};
  CHECK(denying.ask(request()).what == response::kiss_deny);
  CHECK(denying.last.why == reason::nts_required);
  c.require_nts = refusal::ignore;
  served ignoring{c};
  CHECK(ignoring.silent(request(), reason::nts_required));
}

TEST_CASE("each packet counts once, and a failed send moves its count") {
  served s;
  test::seeded_random random;
  for (int i = 0; i < 1000; ++i) {
    octets bytes(random.next() % 120);
    for (auto& b : bytes)
      b = static_cast<std::byte>(random.next() & 0xff);
    s.ask(bytes);
  }
  CHECK(s.machine.counters().total() == 1000);
  const auto answered = s.machine.counters().at(response::answered, reason::ok);
  s.machine.on_send_failed(s.ask(request()));
  s.machine.on_queue_overflow(3);
  const auto& c = s.machine.counters();
  CHECK(c.at(response::answered, reason::ok) == answered);
  CHECK(c.at(response::ignored, reason::send_error) == 1);
  CHECK(c.total() == 1001);
  CHECK(c.queue_overflows == 3);
}

} // namespace concert::ntp
