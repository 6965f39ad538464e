#include "platform/network.hpp"

#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace concert::platform {

namespace {

const auto loopback = ntp::ip_address::v4({127, 0, 0, 1});
const auto elsewhere = ntp::ip_address::v4({192, 0, 2, 1});

bool bring_loopback_up() {
  const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

} // namespace

TEST_CASE("the loopback is ours, on the link and reachable") {
  const auto own = own_addresses();
  CHECK(std::find(own.begin(), own.end(), loopback) != own.end());
  CHECK(is_on_link(loopback));
  CHECK(is_on_link(ntp::ip_address::v4({127, 9, 9, 9})));
  CHECK(has_route(loopback));
}

TEST_CASE("a network that comes up is told; before, nothing has a route") {
  const int status = testing::in_child([] {
    if (unshare(CLONE_NEWNET) != 0)
      return 77;
    auto monitor = network_monitor::open();
    if (!monitor || monitor->drain() || has_route(loopback)
        || is_on_link(loopback))
      return 1;
    if (!bring_loopback_up() || !monitor->drain() || monitor->drain())
      return 2;
    return has_route(loopback) && is_on_link(loopback) && !has_route(elsewhere)
               && !is_on_link(elsewhere)
               && !is_on_link(*ntp::ip_address::parse("2001:db8::1"))
             ? 0
             : 3;
  });
  if (status == 77)
    MESSAGE("skipped: no network namespace for us");
  else
    CHECK(status == 0);
}

} // namespace concert::platform
