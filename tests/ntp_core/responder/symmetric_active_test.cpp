#include "tests/ntp_core/responder/served.hpp"

namespace concert::ntp {

using namespace std::chrono_literals;
using test::access_of;
using test::field;
using test::octets;
using test::received;
using test::request_header;
using test::served;

namespace {

octets peer_request() {
  auto h = request_header();
  h.mode = packet_mode::symmetric_active;
  h.stratum = 2;
  return test::to_octets(h);
}

responder_config answering() {
  responder_config c;
  c.answer_symmetric_active = true;
  return c;
}

} // namespace

TEST_CASE("peers are answered in mode 2 if that is wanted, and counted apart") {
  served s{answering()};
  const auto r = s.ask(peer_request());
  CHECK(r.what == response::answered);
  CHECK(r.why == reason::symmetric_active);
  s.stamp(received);
  CHECK(s.answer().mode == packet_mode::symmetric_passive);
  CHECK(s.answer().stratum == 3);
  CHECK(s.answer().origin == request_header().transmit);
  CHECK(s.machine.counters().at(response::answered, reason::symmetric_active)
        == 1);
  CHECK(s.machine.counters().versions[4] == 1);
}

TEST_CASE("nothing is remembered of a peer") {
  served s{answering()};
  CHECK(!s.ask(peer_request()).slot);
  s.stamp(received);
  auto h = request_header();
  h.mode = packet_mode::symmetric_active;
  h.origin = s.answer().receive;
  s.ask(test::to_octets(h));
  CHECK(s.last.why == reason::symmetric_active);
  CHECK(s.answer().origin == h.transmit);
  CHECK(s.machine.top_clients(1).empty());
}

TEST_CASE("peers are subject to access, rate and contents like others") {
  auto c = answering();
  c.access = access_of({"198.51.100.0/24"});
  c.deny_action = refusal::ignore;
  c.rate = {64, 1h, 3, 16};
  served s{c};
  CHECK(s.silent(peer_request(), reason::access,
                 *endpoint::parse("198.51.100.1:123")));
  CHECK(s.silent(peer_request() + field(0x0404, 36), reason::malformed));
  for (int i = 0; i < 100; ++i)
    s.ask(peer_request());
  CHECK(s.machine.counters().at(response::ignored, reason::rate) > 75);
}

TEST_CASE("a peer that is denied hears so in the mode that it listens to") {
  auto c = answering();
  c.access = access_of({"0.0.0.0/0"});
  served s{c};
  CHECK(s.ask(peer_request()).what == response::kiss_deny);
  CHECK(s.answer().mode == packet_mode::symmetric_passive);
}

TEST_CASE("two servers that answer peers never talk to each other") {
  auto c = answering();
  c.own_endpoints = {*endpoint::parse("192.0.2.1:123")};
  served s{c};
  s.ask(peer_request());
  const auto answer = octets(s.out.begin(), s.out.begin() + header_size);
  CHECK(s.silent(answer, reason::mode));
  CHECK(s.silent(peer_request(), reason::own_port, c.own_endpoints[0]));
}

} // namespace concert::ntp
