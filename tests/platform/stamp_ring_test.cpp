#include "platform/stamp_ring.hpp"

#include <doctest/doctest.h>

namespace concert::platform {

namespace {

constexpr std::uint32_t capacity = stamp_ring::capacity;

} // namespace

TEST_CASE("a stamp's number gives the tag back, once and in any order") {
  stamp_ring ring;
  CHECK(ring.empty());
  for (const std::uint64_t tag : {70, 71, 72})
    ring.await(tag);
  CHECK(ring.match(2) == 72);
  CHECK(ring.match(0) == 70);
  CHECK_FALSE(ring.match(2));
  CHECK_FALSE(ring.match(3));
  CHECK_FALSE(ring.empty());
  CHECK(ring.match(1) == 71);
  CHECK(ring.empty());
  CHECK_FALSE(ring.match(1));
}

TEST_CASE("of more stamps than there is room for the oldest are given up") {
  stamp_ring ring;
  for (std::uint64_t tag = 0; tag < capacity + 3; ++tag)
    ring.await(tag);
  CHECK_FALSE(ring.match(2));
  CHECK(ring.match(3) == 3);
  CHECK(ring.match(capacity + 2) == capacity + 2);
  CHECK_FALSE(ring.match(capacity + 3));
}

TEST_CASE("a stamp that does not come is given up after many rounds") {
  stamp_ring ring;
  ring.await(1);
  for (std::uint32_t i = 0; i < stamp_ring::patience; ++i)
    ring.next_round();
  ring.await(2);
  CHECK_FALSE(ring.empty());
  ring.next_round();
  CHECK_FALSE(ring.match(0));
  CHECK(ring.match(1) == 2);
  CHECK(ring.empty());
}

TEST_CASE("a stamp without tag is awaited and then ignored") {
  stamp_ring ring;
  ring.await(std::nullopt);
  CHECK_FALSE(ring.empty());
  CHECK_FALSE(ring.match(0));
  CHECK(ring.empty());
}

TEST_CASE("numbers start from 0 again after a restart") {
  stamp_ring ring;
  for (std::uint64_t tag = 0; tag < 5; ++tag)
    ring.await(tag);
  ring.restart();
  CHECK(ring.empty());
  ring.await(9);
  CHECK_FALSE(ring.match(4));
  CHECK(ring.match(0) == 9);
}

} // namespace concert::platform
