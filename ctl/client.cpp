#include "ctl/client.hpp"

#include "ctl/observation.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace concert::ctl {

namespace {

using steady = std::chrono::steady_clock;

class unique_fd {
public:
  explicit unique_fd(int fd) : fd_{fd} {}
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

/// One question to one daemon.
class conversation {
public:
  conversation(const std::filesystem::path& path, steady::time_point until,
               int cancel)
    : path_{path.string()},
      until_{until},
      cancel_{cancel},
      socket_{
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {}

  result<std::string> hold() {
    if (auto connected = connect(); !connected)
      return tl::unexpected{connected.error()};
    auto head = receive(8);
    if (!head)
      return head;
    const auto size = framed_size(*head);
    if (!size)
      return tl::unexpected{
        error{size.error().code,
              fmt::format("{}: {} (is this another program's socket?)", path_,
                          size.error().text)}};
    return receive(*size);
  }

private:
  tl::unexpected<error> fail(errc code, const std::string& text) const {
    return tl::unexpected{error{code, text}};
  }

  tl::unexpected<error> system_failure(const char* what) const {
    return fail(errc::io, fmt::format("cannot {} {}: {}", what, path_,
                                      std::generic_category().message(errno)));
  }

  result<void> connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.empty() || path_.size() >= sizeof(address.sun_path))
      return fail(errc::bad_path,
                  fmt::format("\"{}\" cannot be a socket: its path must have 1 "
                              "to {} bytes",
                              path_, sizeof(address.sun_path) - 1));
    path_.copy(address.sun_path, path_.size());
    if (socket_.get() < 0)
      return system_failure("make a socket for");
    // A Unix socket connects at once, or its queue is full (EAGAIN); nothing
    // tells when the queue has room again.
    while (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address))
           != 0) {
      if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
        return fail(errc::no_daemon,
                    fmt::format("no daemon listens at {}; is ntp-daemon "
                                "running?",
                                path_));
      if (errno != EAGAIN && errno != EINTR)
        return system_failure("connect to");
      constexpr std::chrono::milliseconds pause{50};
      if (auto waited = wait(-1, std::min(until_, steady::now() + pause));
          !waited)
        return waited;
      if (steady::now() >= until_)
        return no_answer();
    }
    return {};
  }

  tl::unexpected<error> no_answer() const {
    return fail(errc::timeout,
                fmt::format("the daemon at {} does not answer (stopped or "
                            "hung?)",
                            path_));
  }

  /// Waits until `fd` can be read or `until` has come.
  result<void> wait(int fd, steady::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(until - steady::now(), steady::duration{0}));
    std::array<pollfd, 2> watched{
      {{.fd = fd, .events = POLLIN, .revents = 0},
       {.fd = cancel_, .events = POLLIN, .revents = 0}}};
    const int ready
      = ::poll(watched.data(), watched.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR)
      return system_failure("wait for");
    if (ready > 0 && watched[1].revents != 0)
      return fail(errc::interrupted, "interrupted");
    return {};
  }

  result<std::string> receive(std::size_t size) {
    std::string text(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t n
        = ::recv(socket_.get(), text.data() + done, size - done, 0);
      if (n > 0) {
        done += static_cast<std::size_t>(n);
      } else if (n == 0) {
        return fail(errc::cut_off,
                    fmt::format("the daemon at {} closed the connection before "
                                "its answer was complete",
                                path_));
      } else if (errno != EAGAIN && errno != EINTR) {
        return system_failure("read from");
      } else if (steady::now() >= until_) {
        return no_answer();
      } else if (auto waited = wait(socket_.get(), until_); !waited) {
        return tl::unexpected{waited.error()};
      }
    }
    return text;
  }

  std::string path_;
  steady::time_point until_;
  int cancel_;
  unique_fd socket_;
};

} // namespace

result<std::string> fetch_document(const std::filesystem::path& path,
                                   std::chrono::milliseconds limit,
                                   int cancel) {
  return conversation{path, steady::now() + limit, cancel}.hold();
}

} // namespace concert::ctl
