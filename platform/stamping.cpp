#include "platform/stamping.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace concert::platform::stamping {

int enable(int fd, transmit which) {
  unsigned flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
  if (which != transmit::none)
    flags |= SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY
             | SOF_TIMESTAMPING_OPT_CMSG;
  if (which == transmit::all)
    flags |= SOF_TIMESTAMPING_TX_SOFTWARE;
  return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0
           ? 0
           : errno;
}

void request(std::byte* to) {
  const std::uint32_t flags = SOF_TIMESTAMPING_TX_SOFTWARE;
  auto* c = reinterpret_cast<cmsghdr*>(to);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SO_TIMESTAMPING;
  c->cmsg_len = CMSG_LEN(sizeof flags);
  std::memcpy(CMSG_DATA(c), &flags, sizeof flags);
}

std::optional<std::chrono::nanoseconds> read(const cmsghdr& control) {
  if (control.cmsg_level != SOL_SOCKET || control.cmsg_type != SCM_TIMESTAMPING)
    return std::nullopt;
  timespec software{};
  std::memcpy(&software, CMSG_DATA(&control), sizeof software);
  if (software.tv_sec == 0 && software.tv_nsec == 0)
    return std::nullopt;
  return std::chrono::seconds{software.tv_sec}
         + std::chrono::nanoseconds{software.tv_nsec};
}

std::optional<std::chrono::nanoseconds> find(msghdr& message) {
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
    if (const auto stamp = read(*c))
      return stamp;
  return std::nullopt;
}

std::optional<transmitted> transmit_stamp(msghdr& message) {
  const auto realtime = find(message);
  if (!realtime)
    return std::nullopt;
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    const bool is_error
      = (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
        || (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR);
    if (!is_error)
      continue;
    sock_extended_err detail{};
    std::memcpy(&detail, CMSG_DATA(c), sizeof detail);
    if (detail.ee_origin == SO_EE_ORIGIN_TIMESTAMPING
        && detail.ee_info == SCM_TSTAMP_SND)
      return transmitted{detail.ee_data, *realtime};
  }
  return std::nullopt;
}

bool take_error(int fd, std::optional<transmitted>& stamp) {
  alignas(cmsghdr) std::array<std::byte, 512> control;
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
    return false;
  if (const auto found = transmit_stamp(message))
    stamp = found;
  return true;
}

} // namespace concert::platform::stamping
