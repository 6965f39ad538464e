// The server's side of interleaved mode (RFC 9769 §2).

#include "tests/ntp_core/responder/served.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"

namespace concert::ntp {

using namespace std::chrono_literals;
using test::good_time;
using test::request_header;
using test::served;

namespace {

ntp_duration us(double value) {
  return ntp_duration::from_seconds(value * 1e-6);
}

/// The disciplined time for wall time `t`, as `good_time` has it.
ntp_timestamp disciplined(ntp_timestamp t) {
  return good_time().disciplined(t);
}

/// The kernel sends so much later than the responder is told.
const auto send_delay = us(5);

/// A server on a clock that goes on by 1 s a request.
struct server : served {
  explicit server(responder_config c = {}) : served{std::move(c)} {}

  /// Judges without sending, so that a batch can be played.
  reply judge(const packet_header& request, const endpoint& from) {
    arrival = arrival + ntp_duration::from_seconds(1);
    now += 1s;
    out.assign(header_size, std::byte{});
    last = machine.respond(test::to_octets(request), from, arrival, now, out);
    return last;
  }

  void send(bool kernel_stamps = true) {
    stamp(arrival + us(50));
    left = arrival + us(50) + send_delay;
    if (last.slot && last.wants_transmit_stamp && kernel_stamps)
      machine.on_transmit_stamp(*last.slot, left);
  }

  ntp_timestamp arrival = test::received;
  ntp_timestamp left; ///< when the last reply really left
  mono_time now{1h};
};

/// A client by the letter of RFC 9769, one request at a time.
struct peer {
  explicit peer(const char* address, std::uint64_t seed = 1)
    : from(*endpoint::parse(address)),
      random(seed) {}

  packet_header basic() {
    auto h = request_header();
    h.transmit = ntp_timestamp::from_bits(random.next());
    h.origin = {};
    h.receive = {};
    return h;
  }

  packet_header next() {
    if (!answered)
      return basic();
    auto h = basic();
    h.origin = answer.receive;
    h.receive = ntp_timestamp::from_bits(random.next());
    return h;
  }

  /// Asks and takes the answer; true if it is interleaved.
  bool ask(server& s, const packet_header& request) {
    s.judge(request, from);
    s.send();
    answer = s.answer();
    answered = true;
    CHECK(answer.receive != answer.transmit);
    CHECK((answer.receive.bits() & 1) == 1);
    CHECK((answer.transmit.bits() & 1) == 0);
    CHECK((answer.receive - disciplined(s.arrival)).units() < 4);
    if (s.last.interleaved) {
      CHECK(answer.origin == request.receive);
      CHECK(s.last.why == reason::interleaved);
    } else {
      CHECK(answer.origin == request.transmit);
      CHECK(s.last.why == reason::ok);
    }
    return s.last.interleaved;
  }

  bool ask(server& s) { return ask(s, next()); }

  endpoint from;
  test::seeded_random random;
  packet_header answer;
  bool answered = false;
};

/// Equal but for the bit that tells the kinds of stamps apart.
bool is_stamp(ntp_timestamp stamp, ntp_timestamp wall) {
  const auto off = (stamp - disciplined(wall)).units();
  return off >= -1 && off <= 1;
}

} // namespace

TEST_CASE("the second request that returns a receive stamp is answered with "
          "the time at which the reply before left") {
  server s;
  peer p{"192.0.2.7:40000"};
  CHECK(!p.ask(s));
  CHECK(!s.last.wants_transmit_stamp);
  CHECK(is_stamp(p.answer.transmit, s.arrival + us(50)));
  const auto told = s.arrival + us(50);
  // No stamp was asked for yet: the best is what the first reply said.
  CHECK(p.ask(s));
  CHECK(is_stamp(p.answer.transmit, told));
  CHECK(s.last.wants_transmit_stamp);
  for (int i = 0; i < 5; ++i) {
    const auto left = s.left;
    CHECK(p.ask(s));
    CHECK(is_stamp(p.answer.transmit, left));
    CHECK(s.last.wants_transmit_stamp);
  }
  CHECK(s.machine.counters().at(response::answered, reason::ok) == 1);
  CHECK(s.machine.counters().at(response::answered, reason::interleaved) == 6);
}

TEST_CASE("without the kernel's stamp an interleaved answer says what the "
          "server knew") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  p.ask(s);
  const auto request = p.next();
  s.judge(request, p.from);
  s.send(false);
  p.answer = s.answer();
  const auto told = s.arrival + us(50);
  CHECK(p.ask(s));
  CHECK(is_stamp(p.answer.transmit, told));
}

TEST_CASE("several clients have an interleaved exchange each") {
  server s;
  std::vector<peer> peers;
  for (int i = 1; i <= 20; ++i)
    peers.emplace_back(("192.0.2." + std::to_string(i) + ":123").c_str(), i);
  peers.emplace_back("[2001:db8::1]:123", 21);
  peers.emplace_back("[2001:db8::2]:123", 22); // of one /64, and yet another
  peers.emplace_back("[fe80::1%2]:123", 23);
  peers.emplace_back("[fe80::1%3]:123", 24); // the same on another link
  for (auto& p : peers)
    CHECK(!p.ask(s));
  for (int round = 0; round < 3; ++round)
    for (auto& p : peers)
      CHECK(p.ask(s));
}

TEST_CASE("a client that changes its port goes on") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  p.from.port = 40001;
  CHECK(p.ask(s));
}

TEST_CASE("clients behind one address get basic answers rather than each "
          "other's stamps") {
  server s;
  peer a{"192.0.2.7:40000", 1};
  peer b{"192.0.2.7:50000", 2};
  for (int i = 0; i < 6; ++i) {
    CHECK(!a.ask(s));
    CHECK(!b.ask(s));
  }
  // Once the one is silent, the other has the mode.
  CHECK(a.ask(s) == false);
  CHECK(a.ask(s));
}

TEST_CASE("a receive stamp is good for one answer") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  const auto request = p.next();
  CHECK(p.ask(s, request));
  CHECK(!p.ask(s, request));
  CHECK(!p.ask(s, request));
}

TEST_CASE("one address cannot use another one's stamps") {
  server s;
  peer a{"192.0.2.7:40000"};
  peer b{"192.0.2.8:40000"};
  a.ask(s);
  b.ask(s);
  CHECK(!b.ask(s, a.next()));
  CHECK(a.ask(s));
}

TEST_CASE("requests that return a transmit stamp, or whose stamps are alike, "
          "are basic") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  auto request = p.next();
  request.origin = p.answer.transmit; // as a basic client may
  CHECK(!p.ask(s, request));
  request = p.next();
  request.transmit = request.receive;
  CHECK(!p.ask(s, request));
  request = p.next();
  request.origin = ntp_timestamp::from_bits(p.answer.receive.bits() ^ 1);
  CHECK(!p.ask(s, request));
  request = p.basic();
  request.origin = {};
  CHECK(!p.ask(s, request));
  CHECK(p.ask(s));
}

TEST_CASE(
  "four basic requests in a row end the transmit stamps, fewer do not") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  CHECK(p.ask(s));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 3; ++i) {
      p.ask(s, p.basic());
      CHECK(s.last.wants_transmit_stamp);
    }
    CHECK(p.ask(s));
    CHECK(s.last.wants_transmit_stamp);
  }
  for (int i = 0; i < 3; ++i)
    p.ask(s, p.basic());
  p.ask(s, p.basic());
  CHECK(!s.last.wants_transmit_stamp);
  CHECK(p.ask(s));
  CHECK(s.last.wants_transmit_stamp);
}

TEST_CASE("two requests of a client in one batch get stamps of their own") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  const auto request = p.next();
  std::array<reply, 3> replies;
  std::array<test::octets, 3> bytes;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    bytes[i].resize(header_size);
    // All with one receive stamp, which is what a coarse clock does.
    replies[i] = s.machine.respond(test::to_octets(request), p.from, s.arrival,
                                   s.now, bytes[i]);
  }
  CHECK(replies[0].interleaved);
  CHECK(!replies[1].interleaved);
  CHECK(!replies[2].interleaved);
  const auto first = s.arrival + us(100);
  for (std::size_t i = 0; i < replies.size(); ++i)
    s.machine.stamp(replies[i], bytes[i],
                    first + us(10 * static_cast<double>(i)));
  for (const auto& r : replies)
    s.machine.on_sent(r);
  CHECK(replies[0].slot->receive != replies[1].slot->receive);
  CHECK(replies[1].slot->receive != replies[2].slot->receive);
  // The stamp of an earlier reply does not reach the slot of a later one.
  s.machine.on_transmit_stamp(*replies[0].slot, first + us(500));
  p.answer = *parse_header(bytes[2]);
  CHECK(p.ask(s));
  CHECK(is_stamp(p.answer.transmit, first + us(20)));
}

TEST_CASE("a client that had to make room is answered in basic mode") {
  responder_config c;
  c.clients = 4;
  server s{c};
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  for (int i = 1; i <= 3; ++i)
    peer{("198.51.100." + std::to_string(i) + ":1").c_str()}.ask(s);
  CHECK(p.ask(s));
  // Four others, all seen later.
  const auto before = p.next();
  s.judge(before, p.from);
  auto unsent = s.last;
  auto bytes = s.out;
  for (int i = 11; i <= 14; ++i)
    peer{("198.51.100." + std::to_string(i) + ":1").c_str()}.ask(s);
  // What still comes for the one that is gone is nobody's.
  s.machine.stamp(unsent, bytes, s.arrival);
  s.machine.on_sent(unsent);
  s.machine.on_transmit_stamp(*unsent.slot, s.arrival);
  p.answer = *parse_header(bytes);
  CHECK(!p.ask(s));
  CHECK(p.ask(s));
}

TEST_CASE("stamps of before a step of the clock are void") {
  for (const bool step : {true, false}) {
    server s;
    peer p{"192.0.2.7:40000"};
    p.ask(s);
    CHECK(p.ask(s));
    s.judge(p.next(), p.from);
    const auto waiting = *s.last.slot;
    s.stamp(s.arrival);
    p.answer = s.answer();
    auto t = good_time();
    if (step)
      t.step_count = 1;
    else
      t.valid = false;
    s.machine.on_time(t);
    s.machine.on_transmit_stamp(waiting, s.arrival + us(20));
    const auto request = p.next();
    s.judge(request, p.from);
    s.send();
    CHECK(!s.last.interleaved);
    CHECK(s.answer().origin == request.transmit);
    p.answer = s.answer();
    s.judge(p.next(), p.from);
    CHECK(s.last.interleaved);
  }
}

TEST_CASE("an update of the time without a step voids nothing") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  s.machine.on_time(good_time());
  CHECK(p.ask(s));
}

TEST_CASE("transmit stamps that cannot be are ignored") {
  for (const double wrong_us : {-60.0, -1e6, 1.1e6, 1e9}) {
    server s;
    peer p{"192.0.2.7:40000"};
    p.ask(s);
    p.ask(s);
    s.judge(p.next(), p.from);
    s.send(false);
    const auto told = s.arrival + us(50);
    s.machine.on_transmit_stamp(*s.last.slot, told + us(wrong_us));
    s.machine.on_transmit_stamp(*s.last.slot, {});
    s.machine.on_transmit_stamp({0xffffffff, s.last.slot->receive}, told);
    p.answer = s.answer();
    CHECK(p.ask(s));
    CHECK(is_stamp(p.answer.transmit, told));
  }
}

TEST_CASE("a reply that was not sent leaves nothing to return to") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  CHECK(p.ask(s));
  s.machine.on_send_failed(s.last);
  CHECK(s.machine.counters().at(response::ignored, reason::send_error) == 1);
  CHECK(s.machine.counters().at(response::answered, reason::interleaved) == 0);
  CHECK(!p.ask(s));
}

TEST_CASE("interleaved mode can be switched off, and nobody remembered") {
  for (const std::uint32_t clients : {0, 64}) {
    responder_config c;
    c.interleaved = clients == 0;
    c.clients = clients;
    server s{c};
    peer p{"192.0.2.7:40000"};
    for (int i = 0; i < 4; ++i) {
      CHECK(!p.ask(s));
      CHECK(!s.last.wants_transmit_stamp);
    }
    CHECK(s.last.slot.has_value() == (clients != 0));
  }
}

TEST_CASE("clients are remembered across a change of configuration unless it "
          "concerns their number") {
  server s;
  peer p{"192.0.2.7:40000"};
  p.ask(s);
  responder_config c;
  c.versions = 0b0001'0000;
  s.machine.on_config(std::make_shared<responder_config>(c));
  CHECK(p.ask(s));
  const auto waiting = *s.last.slot;
  c.clients = 16;
  s.machine.on_config(std::make_shared<responder_config>(c));
  s.machine.on_transmit_stamp(waiting, s.arrival);
  CHECK(!p.ask(s));
}

} // namespace concert::ntp
