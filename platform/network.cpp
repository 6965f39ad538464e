#include "platform/network.hpp"

#include "platform/socket_address.hpp"

#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace concert::platform {

namespace {

using interface_list = std::unique_ptr<ifaddrs, decltype(&freeifaddrs)>;

interface_list interfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0)
    first = nullptr;
  return {first, &freeifaddrs};
}

bool is_ip(const sockaddr* address) {
  return address
         && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

/// Whether two addresses agree in the bits of a mask.
bool agree(const ntp::ip_address& a, const ntp::ip_address& b,
           const sockaddr& mask, bool v4) {
  if (a.is_v4() != b.is_v4() || a.is_v4() != v4)
    return false;
  if (a.scope_id() != 0 && b.scope_id() != 0 && a.scope_id() != b.scope_id())
    return false;
  const auto bits = to_endpoint(mask).address.octets();
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (((a.octets()[i] ^ b.octets()[i]) & bits[i]) != 0)
      return false;
  return true;
}

/// Whether a message of the kernel tells of something that matters here:
/// statistics and cached routes do not.
bool is_relevant(nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_DELLINK:
      return true;
    case RTM_NEWLINK:
      return message->nlmsg_len >= NLMSG_LENGTH(sizeof(ifinfomsg))
             && static_cast<ifinfomsg*>(NLMSG_DATA(message))->ifi_change != 0;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return message->nlmsg_len >= NLMSG_LENGTH(sizeof(rtmsg))
             && (static_cast<rtmsg*>(NLMSG_DATA(message))->rtm_flags
                 & RTM_F_CLONED)
                  == 0;
    default:
      return false;
  }
}

} // namespace

std::vector<ntp::ip_address> own_addresses() {
  std::vector<ntp::ip_address> out;
  const auto list = interfaces();
  for (const auto* i = list.get(); i; i = i->ifa_next)
    if (is_ip(i->ifa_addr))
      out.push_back(to_endpoint(*i->ifa_addr).address);
  return out;
}

bool is_on_link(const ntp::ip_address& address) {
  const auto list = interfaces();
  for (const auto* i = list.get(); i; i = i->ifa_next) {
    if (!is_ip(i->ifa_addr) || !i->ifa_netmask || (i->ifa_flags & IFF_UP) == 0)
      continue;
    if (agree(address, to_endpoint(*i->ifa_addr).address, *i->ifa_netmask,
              i->ifa_addr->sa_family == AF_INET))
      return true;
  }
  return false;
}

bool has_route(const ntp::ip_address& address) {
  // Connecting a UDP socket looks the route up and sends nothing.
  const socket_address target{{address, 123}};
  const unique_fd fd{socket(target.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return fd && connect(fd.get(), target.get(), target.size) == 0;
}

result<network_monitor> network_monitor::open() {
  const auto fail = [](int number) {
    return tl::unexpected(
      system_error("cannot watch for changes of the network", number));
  };
  network_monitor monitor;
  monitor.fd_ = unique_fd{
    socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)};
  if (!monitor.fd_)
    return fail(errno);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
                      | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (bind(monitor.fd(), reinterpret_cast<const sockaddr*>(&address),
           sizeof address)
      != 0)
    return fail(errno);
  return monitor;
}

bool network_monitor::drain() {
  alignas(nlmsghdr) std::array<std::byte, 16384> buffer;
  bool changed = false;
  for (;;) {
    sockaddr_nl sender{};
    socklen_t sender_size = sizeof sender;
    const auto received
      = recvfrom(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                 reinterpret_cast<sockaddr*>(&sender), &sender_size);
    if (received < 0 && errno == ENOBUFS) {
      changed = true; // messages were lost
      continue;
    }
    if (received < 0)
      return changed;
    if (sender.nl_pid != 0)
      continue; // not from the kernel
    auto left = static_cast<unsigned>(received);
    for (auto* m = reinterpret_cast<nlmsghdr*>(buffer.data());
         NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
      changed = is_relevant(m) || changed;
  }
}

} // namespace concert::platform
