#include "platform/socket.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace concert::platform {

unique_fd& unique_fd::operator=(unique_fd&& o) noexcept {
  if (this != &o) {
    if (fd_ >= 0)
      close(fd_);
    fd_ = std::exchange(o.fd_, -1);
  }
  return *this;
}

unique_fd::~unique_fd() {
  if (fd_ >= 0)
    close(fd_);
}

result<wake_event> wake_event::open() {
  wake_event event;
  event.fd_ = unique_fd{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event.fd_)
    return tl::unexpected(system_error("cannot make an eventfd", errno));
  return event;
}

void wake_event::signal() {
  // A full counter is as good as a successful write: the thread will wake.
  [[maybe_unused]] const int ignored = eventfd_write(fd_.get(), 1);
}

void wake_event::sleep(std::span<const int> fds) {
  polled_.clear();
  polled_.push_back({fd_.get(), POLLIN, 0});
  for (const int fd : fds)
    polled_.push_back({fd, POLLIN, 0});
  poll(polled_.data(), polled_.size(), -1);
  if (polled_.front().revents == 0)
    return;
  eventfd_t value = 0;
  [[maybe_unused]] const int ignored = eventfd_read(fd_.get(), &value);
}

result<unique_fd> listen_unix(const std::string& path, std::uint32_t mode) {
  const auto what = "cannot listen on " + path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return tl::unexpected(system_error(what, ENAMETOOLONG));
  std::memcpy(address.sun_path, path.data(), path.size());

  struct stat old {};
  if (lstat(path.c_str(), &old) == 0) {
    if (!S_ISSOCK(old.st_mode))
      return tl::unexpected(
        error{errc::in_use, what + ": there is a file that is no socket"});
    if (unlink(path.c_str()) != 0)
      return tl::unexpected(system_error(what, errno));
  }
  unique_fd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  // Until `listen` nobody can connect, so the mode is in force before that.
  if (!fd
      || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof address)
           != 0
      || chmod(path.c_str(), mode) != 0 || listen(fd.get(), 16) != 0)
    return tl::unexpected(system_error(what, errno));
  return fd;
}

} // namespace concert::platform
