#include "ntp_core/selection/intersection.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

namespace concert::ntp::testing {

TEST_CASE("no intervals share nothing") {
  CHECK(!intersect({}, std::nullopt));
}

TEST_CASE("the stretch that most intervals cover is found") {
  const std::vector<interval> claims{{0, 4}, {1, 5}, {2, 6}, {10, 11}};
  const auto found = intersect(claims, std::nullopt);
  REQUIRE(found);
  CHECK(found->count == 3);
  CHECK(found->common.low == 2);
  CHECK(found->common.high == 4);
}

TEST_CASE("intervals that only touch agree") {
  const std::vector<interval> claims{{0, 1}, {1, 2}};
  const auto found = intersect(claims, std::nullopt);
  REQUIRE(found);
  CHECK(found->count == 2);
  CHECK(found->common.low == 1);
  CHECK(found->common.high == 1);
}

TEST_CASE("between equals the wished one wins, else the narrowest") {
  const std::vector<interval> claims{{0, 1}, {10, 13}};
  CHECK(intersect(claims, std::nullopt)->common.high == 1);
  CHECK(intersect(claims, 12.0)->common.high == 13);
  CHECK(intersect(claims, -3.0)->common.high == 1);
}

TEST_CASE("an endless interval agrees with all others") {
  constexpr double endless = std::numeric_limits<double>::infinity();
  const std::vector<interval> claims{{-endless, endless}, {3, 4}, {3, 5}};
  const auto found = intersect(claims, 0.0);
  REQUIRE(found);
  CHECK(found->count == 3);
  CHECK(found->common.low == 3);
}

} // namespace concert::ntp::testing
