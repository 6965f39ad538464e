#include "ntp_core/discipline/poll_control.hpp"

#include <doctest/doctest.h>

namespace concert::ntp::testing {

TEST_CASE("four quiet samples double the interval, up to the limit") {
  poll_control p{6, 8};
  for (int i = 0; i < 3; ++i)
    p.update(0, 1, 2);
  CHECK(p.poll() == 6);
  p.update(0, 1, 2);
  CHECK(p.poll() == 7);
  for (int i = 0; i < 40; ++i)
    p.update(0, 1, 2);
  CHECK(p.poll() == 8);
}

TEST_CASE("two restless samples halve the interval, down to the limit") {
  poll_control p{6, 10};
  for (int i = 0; i < 16; ++i)
    p.update(0, 1, 2);
  REQUIRE(p.poll() == 10);
  p.update(10, 1, 2);
  p.update(10, 1, 2);
  CHECK(p.poll() == 9);
  for (int i = 0; i < 40; ++i)
    p.update(10, 1, 2);
  CHECK(p.poll() == 6);
}

TEST_CASE("a balanced source keeps its interval") {
  poll_control p{6, 10};
  p.update(0, 1, 2);
  p.update(0, 1, 2);
  for (int i = 0; i < 40; ++i)
    p.update(2, 1, 2);
  CHECK(p.poll() == 6);
}

TEST_CASE("a surprise brings back the shortest interval") {
  poll_control p{6, 10};
  for (int i = 0; i < 16; ++i)
    p.update(0, 1, 2);
  p.reset();
  CHECK(p.poll() == 6);
}

} // namespace concert::ntp::testing
