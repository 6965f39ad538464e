#include "platform/error.hpp"
#include "platform/hash.hpp"
#include "platform/readiness.hpp"
#include "platform/socket.hpp"
#include "platform/system_random.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <thread>

namespace concert::platform {

namespace {

template <std::size_t Size>
std::string hex(const std::array<std::byte, Size>& digest) {
  std::string out;
  for (const auto b : digest)
    out += fmt::format("{:02x}", std::to_integer<int>(b));
  return out;
}

} // namespace

TEST_CASE("an error says what, why and of which kind") {
  const auto e = system_error("cannot bind 192.0.2.1:123", EADDRINUSE);
  CHECK(e.code == errc::in_use);
  CHECK(e.text == "cannot bind 192.0.2.1:123: Address already in use");
  CHECK(system_error("", EPERM).code == errc::permission);
  CHECK(system_error("", ECONNREFUSED).code == errc::unreachable);
  CHECK(system_error("", EAGAIN).code == errc::would_block);
  CHECK(system_error("", EIO).code == errc::io);
}

TEST_CASE("hashes are those of RFC 1321 and RFC 3174, from any thread") {
  const auto abc = std::as_bytes(std::span{"abc", 3});
  std::thread other{[&] {
    CHECK(hex(sha1(abc)) == "a9993e364706816aba3e25717850c26c9cd0d89d");
  }};
  CHECK(hex(md5(abc)) == "900150983cd24fb0d6963f7d28e17f72");
  CHECK(hex(md5({})) == "d41d8cd98f00b204e9800998ecf8427e");
  other.join();
}

TEST_CASE("the system's random numbers do not repeat") {
  system_random random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i)
    seen.insert(random.next());
  CHECK(seen.size() == 1000);
}

TEST_CASE("the service manager hears, and its absence does no harm") {
  const testing::temporary_folder folder;
  const std::string path = folder / "notify";
  CHECK(
    testing::in_child([&] {
      unsetenv("NOTIFY_SOCKET");
      unsetenv("WATCHDOG_USEC");
      readiness::ready("to nobody");
      if (readiness::watchdog_interval())
        return 1;
      const unique_fd manager{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::strcpy(address.sun_path, path.c_str());
      if (bind(manager.get(), reinterpret_cast<const sockaddr*>(&address),
               sizeof address)
          != 0)
        return 2;
      setenv("NOTIFY_SOCKET", path.c_str(), 1);
      const auto heard = [&] {
        std::array<char, 256> text{};
        recv(manager.get(), text.data(), text.size() - 1, MSG_DONTWAIT);
        return std::string{text.data()};
      };
      readiness::ready("locked");
      if (heard() != "READY=1\nSTATUS=locked")
        return 3;
      readiness::reloading();
      if (!heard().starts_with("RELOADING=1\nMONOTONIC_USEC="))
        return 4;
      readiness::watchdog();
      readiness::stopping();
      if (heard() != "WATCHDOG=1" || heard() != "STOPPING=1")
        return 5;
      setenv("WATCHDOG_USEC", "30000000", 1);
      return readiness::watchdog_interval() == std::chrono::seconds{15} ? 0 : 6;
    })
    == 0);
}

} // namespace concert::platform
