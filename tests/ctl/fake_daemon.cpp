#include "tests/ctl/fake_daemon.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace concert::ctl {

scratch_folder::scratch_folder() {
  std::string name
    = (std::filesystem::temp_directory_path() / "concert-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch_folder::~scratch_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

fake_daemon::fake_daemon(std::string octets, manner how) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path().string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address))
    == 0);
  REQUIRE(::listen(listener_, 0) == 0);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (how != manner::hangs)
    thread_ = std::thread{
      [this, how, text = std::move(octets)] { serve(text, how); }};
}

fake_daemon::~fake_daemon() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_, &one, sizeof(one));
  if (thread_.joinable())
    thread_.join();
  ::close(stop_);
  ::close(listener_);
}

void fake_daemon::serve(const std::string& octets, manner how) const {
  std::vector<int> open;
  for (;;) {
    std::array<pollfd, 2> watched{
      {{.fd = listener_, .events = POLLIN, .revents = 0},
       {.fd = stop_, .events = POLLIN, .revents = 0}}};
    ::poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0)
      break;
    const int client = ::accept(listener_, nullptr, nullptr);
    ::send(client, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (how == manner::stalls)
      open.push_back(client);
    else
      ::close(client);
  }
  for (const int client : open)
    ::close(client);
}

} // namespace concert::ctl
