#include "actors/stamp_ledger.hpp"

#include <doctest/doctest.h>

namespace concert::actors {

namespace {

using ntp::ntp_duration;
using ntp::ntp_timestamp;

constexpr auto start = ntp_timestamp::from_bits(0xe8000000'00000000);

ntp_duration us(double n) {
  return ntp_duration::from_seconds(n * 1e-6);
}

/// A batch of which the reply at `place` is asked about and leaves `after` the
/// start.
void teach(stamp_ledger& ledger, std::size_t place, ntp_duration after) {
  const auto tag = ledger.expect({}, place);
  ledger.on_start(start);
  ledger.on_stamp(tag, start + after);
}

} // namespace

TEST_CASE("one reply in about a thousand is asked about, and the first few") {
  stamp_ledger ledger;
  ledger.on_start(start);
  ledger.on_batch(start + us(10));
  int early = 0;
  for (int i = 0; i < 1000; ++i)
    early += ledger.next_probe(1) != stamp_ledger::no_probe ? 1 : 0;
  CHECK(early > 1);
  CHECK(early < 100);
  int later = 0;
  for (int i = 0; i < 1024 * 10; ++i)
    later += ledger.next_probe(10) != stamp_ledger::no_probe ? 1 : 0;
  CHECK(later >= 98);
  CHECK(later <= 102);
}

TEST_CASE("more replies are asked about where there is time") {
  stamp_ledger ledger;
  int asked = 0;
  for (int i = 0; i < 1000; ++i) {
    ledger.on_batch(start + us(1000.0 * i));
    ledger.on_start(start + us(1000.0 * i + 20));
    asked += ledger.next_probe(1) != stamp_ledger::no_probe ? 1 : 0;
  }
  CHECK(asked > 100);
  CHECK(asked < 250);
}

TEST_CASE("what a rested processor needs is not what a busy one needs") {
  stamp_ledger ledger;
  ledger.on_batch(start);
  teach(ledger, 0, us(12));
  const auto rested = ledger.delay_of(0);
  ledger.on_batch(start + us(50));
  CHECK(ledger.delay_of(0) == ntp_duration{});
  teach(ledger, 0, us(2));
  CHECK(ledger.delay_of(0) < us(2));
  ledger.on_batch(start + us(5000));
  CHECK(ledger.delay_of(0) == rested);
}

TEST_CASE("probes are the first and the last reply of a batch by turns") {
  stamp_ledger ledger;
  CHECK(ledger.next_probe(40) == 0);
  CHECK(ledger.next_probe(40) == 39);
  CHECK(ledger.next_probe(40) == 0);
}

TEST_CASE("nothing is added to a transmit stamp while the delay is not known") {
  const stamp_ledger ledger;
  CHECK(ledger.delay_of(0) == ntp_duration{});
  CHECK(ledger.delay_of(63) == ntp_duration{});
  CHECK_FALSE(ledger.learnt_delay_s());
}

TEST_CASE("later replies of a batch get later stamps, none later than learnt") {
  stamp_ledger ledger;
  for (int i = 0; i < 8; ++i) {
    teach(ledger, 0, us(4 + i));
    teach(ledger, 10, us(14 + i));
  }
  CHECK(ledger.delay_of(0) > us(1));
  CHECK(ledger.delay_of(0) <= us(4));
  CHECK(ledger.delay_of(10) > ledger.delay_of(0) + us(5));
  CHECK(ledger.delay_of(10) <= us(14));
}

TEST_CASE("a transmit stamp finds the client's slot once") {
  stamp_ledger ledger;
  const ntp::client_slot slot{7, start};
  const auto tag = ledger.expect(slot, 0);
  ledger.on_start(start);
  const auto found = ledger.on_stamp(tag, start + us(3));
  REQUIRE(found);
  CHECK(found->index == 7);
  CHECK(found->receive == start);
  CHECK_FALSE(ledger.on_stamp(tag, start + us(3)));
}

TEST_CASE("a stamp that was given up is nobody's") {
  stamp_ledger ledger;
  const auto tag = ledger.expect(ntp::client_slot{1, start}, 0);
  for (int i = 0; i < 512; ++i)
    ledger.expect(ntp::client_slot{2, start}, 0);
  CHECK_FALSE(ledger.on_stamp(tag, start));
}

TEST_CASE("after a step of the clock nothing is awaited") {
  stamp_ledger ledger;
  const auto tag = ledger.expect(ntp::client_slot{1, start}, 0);
  ledger.on_start(start);
  ledger.forget_awaited();
  CHECK_FALSE(ledger.on_stamp(tag, start + us(3)));
  CHECK_FALSE(ledger.learnt_delay_s());
}

TEST_CASE("seals of a busy processor are told apart from those of a rested "
          "one") {
  stamp_ledger ledger;
  ledger.on_batch(start);
  ledger.on_seals(2, us(6));
  CHECK(ledger.time_of_seals(1).seconds()
        == doctest::Approx(3e-6).epsilon(1e-3));
  ledger.on_start(start);
  ledger.on_batch(start + us(10));
  CHECK(ledger.time_of_seals(1) == ntp_duration{});
  ledger.on_seals(16, us(8));
  CHECK(ledger.time_of_seals(2).seconds()
        == doctest::Approx(1e-6).epsilon(1e-3));
  ledger.on_batch(start + us(1000));
  CHECK(ledger.time_of_seals(1).seconds()
        == doctest::Approx(3e-6).epsilon(1e-3));
}

} // namespace concert::actors
