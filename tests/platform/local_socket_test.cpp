#include "platform/socket.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

namespace concert::platform {

using testing::temporary_folder;

TEST_CASE("a descriptor is closed once, by its last owner") {
  int pair[2];
  REQUIRE(pipe(pair) == 0);
  const unique_fd writer{pair[1]};
  {
    unique_fd first{pair[0]};
    unique_fd second{std::move(first)};
    first = std::move(second);
    CHECK(first.get() == pair[0]);
    CHECK_FALSE(second);
    CHECK(fcntl(pair[0], F_GETFD) >= 0);
  }
  CHECK(fcntl(pair[0], F_GETFD) < 0);
}

TEST_CASE("a signal ends one sleep, be it early or late") {
  auto event = wake_event::open();
  REQUIRE(event);
  event->signal();
  event->sleep({});
  std::atomic<bool> signalled{false};
  std::thread other{[&] {
    signalled = true;
    event->signal();
  }};
  event->sleep({});
  CHECK(signalled);
  other.join();
}

TEST_CASE("a readable descriptor ends a sleep") {
  std::array<int, 2> pair{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
  const unique_fd near{pair[0]};
  const unique_fd far{pair[1]};
  auto event = wake_event::open();
  REQUIRE(event);
  REQUIRE(write(far.get(), "x", 1) == 1);
  event->sleep(std::array{near.get()});
}

TEST_CASE("a Unix socket has its mode and replaces an old one") {
  const temporary_folder folder;
  const auto path = folder / "observe";
  struct stat found {};
  {
    const auto first = listen_unix(path, 0666);
    REQUIRE(first);
    REQUIRE(stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0666);
  }
  const auto second = listen_unix(path, 0600);
  REQUIRE(second);
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("a Unix socket never replaces a file of another kind") {
  const temporary_folder folder;
  const auto path = folder / "precious";
  testing::overwrite(path, "data");
  const auto refused = listen_unix(path, 0666);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::in_use);
  CHECK(testing::contents(path) == "data");
  CHECK_FALSE(listen_unix(std::string(200, 'x'), 0666));
  CHECK(listen_unix(folder / "none/at-all", 0666).error().code
        == errc::unavailable);
}

} // namespace concert::platform
