#include "tests/ntp_core/association/driver.hpp"

namespace concert::ntp {

using test::count;
using test::driver;
using test::find;
using namespace std::chrono_literals;

TEST_CASE("an answer waits for its request's transmit stamp") {
  driver d;
  d.poll();
  const auto tx = d.stamp(stamp_kind::kernel);
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::accepted) == 1);
  CHECK(d.machine.next_deadline() == d.now + 1ms);
  d.now += 500us;
  const auto actions = d.machine.on_transmit_stamp(tx, d.now);
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t1.kind == stamp_kind::kernel);
  CHECK(m->value.received_at == d.now - 500us);
  CHECK(count<exchange_over>(actions) == 1);
}

TEST_CASE("without a transmit stamp the daemon's own is used after 1 ms") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  d.deliver(h);
  CHECK(d.machine.on_deadline(d.now + 999us).empty());
  const auto actions = d.step();
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t1.kind == stamp_kind::daemon);
  CHECK(m->value.t4.kind == stamp_kind::kernel);
  CHECK(d.snapshot().transmit_stamp == stamp_kind::daemon);
}

TEST_CASE("on hardware the wait is 10 ms") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  d.deliver(h, stamp_kind::hardware);
  CHECK(d.machine.next_deadline() == d.now + 10ms);
}

TEST_CASE("a second copy of an answer that waits is not another answer") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  d.deliver(h);
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
  CHECK(count<measured>(d.step()) == 1);
}

TEST_CASE("a transmit stamp from outside of the exchange does not count") {
  driver d;
  d.poll();
  auto early = d.stamp(stamp_kind::kernel, 10ms);
  d.machine.on_transmit_stamp(early, d.now);
  auto late = d.stamp(stamp_kind::kernel, -20ms);
  d.machine.on_transmit_stamp(late, d.now);
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  CHECK(d.deliver(h).empty());
  const auto actions = d.step();
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t1.kind == stamp_kind::daemon);
}

TEST_CASE("a transmit stamp after the answer's arrival does not count") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  d.deliver(h);
  d.now += 900us;
  CHECK(
    d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now).empty());
}

TEST_CASE("a worse transmit stamp does not replace a better one") {
  driver d;
  d.poll();
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::hardware), d.now);
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  const auto actions = d.deliver(h);
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t1.kind == stamp_kind::hardware);
}

TEST_CASE("a false receive stamp is replaced by the time of handling") {
  for (const auto wrong : {1h, -1h}) {
    driver d;
    d.poll();
    const auto h = test::to_octets(d.reply());
    d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
    d.now += 20ms;
    const auto actions
      = d.machine.on_packet(h, d.stamp(stamp_kind::kernel, wrong), d.now);
    const auto* m = find<measured>(actions);
    REQUIRE(m);
    CHECK(m->value.t4.kind == stamp_kind::daemon);
    CHECK(m->value.delay().seconds() == doctest::Approx(0.02));
    CHECK(std::abs(m->value.offset().seconds()) < 1e-6);
  }
}

TEST_CASE("an answer that is handled late keeps its stamp") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  d.now += 1s;
  const auto actions
    = d.machine.on_packet(h, d.stamp(stamp_kind::kernel, 980ms), d.now);
  const auto* m = find<measured>(actions);
  REQUIRE(m);
  CHECK(m->value.t4.kind == stamp_kind::kernel);
  CHECK(m->value.delay().seconds() == doctest::Approx(0.02));
}

TEST_CASE("stamps and packets outside of any exchange do nothing") {
  driver d;
  CHECK(
    d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now).empty());
  CHECK(d.machine.on_send_failed(d.now).empty());
  d.machine.on_sent(d.stamp(), d.now);
  CHECK(d.snapshot().requests == 0);
  CHECK(d.deliver(test::to_octets(d.reply())).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
}

} // namespace concert::ntp
