#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "platform/stamping.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>

namespace concert::platform {

namespace {

unique_fd open_udp(int family) {
  return unique_fd{
    socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Binds to a port that we chose ourselves: the kernel's choice is easier to
/// guess (RFC 9109). It is the last resort when random ports are taken.
/// Returns 0 or the error number.
int bind_random_port(int fd, bool v4) {
  constexpr unsigned lowest = 1024;
  constexpr int attempts = 16;
  for (int i = 0; i <= attempts; ++i) {
    std::uint16_t random = 0;
    ntp::endpoint local;
    if (!v4)
      local.address = ntp::ip_address::v6({});
    if (i < attempts
        && getrandom(&random, sizeof random, GRND_NONBLOCK) == sizeof random)
      local.port
        = static_cast<std::uint16_t>(lowest + random % (0x10000 - lowest));
    const socket_address address{local};
    if (bind(fd, address.get(), address.size) == 0)
      return 0;
    if (errno != EADDRINUSE && errno != EACCES)
      break;
  }
  return errno;
}

/// One datagram to ourselves; true if it came back with a stamp.
bool arrives_stamped(int fd, const socket_address& self) {
  std::byte byte{};
  if (sendto(fd, &byte, 1, 0, self.get(), self.size) != 1)
    return false;
  pollfd readable{fd, POLLIN, 0};
  if (poll(&readable, 1, 10) != 1)
    return false;
  alignas(cmsghdr) std::array<std::byte, 256> control;
  iovec data{&byte, 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  return recvmsg(fd, &message, MSG_DONTWAIT) >= 0
         && stamping::find(message).has_value();
}

} // namespace

result<stamping_keeper> stamping_keeper::open() {
  stamping_keeper keeper;
  keeper.fd_ = open_udp(AF_INET);
  const int fd = keeper.fd_.get();
  if (fd < 0)
    return tl::unexpected(system_error("cannot make a UDP socket", errno));
  if (const int number = stamping::enable(fd, stamping::transmit::none))
    return tl::unexpected(
      system_error("the kernel does not stamp packets", number));
  // The kernel switches stamping on in the background; wait until it works. A
  // machine without loopback interface goes without the wait.
  const socket_address any{{ntp::ip_address::v4({127, 0, 0, 1}), 0}};
  if (bind(fd, any.get(), any.size) != 0)
    return keeper;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return keeper;
  const socket_address self{
    to_endpoint(*reinterpret_cast<const sockaddr*>(&bound))};
  for (int i = 0; i < 50 && !arrives_stamped(fd, self); ++i)
    poll(nullptr, 0, 1);
  return keeper;
}

result<client_socket> client_socket::open(const ntp::endpoint& server) {
  const socket_address address{server};
  client_socket made;
  made.fd_ = open_udp(address.family());
  const int fd = made.fd_.get();
  if (fd < 0)
    return tl::unexpected(
      system_error("cannot make a socket for " + server.to_string(), errno));
  if (const int number = stamping::enable(fd, stamping::transmit::all))
    return tl::unexpected(
      system_error("the kernel does not stamp packets", number));
  if (const int number = bind_random_port(fd, server.address.is_v4()))
    return tl::unexpected(system_error("cannot bind a local port", number));
  if (connect(fd, address.get(), address.size) != 0)
    return tl::unexpected(
      system_error("cannot reach " + server.to_string(), errno));
  return made;
}

result<void> client_socket::send(std::span<const std::byte> bytes) {
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) >= 0) {
    ++sent_;
    return {};
  }
  const int number = errno;
  // Kernels differ in whether a failed datagram uses up a number, so that the
  // count is started anew on both sides.
  take_transmit_stamp();
  stamping::enable(fd_.get(), stamping::transmit::none);
  stamping::enable(fd_.get(), stamping::transmit::all);
  sent_ = 0;
  return tl::unexpected(system_error("cannot send", number));
}

std::optional<kernel_stamp> client_socket::take_transmit_stamp() {
  std::optional<kernel_stamp> found;
  std::optional<stamping::transmitted> stamp;
  while (stamping::take_error(fd_.get(), stamp))
    if (stamp && stamp->number + 1 == sent_)
      found = kernel_stamp{stamp->realtime, ntp::stamp_kind::kernel};
  return found;
}

result<client_socket::arrival>
client_socket::receive(std::span<std::byte> buffer) {
  alignas(cmsghdr) std::array<std::byte, 256> control;
  iovec data{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = recvmsg(fd_.get(), &message, MSG_DONTWAIT);
  if (size < 0)
    return tl::unexpected(system_error("cannot receive", errno));
  arrival a;
  a.size = static_cast<std::size_t>(size);
  a.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  if (const auto realtime = stamping::find(message))
    a.stamp = kernel_stamp{*realtime, ntp::stamp_kind::kernel};
  return a;
}

} // namespace concert::platform
