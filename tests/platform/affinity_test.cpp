#include "platform/affinity.hpp"

#include "platform/privileges.hpp"
#include "platform/sanitizers.hpp"
#include "platform/socket.hpp"
#include "tests/platform/support.hpp"
#include "tests/platform/tunnel.hpp"

#include <doctest/doctest.h>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <thread>

namespace concert::platform {

namespace {

cpu_set_t cores_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

/// The one core of a thread that pinned itself; -1 if it has several.
int core_of(std::size_t index) {
  int core = -1;
  std::thread{[&] {
    if (!pin_this_thread(index))
      return;
    const auto set = cores_of_this_thread();
    if (CPU_COUNT(&set) == 1)
      core = sched_getcpu();
  }}.join();
  return core;
}

} // namespace

TEST_CASE("a pinned thread stays on its core, and they are given out in turn") {
  const auto all = cores_of_this_thread();
  const auto count = usable_cores();
  CHECK(count == static_cast<std::size_t>(CPU_COUNT(&all)));
  for (std::size_t i = 0; i < count; ++i) {
    const int core = core_of(i);
    REQUIRE(core >= 0);
    CHECK(CPU_ISSET(static_cast<std::size_t>(core), &all));
    CHECK(core_of(i + count) == core);
    if (i > 0)
      CHECK(core != core_of(i - 1));
  }
  const auto after = cores_of_this_thread();
  CHECK(CPU_EQUAL(&all, &after));
}

TEST_CASE("a thread that a pinned one starts may be pinned elsewhere") {
  std::thread{[] {
    REQUIRE(pin_this_thread(0));
    CHECK(core_of(1) == core_of(1 + usable_cores()));
    if (usable_cores() > 1)
      CHECK(core_of(0) != core_of(1));
  }}.join();
}

TEST_CASE("the receive queues of interfaces that are up are counted") {
  const int status = testing::in_child([] {
    if (unshare(CLONE_NEWNS) != 0 || !testing::leave_network()
        || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0
        || mount("none", "/sys", "sysfs", 0, nullptr) != 0)
      return testing::not_permitted;
    if (receive_queues() != 0)
      return 1; // the loopback does not count
    const auto tunnel = testing::tunnel::open(3);
    if (!tunnel)
      return testing::not_permitted;
    return receive_queues() == 3 ? 0 : 2;
  });
  if (status == testing::not_permitted)
    MESSAGE("skipped: no namespace for us");
  else
    CHECK(status == 0);
}

// Sanitizer builds load no filter; the thread sanitizer has a thread before.
TEST_CASE("workers are pinned and share an address without privileges"
          * doctest::skip(address_sanitizer || thread_sanitizer)) {
  if (geteuid() != 0) {
    MESSAGE("skipped: there are none to drop");
    return;
  }
  CHECK(testing::in_child([] {
          if (!drop_privileges("nobody", false) || !load_syscall_filter())
            return 1;
          int status = 2;
          std::thread{[&] {
            auto first = server_socket::open(
              {ntp::ip_address::v4({127, 0, 0, 1}), 0},
              {.interface = "lo", .receive_buffer = 0, .send_buffer = 65536});
            if (!first)
              return;
            auto second
              = server_socket::open(first->local(), {.interface = "lo"});
            if (second && pin_this_thread(1) && !first->is_stale()
                && first->dispatch(2, dispatch_rule::client_address)
                && first->dispatch(2, dispatch_rule::receive_queue)
                && first->dispatch(1, dispatch_rule::receive_queue)
                && receive_queues() < 100000)
              status = 0;
          }}.join();
          return status;
        })
        == 0);
}

} // namespace concert::platform
