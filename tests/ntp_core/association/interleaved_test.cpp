// The client's side of interleaved mode (RFC 9769 §2).

#include "tests/ntp_core/association/driver.hpp"

#include <map>
#include <set>
#include <vector>

namespace concert::ntp {

using test::count;
using test::driver;
using test::find;
using test::has_event;
using namespace std::chrono_literals;

namespace {

constexpr double ahead_s = 0.25;  ///< the server's clock against ours
constexpr double way_s = 0.01;    ///< each way
constexpr double hold_s = 50e-6;  ///< from arrival to departure there
constexpr double early_s = 10e-6; ///< what a basic answer tells of itself
constexpr double exact_s = 2e-9;

ntp_duration seconds(double s) {
  return ntp_duration::from_seconds(s);
}

/// A server by the letter of RFC 9769, which knows late when a reply left.
struct server {
  bool knows_mode = true;
  std::size_t room = 100;                      ///< replies that are remembered
  std::map<std::uint64_t, ntp_timestamp> left; ///< by receive stamp
  std::vector<std::uint64_t> order;

  packet_header answer(const driver& d, const packet_header& request) {
    auto h = d.reply();
    h.receive = d.stamp().wall + seconds(ahead_s + way_s);
    const auto leaves = h.receive + seconds(hold_s);
    h.origin = request.transmit;
    h.transmit = leaves - seconds(early_s);
    h.reference_time = h.receive - seconds(0.001);
    const auto known = left.find(request.origin.bits());
    if (knows_mode && known != left.end()
        && request.receive != request.transmit) {
      h.origin = request.receive;
      h.transmit = known->second;
      left.erase(known);
    }
    remember(h.receive, leaves);
    return h;
  }

  void remember(ntp_timestamp receive, ntp_timestamp transmit) {
    left[receive.bits()] = transmit;
    order.push_back(receive.bits());
    if (order.size() > room)
      left.erase(order[order.size() - room - 1]);
  }
};

association_config interleaved() {
  association_config c;
  c.interleaved = true;
  return c;
}

/// The association, the server and the way between them.
struct pair : driver {
  pair() : driver(interleaved()) {}

  /// The answer to the request that has just left, and its way back.
  packet_header ask() {
    poll();
    machine.on_transmit_stamp(stamp(stamp_kind::kernel), now);
    auto h = peer.answer(*this, request);
    now += ntp::nanoseconds_of(2 * way_s + hold_s);
    return h;
  }

  association_actions turn() { return deliver(test::to_octets(ask())); }

  /// Until the next request is one that can be answered with news.
  void begin() {
    turn();
    turn();
    REQUIRE(snapshot().interleaved_answers == 1);
  }

  server peer;
};

bool is_basic(const packet_header& request) {
  return request.origin.is_unknown() && request.receive.is_unknown();
}

void check_exact(const measurement& m) {
  CHECK(std::abs(m.offset().seconds() - ahead_s) < exact_s);
  CHECK(std::abs(m.delay().seconds() - 2 * way_s) < exact_s);
}

/// A basic answer's T3 is early, which looks like a longer way back.
void check_early(const measurement& m) {
  CHECK(std::abs(m.offset().seconds() - ahead_s + early_s / 2) < exact_s);
  CHECK(std::abs(m.delay().seconds() - 2 * way_s - early_s) < exact_s);
}

/// Sends `forged` made of the genuine answer, which is taken afterwards as if
/// nothing had come before.
void check_ignored(const std::function<void(pair&, packet_header&)>& change,
                   packet_verdict v) {
  pair d;
  d.begin();
  const auto h = d.ask();
  auto forged = h;
  change(d, forged);
  const auto before = d.snapshot();
  CHECK(d.deliver(test::to_octets(forged)).empty());
  const auto after = d.snapshot();
  CHECK(d.packets(v) == before.packets[static_cast<std::size_t>(v)] + 1);
  CHECK(after.reachability == before.reachability);
  CHECK(after.poll == before.poll);
  CHECK(after.interleaved_answers == before.interleaved_answers);
  const auto actions = d.deliver(test::to_octets(h));
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  check_exact(m->value);
}

/// An interleaved answer with `change` made ends the exchange without any
/// measurement.
void check_unusable(const std::function<void(packet_header&)>& change,
                    packet_verdict v) {
  pair d;
  d.begin();
  auto h = d.ask();
  REQUIRE(h.origin == d.request.receive);
  change(h);
  const auto actions = d.deliver(test::to_octets(h));
  CHECK(!find<measured>(actions));
  CHECK(count<exchange_over>(actions) == 1);
  CHECK(d.packets(v) == 1);
  CHECK(d.snapshot().last_verdict == v);
  CHECK(d.snapshot().reachability == 0b110);
  CHECK(d.snapshot().interleaved_answers == 1);
}

} // namespace

TEST_CASE("without being told to, nobody asks in interleaved mode") {
  driver d;
  for (int i = 0; i < 3; ++i) {
    d.exchange();
    CHECK(is_basic(d.request));
  }
}

TEST_CASE(
  "a request for interleaved mode tells the server's last receive stamp "
  "and two random numbers") {
  pair d;
  const auto first = d.ask();
  CHECK(is_basic(d.request));
  d.deliver(test::to_octets(first));
  auto last = first;
  std::set<std::uint64_t> random{d.request.transmit.bits()};
  for (int i = 0; i < 200; ++i) {
    const auto h = d.ask();
    packet_header expected;
    expected.version = 4;
    expected.mode = packet_mode::client;
    expected.poll = 6;
    expected.origin = last.receive;
    expected.receive = d.request.receive;
    expected.transmit = d.request.transmit;
    CHECK(d.request == expected);
    CHECK(random.insert(d.request.receive.bits()).second);
    CHECK(random.insert(d.request.transmit.bits()).second);
    d.deliver(test::to_octets(h));
    last = h;
  }
  std::uint64_t all_and = ~std::uint64_t{0};
  std::uint64_t all_or = 0;
  for (const auto bits : random) {
    all_and &= bits;
    all_or |= bits;
  }
  CHECK(all_and == 0);
  CHECK(all_or == ~std::uint64_t{0});
}

TEST_CASE("transmit and receive stamps differ, whatever the random numbers") {
  struct constant_random : random_source {
    explicit constant_random(std::uint64_t v) : value(v) {}
    std::uint64_t next() override { return value; }
    std::uint64_t value;
  };
  for (const auto value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                           ~std::uint64_t{0}}) {
    constant_random random{value};
    driver d;
    d.machine = {interleaved(), random, d.now};
    d.exchange();
    d.poll();
    CHECK(!d.request.transmit.is_unknown());
    CHECK(!d.request.receive.is_unknown());
    CHECK(d.request.transmit != d.request.receive);
  }
}

TEST_CASE(
  "an interleaved answer completes the exchange before it, and is better "
  "by what the basic one was early") {
  pair d;
  const auto basic = d.turn();
  REQUIRE(find<measured>(basic));
  check_early(find<measured>(basic)->value);
  // It has made its measurement: no better one follows.
  const auto second = d.turn();
  CHECK(!find<measured>(second));
  CHECK(count<state_changed>(second) == 1);
  CHECK(count<exchange_over>(second) == 1);
  const auto asked = d.request;
  const auto then = d.now;
  const auto third = d.turn();
  REQUIRE(find<measured>(third));
  const auto& m = find<measured>(third)->value;
  check_exact(m);
  CHECK(m.received_at == then);
  CHECK(m.t4.raw == raw_time::from_nanoseconds(then.time_since_epoch()));
  CHECK(m.t2 == d.request.origin);
  CHECK(asked.transmit != d.request.transmit);
  CHECK(m.t1.kind == stamp_kind::kernel);
  CHECK(m.t4.kind == stamp_kind::kernel);
  CHECK(d.snapshot().interleaved_answers == 2);
  CHECK(d.snapshot().reachability == 0b111);
}

TEST_CASE("the completed exchange has the best stamp of its request") {
  pair d;
  d.turn();
  d.poll();
  const auto t1 = d.stamp(stamp_kind::hardware);
  auto h = d.peer.answer(d, d.request);
  d.now += ntp::nanoseconds_of(2 * way_s + hold_s);
  CHECK(d.deliver(test::to_octets(h)).empty());
  // The transmit stamp comes after the answer.
  CHECK(count<exchange_over>(d.machine.on_transmit_stamp(t1, d.now)) == 1);
  const auto actions = d.turn();
  REQUIRE(find<measured>(actions));
  CHECK(find<measured>(actions)->value.t1.kind == stamp_kind::hardware);
  check_exact(find<measured>(actions)->value);
}

TEST_CASE("each exchange is measured once, and all but one of them") {
  pair d;
  std::optional<raw_time> last;
  for (int i = 0; i < 50; ++i) {
    const auto actions = d.turn();
    CHECK(count<measured>(actions) == (i == 1 ? 0 : 1));
    if (const auto* m = find<measured>(actions)) {
      CHECK((!last || m->value.t1.raw > *last));
      last = m->value.t1.raw;
    }
  }
}

TEST_CASE("a server without the mode is measured in basic mode for ever, and "
          "asked again each time") {
  pair d;
  d.peer.knows_mode = false;
  for (int i = 0; i < 20; ++i) {
    const auto actions = d.turn();
    CHECK(is_basic(d.request) == (i == 0));
    REQUIRE(find<measured>(actions));
    check_early(find<measured>(actions)->value);
  }
  CHECK(d.snapshot().interleaved_answers == 0);
  CHECK(d.packets(packet_verdict::accepted) == 20);
}

TEST_CASE(
  "what has the mode of its server's state in it is the newest answer's") {
  pair d;
  d.begin();
  auto h = d.ask();
  h.stratum = 7;
  h.leap = leap_indicator::insert_second;
  const auto actions = d.deliver(test::to_octets(h));
  REQUIRE(find<measured>(actions));
  // The measurement's is of its own time.
  CHECK(find<measured>(actions)->value.stratum == 2);
  CHECK(d.snapshot().stratum == 7);
  CHECK(d.snapshot().leap == leap_indicator::insert_second);
}

TEST_CASE("any loss costs samples, and makes no wrong one") {
  enum class fate { arrives, request_lost, reply_lost };
  constexpr int length = 7;
  int patterns = 1;
  for (int i = 0; i < length; ++i)
    patterns *= 3;
  for (int pattern = 0; pattern < patterns; ++pattern) {
    CAPTURE(pattern);
    pair d;
    std::set<std::int64_t> measured_t1;
    int rest = pattern;
    int in_a_row = 0;
    for (int i = 0; i < length + 3; ++i) {
      const auto f = i < length ? static_cast<fate>(rest % 3) : fate::arrives;
      rest /= 3;
      association_actions actions;
      if (f == fate::arrives) {
        const auto h = d.ask();
        const bool basic = h.origin == d.request.transmit;
        actions = d.deliver(test::to_octets(h));
        ++in_a_row;
        if (const auto* m = find<measured>(actions)) {
          if (basic)
            check_early(m->value);
          else
            check_exact(m->value);
          CHECK(
            measured_t1.insert(m->value.t1.raw.since_origin().units()).second);
          CHECK(m->value.t1.raw.since_origin().units()
                == *measured_t1.rbegin());
        }
        // One is basic, one brings nothing new, and then each brings one.
        CHECK((in_a_row < 3 || find<measured>(actions)));
      } else {
        d.poll();
        if (f == fate::reply_lost)
          d.peer.answer(d, d.request);
        actions = d.step();
        d.note(actions);
        in_a_row = 0;
        CHECK(!find<measured>(actions));
      }
    }
  }
}

TEST_CASE("after a lost request the next answer still completes") {
  pair d;
  d.begin();
  const auto last = d.peer.order.back();
  for (int i = 0; i < 3; ++i) {
    d.miss();
    CHECK(d.request.origin.bits() == last);
  }
  const auto actions = d.turn();
  REQUIRE(find<measured>(actions));
  CHECK(find<measured>(actions)->value.t2.bits() == last);
  check_exact(find<measured>(actions)->value);
}

TEST_CASE("four missed polls in a row give the exchange up") {
  pair d;
  d.begin();
  for (int i = 0; i < 4; ++i) {
    d.miss();
    CHECK(!is_basic(d.request));
  }
  const auto actions = d.turn();
  CHECK(is_basic(d.request));
  REQUIRE(find<measured>(actions));
  check_early(find<measured>(actions)->value);
  d.turn();
  CHECK(!is_basic(d.request));
}

TEST_CASE("requests that could not be sent are missed polls") {
  pair d;
  d.begin();
  for (int i = 0; i < 4; ++i) {
    d.poll();
    d.note(d.machine.on_send_failed(d.now));
  }
  d.poll();
  CHECK(is_basic(d.request));
}

TEST_CASE("a server that has restarted is measured in basic mode first") {
  pair d;
  d.begin();
  d.peer.left.clear();
  const auto basic = d.turn();
  REQUIRE(find<measured>(basic));
  check_early(find<measured>(basic)->value);
  CHECK(!find<measured>(d.turn()));
  const auto actions = d.turn();
  REQUIRE(find<measured>(actions));
  check_exact(find<measured>(actions)->value);
}

TEST_CASE("a second client behind the same address takes the server's memory "
          "away, and nothing else") {
  pair d;
  d.peer.room = 1;
  for (int i = 0; i < 20; ++i) {
    const auto actions = d.turn();
    REQUIRE(find<measured>(actions));
    check_early(find<measured>(actions)->value);
    // The other one asks between our polls.
    d.peer.remember(ntp_timestamp::from_bits(d.random.next() | 1), {});
  }
  CHECK(d.snapshot().interleaved_answers == 0);
}

TEST_CASE("a step of the clock drops what waits for its stamp") {
  pair d;
  d.begin();
  d.machine.on_clock_stepped(d.now);
  const auto actions = d.turn();
  CHECK(is_basic(d.request));
  REQUIRE(find<measured>(actions));
  check_early(find<measured>(actions)->value);
}

TEST_CASE("a step of the clock between request and answer drops both") {
  pair d;
  d.begin();
  const auto h = test::to_octets(d.ask());
  d.machine.on_clock_stepped(d.now);
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
  d.note(d.step());
  d.turn();
  CHECK(is_basic(d.request));
}

TEST_CASE("being offline drops what waits for its stamp") {
  pair d;
  d.begin();
  d.machine.set_online(false, d.now);
  d.now += 1h;
  d.machine.set_online(true, d.now);
  d.poll();
  CHECK(is_basic(d.request));
}

TEST_CASE("an interleaved answer is none to a basic request (CVE-2016-1548)") {
  // Zero, as in the receive stamp of our request, or what we know of the peer.
  pair d;
  d.turn();
  d.machine.on_clock_stepped(d.now);
  const auto last = d.peer.order.back();
  const auto h = d.ask();
  REQUIRE(is_basic(d.request));
  for (const auto origin : {std::uint64_t{0}, last}) {
    auto forged = h;
    forged.origin = ntp_timestamp::from_bits(origin);
    CHECK(d.deliver(test::to_octets(forged)).empty());
  }
  CHECK(d.packets(packet_verdict::bogus_origin) == 2);
  CHECK(find<measured>(d.deliver(test::to_octets(h))));
}

TEST_CASE("only this request's two random numbers make an answer "
          "(CVE-2016-1548, CVE-2015-8138)") {
  constexpr auto bogus = packet_verdict::bogus_origin;
  check_ignored([](pair&, auto& h) { h.origin = {}; }, bogus);
  // The server's stamp that the request quotes, which others may have seen.
  check_ignored([](pair& d, auto& h) { h.origin = d.request.origin; }, bogus);
  check_ignored([](pair&, auto& h) { h.origin = h.receive; }, bogus);
  check_ignored([](pair&, auto& h) { h.origin = h.transmit; }, bogus);
  check_ignored([](pair& d, auto& h) { h.origin = d.stamp().wall; }, bogus);
  check_ignored(
    [](pair&, auto& h) {
      h.origin = ntp_timestamp::from_bits(h.origin.bits() ^ 1);
    },
    bogus);
}

TEST_CASE("packets in other modes, versions and with MACs change nothing in "
          "interleaved mode") {
  check_ignored([](pair&, auto& h) { h.mode = packet_mode::symmetric_passive; },
                packet_verdict::wrong_mode);
  check_ignored([](pair&, auto& h) { h.mode = packet_mode::broadcast; },
                packet_verdict::wrong_mode);
  check_ignored([](pair&, auto& h) { h.version = 3; },
                packet_verdict::wrong_version);
  pair d;
  d.begin();
  const auto h = test::to_octets(d.ask());
  CHECK(d.deliver(test::octets{h} + test::zeros(4)).empty());
  CHECK(d.deliver(test::octets{h} + test::zeros(20)).empty());
  CHECK(d.packets(packet_verdict::malformed) == 2);
  CHECK(find<measured>(d.deliver(h)));
}

TEST_CASE("kisses with a wrong origin change nothing in interleaved mode "
          "(CVE-2015-7704)") {
  for (const auto code : {code_of("RATE"), code_of("DENY")})
    check_ignored(
      [=](pair& d, auto& h) {
        h.leap = leap_indicator::unsynchronized;
        h.stratum = 0;
        h.reference_id = code;
        h.origin = d.request.origin;
      },
      packet_verdict::bogus_origin);
}

TEST_CASE("replays of all earlier answers change nothing (CVE-2016-1548)") {
  pair d;
  std::vector<test::octets> seen;
  for (int i = 0; i < 5; ++i) {
    const auto h = test::to_octets(d.ask());
    for (const auto& old : seen)
      CHECK(d.deliver(old).empty());
    CHECK(count<exchange_over>(d.deliver(h)) == 1);
    seen.push_back(h);
    for (const auto& old : seen)
      CHECK(d.deliver(old).empty());
  }
  CHECK(d.packets(packet_verdict::bogus_origin) == 10);
  CHECK(d.packets(packet_verdict::unsolicited) == 15);
  CHECK(d.packets(packet_verdict::accepted) == 5);
  CHECK(d.measurements == 4);
  CHECK(d.snapshot().interleaved_answers == 4);
}

TEST_CASE("the two ways to answer one request make one answer") {
  for (const bool basic_first : {true, false}) {
    pair d;
    d.begin();
    const auto completing = d.ask();
    auto basic = completing;
    basic.origin = d.request.transmit;
    basic.transmit = basic.receive + seconds(hold_s - early_s);
    const auto first
      = d.deliver(test::to_octets(basic_first ? basic : completing));
    CHECK(count<measured>(first) == 1);
    CHECK(d.deliver(test::to_octets(basic_first ? completing : basic)).empty());
    CHECK(d.packets(packet_verdict::unsolicited) == 1);
  }
}

TEST_CASE("an interleaved answer after the reply window is late") {
  pair d;
  for (int i = 0; i < 4; ++i) // the burst
    d.turn();
  const auto h = test::to_octets(d.ask());
  d.now += 5s;
  CHECK(d.deliver(h).empty());
  d.note(d.step());
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::late) == 2);
  // The server has used its stamp up.
  const auto actions = d.turn();
  REQUIRE(find<measured>(actions));
  check_early(find<measured>(actions)->value);
}

TEST_CASE("an answer that is overtaken by the next request is bogus") {
  pair d;
  d.begin();
  d.turn();
  const auto overtaken = test::to_octets(d.ask());
  d.note(d.step());
  const auto h = d.ask();
  CHECK(d.deliver(overtaken).empty());
  CHECK(d.packets(packet_verdict::bogus_origin) == 1);
  CHECK(find<measured>(d.deliver(test::to_octets(h))));
}

TEST_CASE("an earlier transmit stamp that cannot be is refused") {
  constexpr auto reversed = packet_verdict::reversed_stamps;
  const auto moved = [](double s) {
    return [s](packet_header& h) { h.transmit = h.transmit + seconds(s); };
  };
  check_unusable(moved(-hold_s - 5e-6), reversed);
  // Longer than we waited for the answer, or even after this request came.
  check_unusable(moved(0.025), reversed);
  check_unusable(moved(1), reversed);
  check_unusable([](auto& h) { h.transmit = h.receive + seconds(1e-3); },
                 reversed);
  check_unusable(moved(2e9), reversed);
  check_unusable(moved(-2e9), reversed);
}

TEST_CASE("a server whose clock went back between two answers is refused") {
  check_unusable([](auto& h) { h.receive = h.receive - seconds(3600); },
                 packet_verdict::reversed_stamps);
}

TEST_CASE("stamps of zero are refused in interleaved mode") {
  check_unusable([](auto& h) { h.receive = {}; }, packet_verdict::zero_stamp);
  check_unusable([](auto& h) { h.transmit = {}; }, packet_verdict::zero_stamp);
}

TEST_CASE("a server that has lost its source is not used in interleaved mode") {
  check_unusable([](auto& h) { h.leap = leap_indicator::unsynchronized; },
                 packet_verdict::unsynchronized);
  check_unusable([](auto& h) { h.stratum = 16; },
                 packet_verdict::unsynchronized);
  check_unusable(
    [](auto& h) { h.root_dispersion = short_format::from_bits(0xffffffff); },
    packet_verdict::distant);
}

TEST_CASE("the reference may be newer than the earlier transmit stamp, and not "
          "than the answer") {
  pair d;
  d.begin();
  auto h = d.ask();
  REQUIRE((h.reference_time - h.transmit).seconds() > 1);
  CHECK(find<measured>(d.deliver(test::to_octets(h))));
  check_unusable(
    [](auto& bad) { bad.reference_time = bad.receive + seconds(1); },
    packet_verdict::stale_reference);
}

TEST_CASE("kisses are heeded with either origin") {
  for (const bool as_interleaved : {true, false}) {
    pair d;
    d.begin();
    auto h = d.ask();
    h.origin = as_interleaved ? d.request.receive : d.request.transmit;
    h.leap = leap_indicator::unsynchronized;
    h.stratum = 0;
    h.reference_id = code_of("RATE");
    const auto actions = d.deliver(test::to_octets(h));
    CHECK(has_event(actions, association_event::kind::kiss_rate));
    CHECK(!find<measured>(actions));
    CHECK(d.snapshot().poll == 7);
    CHECK(d.packets(packet_verdict::kiss_rate) == 1);
  }
}

TEST_CASE("a server that refuses us in interleaved mode is left") {
  pair d;
  d.begin();
  int ends = 0;
  for (int i = 0; i < 8 && ends == 0; ++i) {
    auto h = d.ask();
    h.leap = leap_indicator::unsynchronized;
    h.stratum = 0;
    h.reference_id = code_of("DENY");
    h.origin = d.request.transmit;
    ends = count<demobilize>(d.deliver(test::to_octets(h)));
  }
  CHECK(ends == 1);
}

} // namespace concert::ntp
