#include "tools/ntp_once/plain_socket.hpp"

#include "platform/socket_address.hpp"
#include "platform/stamping.hpp"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace concert::once {

namespace {

using control_buffer = std::array<std::byte, 512>;

msghdr message_of(iovec& data) {
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  return message;
}

int open_udp(int family) {
  const int fd = socket(family, SOCK_DGRAM, 0);
  if (fd < 0)
    return fd;
  fcntl(fd, F_SETFL, O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/// Whether a message of the error queue is about a datagram that left. One
/// that does not tell what it is about can be nothing else: ICMP errors have
/// not been asked for.
bool is_of_transmission(msghdr& message) {
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (!(c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
        && !(c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR))
      continue;
    sock_extended_err detail{};
    std::memcpy(&detail, CMSG_DATA(c), sizeof detail);
    return detail.ee_origin == SO_EE_ORIGIN_TIMESTAMPING
           && detail.ee_info == SCM_TSTAMP_SND;
  }
  return true;
}

} // namespace

platform::result<plain_socket> plain_socket::open(const ntp::endpoint& server) {
  const platform::socket_address address{server};
  plain_socket made{open_udp(address.family())};
  if (made.fd_ < 0)
    return tl::unexpected(
      platform::system_error("cannot make a socket", errno));
  // Without the kernel's stamps there are our own.
  [[maybe_unused]] const int ignored
    = platform::stamping::enable(made.fd_, platform::stamping::transmit::all);
  if (connect(made.fd_, address.get(), address.size) != 0)
    return tl::unexpected(platform::system_error("cannot reach it", errno));
  return made;
}

plain_socket plain_socket::keeper() {
  plain_socket made{open_udp(AF_INET)};
  if (made.fd_ < 0)
    made = plain_socket{open_udp(AF_INET6)};
  if (made.fd_ >= 0) [[maybe_unused]]
    const int ignored = platform::stamping::enable(
      made.fd_, platform::stamping::transmit::none);
  return made;
}

plain_socket::~plain_socket() {
  if (fd_ >= 0)
    close(fd_);
}

platform::result<void>
plain_socket::send(std::span<const std::byte> bytes) const {
  // sendmsg() only reads what an iovec points to.
  iovec data{const_cast<std::byte*>(bytes.data()), bytes.size()};
  const auto message = message_of(data);
  if (sendmsg(fd_, &message, 0) < 0)
    return tl::unexpected(platform::system_error("cannot send", errno));
  return {};
}

std::optional<std::chrono::nanoseconds>
plain_socket::take_transmit_stamp() const {
  alignas(cmsghdr) control_buffer control;
  std::byte nothing{};
  iovec data{&nothing, 1};
  auto message = message_of(data);
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(fd_, &message, MSG_ERRQUEUE) < 0 || !is_of_transmission(message))
    return std::nullopt;
  return platform::stamping::find(message);
}

platform::result<plain_socket::arrival>
plain_socket::receive(std::span<std::byte> buffer) const {
  alignas(cmsghdr) control_buffer control;
  iovec data{buffer.data(), buffer.size()};
  auto message = message_of(data);
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto size = recvmsg(fd_, &message, 0);
  if (size < 0)
    return tl::unexpected(platform::system_error("no answer", errno));
  return arrival{static_cast<std::size_t>(size),
                 (message.msg_flags & MSG_TRUNC) != 0,
                 platform::stamping::find(message)};
}

} // namespace concert::once
