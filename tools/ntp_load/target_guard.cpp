#include "tools/ntp_load/target_guard.hpp"

#include "platform/socket.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace concert::load {

namespace {

/// One netlink request with one attribute, and its answer.
template <class Header>
struct question {
  nlmsghdr head{};
  Header body{};
  rtattr attribute{};
  std::array<std::uint8_t, 16> value{};
};

using buffer = std::vector<std::byte>;

platform::result<buffer> ask(const void* bytes, std::size_t size) {
  const platform::unique_fd fd{
    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  buffer answer(16384);
  if (!fd || send(fd.get(), bytes, size, 0) < 0)
    return tl::unexpected{
      platform::system_error("cannot ask the kernel for routes", errno)};
  const auto got = recv(fd.get(), answer.data(), answer.size(), 0);
  if (got < static_cast<ssize_t>(sizeof(nlmsghdr)))
    return tl::unexpected{
      platform::system_error("the kernel tells no route", errno)};
  answer.resize(static_cast<std::size_t>(got));
  nlmsghdr head{};
  std::memcpy(&head, answer.data(), sizeof head);
  if (head.nlmsg_type != NLMSG_ERROR)
    return answer;
  nlmsgerr failure{};
  std::memcpy(&failure, answer.data() + NLMSG_HDRLEN,
              std::min(sizeof failure, answer.size() - NLMSG_HDRLEN));
  return tl::unexpected{platform::system_error("no route", -failure.error)};
}

/// Calls `use(type, payload)` for each attribute.
void each_attribute(std::span<const std::byte> bytes, const auto& use) {
  while (bytes.size() >= sizeof(rtattr)) {
    rtattr a{};
    std::memcpy(&a, bytes.data(), sizeof a);
    if (a.rta_len < sizeof a || a.rta_len > bytes.size())
      return;
    use(a.rta_type & NLA_TYPE_MASK,
        bytes.subspan(sizeof a, a.rta_len - sizeof a));
    bytes = bytes.subspan(
      std::min<std::size_t>(RTA_ALIGN(a.rta_len), bytes.size()));
  }
}

template <class Header>
std::span<const std::byte> attributes(const buffer& answer) {
  const std::size_t skip = NLMSG_LENGTH(NLMSG_ALIGN(sizeof(Header)));
  return answer.size() < skip ? std::span<const std::byte>{}
                              : std::span{answer}.subspan(skip);
}

bool is_veth(int interface) {
  question<ifinfomsg> q;
  q.head.nlmsg_len = NLMSG_LENGTH(sizeof q.body);
  q.head.nlmsg_type = RTM_GETLINK;
  q.head.nlmsg_flags = NLM_F_REQUEST;
  q.body.ifi_index = interface;
  const auto answer = ask(&q, q.head.nlmsg_len);
  bool found = false;
  if (answer)
    each_attribute(attributes<ifinfomsg>(*answer), [&](int type, auto info) {
      if (type == IFLA_LINKINFO)
        each_attribute(info, [&](int inner, auto kind) {
          constexpr std::string_view veth{"veth"};
          found
            = found
              || (inner == IFLA_INFO_KIND && kind.size() >= veth.size()
                  && std::memcmp(kind.data(), veth.data(), veth.size()) == 0);
        });
    });
  return found;
}

} // namespace

platform::result<route> route_to(const ntp::ip_address& address) {
  const std::size_t size = address.is_v4() ? 4 : 16;
  question<rtmsg> q;
  q.head.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(sizeof q.body)
                                                + RTA_LENGTH(size));
  q.head.nlmsg_type = RTM_GETROUTE;
  q.head.nlmsg_flags = NLM_F_REQUEST;
  q.body.rtm_family = address.is_v4() ? AF_INET : AF_INET6;
  q.body.rtm_dst_len = static_cast<std::uint8_t>(8 * size);
  // The entry itself rather than a route made of it: it has a length.
  q.body.rtm_flags = RTM_F_FIB_MATCH;
  q.attribute.rta_type = RTA_DST;
  q.attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
  std::memcpy(q.value.data(), address.octets().data(), size);
  const auto answer = ask(&q, q.head.nlmsg_len);
  if (!answer)
    return tl::unexpected{answer.error()};
  rtmsg body{};
  if (answer->size() < NLMSG_HDRLEN + sizeof body)
    return tl::unexpected{platform::error{platform::errc::corrupt,
                                          "the kernel's answer is cut short"}};
  std::memcpy(&body, answer->data() + NLMSG_HDRLEN, sizeof body);
  route r{.type = body.rtm_type};
  r.host_bits = static_cast<unsigned>(8 * size) - body.rtm_dst_len;
  int interface = 0;
  each_attribute(attributes<rtmsg>(*answer), [&](int type, auto payload) {
    if (type == RTA_OIF && payload.size() >= sizeof interface)
      std::memcpy(&interface, payload.data(), sizeof interface);
    // Several ways are no point-to-point link either.
    if (type == RTA_GATEWAY || type == RTA_VIA || type == RTA_MULTIPATH)
      r.gateway = true;
  });
  r.veth = interface != 0 && is_veth(interface);
  return r;
}

bool is_local(const route& r) {
  return r.type == RTN_LOCAL;
}

bool is_ours(const route& r) {
  constexpr unsigned bits_of_a_pair = 2;
  return is_local(r)
         || (r.type == RTN_UNICAST && !r.gateway && r.veth
             && r.host_bits <= bits_of_a_pair);
}

} // namespace concert::load
