#include "tests/ntp_core/association/driver.hpp"

#include <set>

namespace concert::ntp {

using test::count;
using test::driver;
using test::find;
using test::has_event;
using namespace std::chrono_literals;

namespace {

/// Sends `bytes`, then the genuine answer: the first must count as `v` and
/// change nothing.
void check_ignored(driver& d, const test::octets& bytes, packet_verdict v) {
  const auto before = d.snapshot();
  CHECK(d.deliver(bytes).empty());
  CHECK(d.packets(v) == before.packets[static_cast<std::size_t>(v)] + 1);
  const auto after = d.snapshot();
  CHECK(after.reachability == before.reachability);
  CHECK(after.poll == before.poll);
  CHECK(after.stratum == before.stratum);
  CHECK(after.leap == before.leap);
  CHECK(after.burst_tokens == before.burst_tokens);
  CHECK(find<measured>(d.answer()));
}

void check_ignored(const std::function<void(packet_header&)>& change,
                   packet_verdict v) {
  driver d;
  d.exchange();
  d.poll();
  auto h = d.reply();
  change(h);
  check_ignored(d, test::to_octets(h), v);
}

/// Answers with `change` made: the exchange ends with verdict `v` and without
/// a measurement.
void check_unusable(const std::function<void(packet_header&)>& change,
                    packet_verdict v) {
  driver d;
  const auto actions = d.exchange(change);
  CHECK(!find<measured>(actions));
  CHECK(count<exchange_over>(actions) == 1);
  CHECK(count<state_changed>(actions) == 1);
  CHECK(d.packets(v) == 1);
  CHECK(d.snapshot().last_verdict == v);
  CHECK(d.snapshot().reachability == 0);
}

} // namespace

TEST_CASE("a request tells nothing but version, mode and poll, and a random "
          "stamp") {
  for (const std::uint8_t version : {3, 4}) {
    association_config c;
    c.version = version;
    driver d{c};
    d.poll();
    packet_header expected;
    expected.version = version;
    expected.mode = packet_mode::client;
    expected.poll = 6;
    expected.transmit = d.request.transmit;
    CHECK(d.request == expected);
  }
}

TEST_CASE("transmit stamps never repeat and are far from the clock "
          "(CVE-2020-13817)") {
  association_config c;
  c.min_poll = c.max_poll = c.initial_poll = 0;
  driver d{c};
  std::set<std::uint64_t> seen;
  int near_clock = 0;
  std::uint64_t all_or = 0;
  std::uint64_t all_and = ~std::uint64_t{0};
  for (int i = 0; i < 10000; ++i) {
    d.poll();
    const auto bits = d.request.transmit.bits();
    CHECK(bits != 0);
    seen.insert(bits);
    all_or |= bits;
    all_and &= bits;
    if (std::abs((d.request.transmit - d.stamp().wall).seconds()) < 1e6)
      ++near_clock;
  }
  CHECK(seen.size() == 10000);
  CHECK(near_clock < 50);
  CHECK(all_or == ~std::uint64_t{0});
  CHECK(all_and == 0);
}

TEST_CASE("a random stamp of zero is not used") {
  struct zero_random : random_source {
    std::uint64_t next() override { return 0; }
  } random;
  association a{{}, random, mono_time{}};
  const auto actions = a.on_deadline(mono_time{});
  const auto* s = find<send_packet>(actions);
  REQUIRE(s);
  CHECK(!parse_header(s->bytes)->transmit.is_unknown());
}

TEST_CASE("a good answer becomes a measurement with all four stamps") {
  driver d;
  d.poll();
  const auto sent = d.stamp(stamp_kind::kernel);
  const auto h = [&] {
    auto r = d.reply();
    r.transmit = r.receive + ntp_duration::from_seconds(0.001);
    return r;
  }();
  d.machine.on_transmit_stamp(sent, d.now);
  d.now += 21ms;
  const auto actions = d.deliver(test::to_octets(h), stamp_kind::hardware);
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t1.wall == sent.wall);
  CHECK(m->value.t1.kind == stamp_kind::kernel);
  CHECK(m->value.t2 == h.receive);
  CHECK(m->value.t3 == h.transmit);
  CHECK(m->value.t4.wall == d.stamp().wall);
  CHECK(m->value.t4.kind == stamp_kind::hardware);
  CHECK(m->value.received_at == d.now);
  CHECK(m->value.stratum == 2);
  CHECK(m->value.reference_id == 0xc0000201);
  CHECK(m->value.precision == -20);
  CHECK(m->value.offset().seconds() == doctest::Approx(0).epsilon(1e-6));
  CHECK(m->value.delay().seconds() == doctest::Approx(0.02));
  CHECK(std::holds_alternative<measured>(actions[0]));
  CHECK(count<state_changed>(actions) == 1);
  CHECK(count<exchange_over>(actions) == 1);
  CHECK(has_event(actions, association_event::kind::reachable));
  const auto s = d.snapshot();
  CHECK(s.reachability == 1);
  CHECK(s.stratum == 2);
  CHECK(s.leap == leap_indicator::none);
  CHECK(s.transmit_stamp == stamp_kind::kernel);
  CHECK(s.receive_stamp == stamp_kind::hardware);
  CHECK(s.last_answer == d.now);
  CHECK(s.requests == 1);
}

TEST_CASE("an offset is positive when the server is ahead of us") {
  driver d;
  const auto actions = d.exchange([](packet_header& h) {
    h.receive = h.receive + ntp_duration::from_seconds(0.5);
    h.transmit = h.transmit + ntp_duration::from_seconds(0.5);
  });
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.offset().seconds() == doctest::Approx(0.5));
}

TEST_CASE("a packet that is none changes nothing") {
  driver d;
  for (std::size_t size : {0U, 1U, 12U, 47U, 49U, 56U, 1000U, 65507U}) {
    d.poll();
    auto bytes = test::to_octets(d.reply());
    bytes.resize(size);
    check_ignored(d, bytes, packet_verdict::malformed);
  }
}

TEST_CASE("a chain of tiny extension fields is refused, whatever its size") {
  driver d;
  d.poll();
  auto bytes = test::to_octets(d.reply());
  while (bytes.size() < 60000)
    bytes = std::move(bytes) + test::field(0xf000, 0);
  check_ignored(d, bytes, packet_verdict::malformed);
}

TEST_CASE("crypto-NAKs change nothing, with right or wrong origin "
          "(CVE-2015-7871, CVE-2016-1547)") {
  for (const bool right : {true, false}) {
    driver d;
    d.poll();
    auto h = d.reply();
    if (!right)
      h.origin = ntp_timestamp::from_bits(77);
    check_ignored(d, test::to_octets(h) + test::zeros(4),
                  packet_verdict::malformed);
  }
}

TEST_CASE("answers with a MAC that we cannot check change nothing "
          "(CVE-2015-7974)") {
  driver d;
  d.poll();
  check_ignored(d, test::to_octets(d.reply()) + test::zeros(20),
                packet_verdict::malformed);
}

TEST_CASE("packets in other modes and versions change nothing") {
  for (const int mode : {0, 1, 2, 3, 5, 6, 7})
    check_ignored([=](auto& h) { h.mode = static_cast<packet_mode>(mode); },
                  packet_verdict::wrong_mode);
  check_ignored([](auto& h) { h.version = 3; }, packet_verdict::wrong_version);
  check_ignored([](auto& h) { h.version = 7; }, packet_verdict::malformed);
}

TEST_CASE("a reply with origin zero changes nothing (CVE-2015-8138)") {
  check_ignored([](auto& h) { h.origin = {}; }, packet_verdict::bogus_origin);
}

TEST_CASE("a reply with origin zero is dropped when nothing was asked "
          "(CVE-2016-7431)") {
  driver d;
  d.exchange();
  auto h = d.reply();
  h.origin = {};
  CHECK(d.deliver(test::to_octets(h)).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
}

TEST_CASE("our last receive stamp as origin changes nothing (CVE-2016-1548)") {
  driver d;
  d.exchange();
  const auto last_receive = d.stamp().wall;
  d.poll();
  auto h = d.reply();
  h.origin = last_receive;
  check_ignored(d, test::to_octets(h), packet_verdict::bogus_origin);
}

TEST_CASE("kisses with a wrong origin change nothing (CVE-2015-7704)") {
  for (const auto code : {code_of("RATE"), code_of("DENY"), code_of("RSTR")})
    check_ignored(
      [=](auto& h) {
        h.leap = leap_indicator::unsynchronized;
        h.stratum = 0;
        h.reference_id = code;
        h.origin = ntp_timestamp::from_bits(h.origin.bits() + 1);
      },
      packet_verdict::bogus_origin);
}

TEST_CASE("the genuine reply is taken after a flood in the server's name "
          "(CVE-2016-7426, CVE-2016-4954)") {
  driver d;
  d.exchange();
  d.poll();
  const auto deadline = d.machine.next_deadline();
  auto h = d.reply();
  for (int i = 0; i < 10000; ++i) {
    h.origin = ntp_timestamp::from_bits(d.random.next());
    h.leap = static_cast<leap_indicator>(i % 4);
    h.stratum = static_cast<std::uint8_t>(i);
    CHECK(d.deliver(test::to_octets(h)).empty());
  }
  CHECK(d.machine.next_deadline() == deadline);
  CHECK(d.snapshot().last_verdict == packet_verdict::accepted);
  CHECK(find<measured>(d.answer()));
}

TEST_CASE("spoofed packets do not put off the next poll (CVE-2020-11868)") {
  driver d;
  d.end_burst();
  const auto due = d.machine.next_deadline();
  auto h = d.reply();
  for (int i = 0; i < 100; ++i) {
    d.now += 500ms;
    h.origin = ntp_timestamp::from_bits(d.random.next());
    h.reference_id = code_of("RATE");
    d.deliver(test::to_octets(h));
  }
  CHECK(d.machine.next_deadline() == due);
}

TEST_CASE("only the first answer to a request counts") {
  driver d;
  d.exchange();
  CHECK(d.deliver(test::to_octets(d.reply())).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
  CHECK(d.measurements == 1);
  CHECK(d.ends == 1);
}

TEST_CASE("an answer after the reply window is late and changes nothing") {
  driver d;
  d.end_burst();
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 5s;
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::late) == 1);
  const auto actions = d.machine.on_deadline(d.now);
  CHECK(count<exchange_over>(actions) == 1);
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::late) == 2);
  CHECK(d.snapshot().reachability == 0b11110);
}

TEST_CASE("receive or transmit stamps of zero are refused") {
  check_unusable([](auto& h) { h.receive = {}; }, packet_verdict::zero_stamp);
  check_unusable([](auto& h) { h.transmit = {}; }, packet_verdict::zero_stamp);
}

TEST_CASE("a transmit stamp before the receive stamp is refused") {
  check_unusable(
    [](auto& h) {
      h.precision = -20;
      h.transmit = h.receive - ntp_duration::from_seconds(2e-6);
    },
    packet_verdict::reversed_stamps);
}

TEST_CASE("stamps that differ by less than the server's precision are in no "
          "order") {
  driver d;
  d.exchange([](auto& h) {
    h.precision = -20;
    h.transmit = h.receive - ntp_duration::from_seconds(0.5e-6);
  });
  CHECK(d.packets(packet_verdict::reversed_stamps) == 0);
}

TEST_CASE("a server that claims to have held the request longer than we waited "
          "is refused, whatever its precision") {
  check_unusable(
    [](auto& h) {
      h.precision = 127;
      h.transmit = h.receive + ntp_duration::from_seconds(0.1);
    },
    packet_verdict::reversed_stamps);
  check_unusable(
    [](auto& h) { h.transmit = h.receive + ntp_duration::from_seconds(2e9); },
    packet_verdict::reversed_stamps);
}

TEST_CASE("a round trip slightly below zero is noise, and accepted") {
  driver d;
  const auto actions = d.exchange([](auto& h) {
    h.transmit = h.receive + ntp_duration::from_seconds(0.0205);
  });
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.delay().seconds() == doctest::Approx(-0.0005));
}

TEST_CASE("servers that are not synchronised are not used") {
  check_unusable([](auto& h) { h.leap = leap_indicator::unsynchronized; },
                 packet_verdict::unsynchronized);
  for (const int stratum : {0, 16, 17, 255})
    check_unusable(
      [=](auto& h) { h.stratum = static_cast<std::uint8_t>(stratum); },
      packet_verdict::unsynchronized);
  check_unusable(
    [](auto& h) {
      h.leap = leap_indicator::unsynchronized;
      h.stratum = 0;
      h.reference_id = 0;
    },
    packet_verdict::unsynchronized);
}

TEST_CASE("a root distance of 16 s or more is refused") {
  for (const std::uint32_t delay : {0x200000U, 0x7fffffffU, 0xffffffffU})
    check_unusable(
      [=](auto& h) {
        h.root_delay = short_format::from_bits(delay);
        h.root_dispersion = {};
      },
      packet_verdict::distant);
  check_unusable(
    [](auto& h) { h.root_dispersion = short_format::from_bits(0xffffffff); },
    packet_verdict::distant);
  driver d;
  CHECK(find<measured>(d.exchange([](auto& h) {
    h.root_delay = short_format::from_bits(0x100000);
    h.root_dispersion = short_format::from_bits(0x7ffff);
  })));
}

TEST_CASE("a reference stamp later than the transmit stamp is refused") {
  check_unusable(
    [](auto& h) {
      h.reference_time = h.transmit + ntp_duration::from_units(1);
    },
    packet_verdict::stale_reference);
  driver d;
  CHECK(find<measured>(d.exchange([](auto& h) { h.reference_time = {}; })));
}

TEST_CASE("poll and precision fields at their limits do no harm") {
  for (const int value : {-128, -127, 0, 127}) {
    driver d;
    CHECK(find<measured>(d.exchange([=](auto& h) {
      h.poll = static_cast<std::int8_t>(value);
      h.precision = static_cast<std::int8_t>(value);
    })));
    CHECK(d.snapshot().poll == 6);
  }
}

TEST_CASE("an exchange across the end of the era is measured") {
  driver d;
  d.poll();
  const auto shift = ntp_timestamp::from_bits(~std::uint64_t{0})
                     - d.stamp().wall; // the reply lies in the next era
  auto t1 = d.stamp(stamp_kind::kernel);
  t1.wall = t1.wall + shift;
  d.machine.on_transmit_stamp(t1, d.now);
  auto h = d.reply();
  h.receive = h.receive + shift;
  h.transmit = h.transmit + shift;
  h.reference_time = h.reference_time + shift;
  d.now += 20ms;
  auto t4 = d.stamp(stamp_kind::kernel);
  t4.wall = t4.wall + shift;
  const auto actions = d.machine.on_packet(test::to_octets(h), t4, d.now);
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(std::abs(m->value.offset().seconds()) < 1e-6);
}

TEST_CASE("every verdict has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < packet_verdict_count; ++i)
    CHECK(names.insert(to_string(static_cast<packet_verdict>(i))).second);
}

} // namespace concert::ntp
