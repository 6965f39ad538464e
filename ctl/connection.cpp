#include "ctl/connection.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace concert::ctl {

namespace {

using steady = std::chrono::steady_clock;

} // namespace

result<connection> connection::open(const std::filesystem::path& path,
                                    deadline until, int cancel) {
  connection c{path.string(), cancel};
  if (auto connected = c.connect(until); !connected)
    return tl::unexpected{connected.error()};
  return c;
}

connection::connection(std::string path, int cancel)
  : path_{std::move(path)},
    cancel_{cancel},
    socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
}

connection::connection(connection&& other) noexcept
  : path_{std::move(other.path_)},
    cancel_{other.cancel_},
    socket_{std::exchange(other.socket_, -1)} {
}

connection& connection::operator=(connection&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(cancel_, other.cancel_);
  std::swap(socket_, other.socket_);
  return *this;
}

connection::~connection() {
  if (socket_ >= 0)
    ::close(socket_);
}

tl::unexpected<error> connection::fail(errc code, std::string_view text) const {
  return tl::unexpected{error{code, fmt::format("{}: {}", path_, text)}};
}

tl::unexpected<error> connection::system_failure(std::string_view what) const {
  return tl::unexpected{
    error{errc::io, fmt::format("cannot {} {}: {}", what, path_,
                                std::generic_category().message(errno))}};
}

tl::unexpected<error> connection::no_answer() const {
  return tl::unexpected{error{
    errc::timeout,
    fmt::format("the daemon at {} does not answer (stopped or hung?)", path_)}};
}

tl::unexpected<error> connection::closed() const {
  return tl::unexpected{
    error{errc::cut_off,
          fmt::format("the daemon at {} closed the connection before its "
                      "answer was complete",
                      path_)}};
}

result<void> connection::connect(deadline until) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.empty() || path_.size() >= sizeof(address.sun_path))
    return tl::unexpected{
      error{errc::bad_path,
            fmt::format("\"{}\" cannot be a socket: its path must have 1 to {} "
                        "bytes",
                        path_, sizeof(address.sun_path) - 1)}};
  path_.copy(address.sun_path, path_.size());
  if (socket_ < 0)
    return system_failure("make a socket for");
  // A Unix socket connects at once, or its queue is full (EAGAIN); nothing
  // tells when the queue has room again.
  while (
    ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address))
    != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
      return tl::unexpected{error{
        errc::no_daemon,
        fmt::format("no daemon listens at {}; is ntp-daemon running?", path_)}};
    if (errno != EAGAIN && errno != EINTR)
      return system_failure("connect to");
    constexpr std::chrono::milliseconds pause{50};
    if (auto waited = wait(-1, 0, std::min(until, steady::now() + pause));
        !waited)
      return waited;
    if (steady::now() >= until)
      return no_answer();
  }
  return {};
}

/// Waits until `fd` is ready or `until` has come.
result<void> connection::wait(int fd, short events, deadline until) const {
  const auto left
    = std::chrono::ceil<std::chrono::milliseconds>(std::clamp<steady::duration>(
      until - steady::now(), std::chrono::seconds{0}, std::chrono::hours{24}));
  std::array<pollfd, 2> watched{
    {{.fd = fd, .events = events, .revents = 0},
     {.fd = cancel_, .events = POLLIN, .revents = 0}}};
  const int ready
    = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
  if (ready < 0 && errno != EINTR)
    return system_failure("wait for");
  if (ready > 0 && watched[1].revents != 0)
    return tl::unexpected{error{errc::interrupted, "interrupted"}};
  return {};
}

result<void> connection::send(std::string_view text, deadline until) {
  while (!text.empty()) {
    const ssize_t n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return closed();
    } else if (errno != EAGAIN && errno != EINTR) {
      return system_failure("write to");
    } else if (steady::now() >= until) {
      return no_answer();
    } else if (auto waited = wait(socket_, POLLOUT, until); !waited) {
      return waited;
    }
  }
  return {};
}

result<std::size_t> connection::receive(std::span<char> into, deadline until) {
  for (;;) {
    const ssize_t n = ::recv(socket_, into.data(), into.size(), 0);
    if (n > 0)
      return static_cast<std::size_t>(n);
    if (n == 0 || errno == ECONNRESET)
      return closed();
    if (errno != EAGAIN && errno != EINTR)
      return system_failure("read from");
    if (steady::now() >= until)
      return no_answer();
    if (auto waited = wait(socket_, POLLIN, until); !waited)
      return tl::unexpected{waited.error()};
  }
}

} // namespace concert::ctl
