#include "platform/stamping.hpp"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace concert::platform::stamping {

int enable(int fd, bool transmit) {
  unsigned flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
  if (transmit)
    flags |= SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID
             | SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG;
  return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0
           ? 0
           : errno;
}

std::optional<std::chrono::nanoseconds> find(msghdr& message) {
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
      continue;
    scm_timestamping stamps{};
    std::memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
    const auto& software = stamps.ts[0];
    if (software.tv_sec != 0 || software.tv_nsec != 0)
      return std::chrono::seconds{software.tv_sec}
             + std::chrono::nanoseconds{software.tv_nsec};
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
  const auto realtime = find(message);
  for (auto* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    const bool is_error
      = (c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
        || (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR);
    if (!is_error)
      continue;
    sock_extended_err detail{};
    std::memcpy(&detail, CMSG_DATA(c), sizeof detail);
    if (realtime && detail.ee_origin == SO_EE_ORIGIN_TIMESTAMPING
        && detail.ee_info == SCM_TSTAMP_SND)
      stamp = transmitted{detail.ee_data, *realtime};
  }
  return true;
}

} // namespace concert::platform::stamping
