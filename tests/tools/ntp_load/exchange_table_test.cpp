#include "tools/ntp_load/exchange_table.hpp"

#include <doctest/doctest.h>

namespace concert::load {

namespace {

using namespace std::chrono_literals;
using outcome = exchange_table::outcome;

} // namespace

TEST_CASE("an answer finds its request by either field, and only once") {
  exchange_table t{16};
  const auto basic = t.open(0x1234567890abcdef, 0, 0s).transmit;
  const auto& e = t.open(0x1234567890abcdef, 0xfedcba0987654321, 0s);
  const auto transmit = e.transmit;
  const auto receive = e.receive;
  CHECK(basic != transmit);
  CHECK(receive != 0);
  CHECK(t.waiting() == 2);
  CHECK(t.take(basic).kind == outcome::basic);
  CHECK(t.take(receive).kind == outcome::interleaved);
  CHECK(t.waiting() == 0);
  CHECK(t.take(basic).kind == outcome::duplicate);
  CHECK(t.take(transmit).kind == outcome::duplicate);
}

TEST_CASE("what answers no request is unknown, an origin of zero too") {
  exchange_table t{16};
  CHECK(t.take(0).kind == outcome::unknown);
  const auto sent = t.open(0, 0, 0s).transmit;
  CHECK(sent != 0);
  CHECK(t.take(0).kind == outcome::unknown);
  CHECK(t.take(sent ^ (std::uint64_t{1} << 40)).kind == outcome::unknown);
  CHECK(t.waiting() == 1);
}

TEST_CASE("a request is lost after its time, and its answer then late") {
  exchange_table t{16};
  const auto first = t.open(1 << 20, 0, 1s).transmit;
  const auto second = t.open(2 << 20, 0, 2s).transmit;
  t.expire(1s);
  CHECK(t.waiting() == 2);
  t.expire(2s);
  CHECK(t.waiting() == 1);
  CHECK(t.take(first).kind == outcome::late);
  CHECK(t.take(second).kind == outcome::basic);
  t.expire(10s);
  CHECK(t.waiting() == 0);
}

TEST_CASE("a full table forgets the oldest request") {
  exchange_table t{4};
  const auto first = t.open(1 << 20, 0, 0s).transmit;
  for (int i = 2; i <= 5; ++i)
    t.open(static_cast<std::uint64_t>(i) << 20, 0, 0s);
  CHECK(t.size() == 4);
  CHECK(t.waiting() == 4);
  CHECK(t.take(first).kind == outcome::unknown);
  t.expire(1s);
  CHECK(t.waiting() == 0);
}

TEST_CASE("a request that was not sent is as if it had never been") {
  exchange_table t{16};
  const auto kept = t.open(1 << 20, 0, 0s).transmit;
  const auto refused = t.open(2 << 20, 0, 0s).transmit;
  t.withdraw();
  CHECK(t.waiting() == 1);
  CHECK(t.find(refused) == nullptr);
  CHECK(t.find(kept) != nullptr);
  CHECK(t.take(refused).kind == outcome::unknown);
}

} // namespace concert::load
