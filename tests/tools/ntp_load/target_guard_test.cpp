#include "tools/ntp_load/target_guard.hpp"

#include <doctest/doctest.h>

#include <linux/rtnetlink.h>

namespace concert::load {

TEST_CASE(
  "addresses of this machine may be loaded, for the kernel knows them") {
  for (const char* text : {"127.0.0.1", "127.9.8.7"}) {
    const auto way = route_to(ntp::ip_address::parse(text).value());
    REQUIRE(way);
    CHECK(is_local(*way));
    CHECK(is_ours(*way));
  }
}

TEST_CASE("addresses for documentation are not ours") {
  // Without any route there is an error, which is no permission either.
  const auto way = route_to(ntp::ip_address::v4({192, 0, 2, 1}));
  CHECK((!way || !is_ours(*way)));
}

TEST_CASE("only the other end of a veth pair is ours beyond this machine") {
  const route pair{.type = RTN_UNICAST, .veth = true, .host_bits = 2};
  CHECK(is_ours(pair));
  CHECK_FALSE(is_local(pair));
  auto way = pair;
  way.host_bits = 8;
  CHECK_FALSE(is_ours(way));
  way = pair;
  way.gateway = true;
  CHECK_FALSE(is_ours(way));
  way = pair;
  way.veth = false;
  CHECK_FALSE(is_ours(way));
  way = pair;
  way.type = RTN_BROADCAST;
  CHECK_FALSE(is_ours(way));
}

} // namespace concert::load
