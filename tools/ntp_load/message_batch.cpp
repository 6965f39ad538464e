#include "tools/ntp_load/message_batch.hpp"

#include "platform/socket_address.hpp"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace concert::load {

namespace {

using std::chrono::nanoseconds;

constexpr int receive_buffer = 8 << 20;

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// Drops all that comes in before it is queued: neither memory nor an ICMP
/// message is spent on it.
bool drop_everything(int fd) {
  sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &nothing};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)
         == 0;
}

bool switch_stamps_on(int fd) {
  // Transmit stamps come only for the messages that ask for one.
  return set(fd, SOL_SOCKET, SO_TIMESTAMPING,
             SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE
               | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY
               | SOF_TIMESTAMPING_OPT_CMSG);
}

bool permit_sources(int fd, bool v4, bool foreign) {
  if (foreign)
    return v4 ? set(fd, SOL_IP, IP_TRANSPARENT, 1)
              : set(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
  // A prefix that is local by a route is on no interface.
  return v4 ? set(fd, SOL_IP, IP_FREEBIND, 1)
            : set(fd, SOL_IPV6, IPV6_FREEBIND, 1);
}

nanoseconds stamp_of(const cmsghdr& c) {
  scm_timestamping stamps{};
  std::memcpy(&stamps, CMSG_DATA(&c), sizeof stamps);
  return std::chrono::seconds{stamps.ts[0].tv_sec}
         + nanoseconds{stamps.ts[0].tv_nsec};
}

/// Begins a control message; the caller puts `length` octets into it.
cmsghdr* begin(std::byte* at, int level, int type, std::size_t length) {
  auto* c = reinterpret_cast<cmsghdr*>(at);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(length);
  return c;
}

} // namespace

platform::result<platform::unique_fd> open_sender(const socket_wishes& wishes) {
  const platform::socket_address target{wishes.target};
  platform::unique_fd fd{
    socket(target.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const auto fail = [](const char* what) {
    return tl::unexpected{platform::system_error(what, errno)};
  };
  if (!fd)
    return fail("cannot open a socket");
  const bool v4 = wishes.target.address.is_v4();
  if (wishes.choose_source
      && !permit_sources(fd.get(), v4, wishes.foreign_source))
    return fail("cannot send from addresses that are not this machine's");
  if (wishes.receive) {
    if (!switch_stamps_on(fd.get()))
      return fail("cannot switch time stamps on");
    set(fd.get(), SOL_SOCKET, SO_RXQ_OVFL, 1);
    // Beyond the system's limit only for root; what is lost shows.
    if (!set(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer))
      set(fd.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  } else if (!drop_everything(fd.get())) {
    return fail("cannot drop the answers");
  }
  if (wishes.segment > 0
      && !set(fd.get(), SOL_UDP, UDP_SEGMENT, wishes.segment))
    return fail("cannot send in segments");
  // The port is chosen now, so that answers to the first request find it.
  sockaddr_storage any{};
  any.ss_family = static_cast<sa_family_t>(target.family());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), target.size) != 0)
    return fail("cannot bind a socket");
  return fd;
}

void restart_stamps(int fd) {
  // Numbering begins when it is switched on, which it must not be already.
  set(fd, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE);
  switch_stamps_on(fd);
}

// -- out ----------------------------------------------------------------------

message_batch::message_batch(const ntp::endpoint& target, std::size_t length,
                             bool choose_source)
  : choose_source_(choose_source),
    v4_(target.address.is_v4()),
    length_(length),
    data_(size * length) {
  const platform::socket_address to{target};
  target_ = to.storage;
  if (choose_source)
    source_space_
      = v4_ ? CMSG_SPACE(sizeof(in_pktinfo)) : CMSG_SPACE(sizeof(in6_pktinfo));
  for (std::size_t i = 0; i < size; ++i) {
    auto* const at = controls_[i].bytes.data();
    if (choose_source && v4_)
      begin(at, IPPROTO_IP, IP_PKTINFO, sizeof(in_pktinfo));
    else if (choose_source)
      begin(at, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(in6_pktinfo));
    auto* const c = begin(at + source_space_, SOL_SOCKET, SO_TIMESTAMPING,
                          sizeof(std::uint32_t));
    const std::uint32_t wish = SOF_TIMESTAMPING_TX_SOFTWARE;
    std::memcpy(CMSG_DATA(c), &wish, sizeof wish);
    vectors_[i] = {bytes(i).data(), length};
    auto& h = headers_[i].msg_hdr;
    h.msg_name = &target_;
    h.msg_namelen = to.size;
    h.msg_iov = &vectors_[i];
    h.msg_iovlen = 1;
    h.msg_control = at;
    set_stamped(i, false);
  }
}

void message_batch::set_source(std::size_t i, const ntp::ip_address& from) {
  if (!choose_source_)
    return;
  auto* const payload
    = CMSG_DATA(reinterpret_cast<cmsghdr*>(controls_[i].bytes.data()));
  const auto& octets = from.octets();
  if (v4_)
    std::memcpy(payload + offsetof(in_pktinfo, ipi_spec_dst), octets.data(), 4);
  else
    std::memcpy(payload + offsetof(in6_pktinfo, ipi6_addr), octets.data(), 16);
}

void message_batch::set_stamped(std::size_t i, bool stamped) {
  auto& h = headers_[i].msg_hdr;
  h.msg_controllen
    = source_space_ + (stamped ? CMSG_SPACE(sizeof(std::uint32_t)) : 0);
}

std::size_t message_batch::send(int fd, std::size_t count) {
  const int sent
    = sendmmsg(fd, headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

// -- in -----------------------------------------------------------------------

arrival_batch::arrival_batch(const ntp::endpoint& target)
  : target_(target),
    target_address_(platform::socket_address{target}.storage) {
  for (std::size_t i = 0; i < size; ++i) {
    vectors_[i] = {slots_[i].bytes.data(), slots_[i].bytes.size()};
    auto& h = headers_[i].msg_hdr;
    h.msg_name = &slots_[i].from;
    h.msg_iov = &vectors_[i];
    h.msg_iovlen = 1;
    h.msg_control = slots_[i].control.data();
    h.msg_namelen = sizeof slots_[i].from;
    h.msg_controllen = slots_[i].control.size();
  }
}

bool arrival_batch::is_target(const sockaddr_storage& from) const {
  if (target_.address.is_v4() && from.ss_family == AF_INET) {
    const auto& a = reinterpret_cast<const sockaddr_in&>(from);
    const auto& b = reinterpret_cast<const sockaddr_in&>(target_address_);
    return a.sin_addr.s_addr == b.sin_addr.s_addr && a.sin_port == b.sin_port;
  }
  return platform::to_endpoint(reinterpret_cast<const sockaddr&>(from))
         == target_;
}

std::span<const arrival_batch::arrival> arrival_batch::receive(int fd) {
  const int count = recvmmsg(fd, headers_.data(), size, MSG_DONTWAIT, nullptr);
  if (count <= 0)
    return {};
  const auto n = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < n; ++i) {
    auto& h = headers_[i].msg_hdr;
    auto& a = arrivals_[i];
    a = {.bytes = std::span{slots_[i].bytes}.first(headers_[i].msg_len),
         .from_target = is_target(slots_[i].from),
         .truncated = (h.msg_flags & MSG_TRUNC) != 0};
    for (auto* c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
      if (c->cmsg_level != SOL_SOCKET)
        continue;
      if (c->cmsg_type == SCM_TIMESTAMPING)
        a.stamp = stamp_of(*c);
      else if (c->cmsg_type == SO_RXQ_OVFL)
        std::memcpy(&dropped_, CMSG_DATA(c), sizeof dropped_);
    }
    h.msg_namelen = sizeof slots_[i].from;
    h.msg_controllen = slots_[i].control.size();
  }
  return std::span{arrivals_}.first(n);
}

std::span<const stamp_batch::stamp> stamp_batch::receive(int fd) {
  for (std::size_t i = 0; i < size; ++i) {
    headers_[i].msg_hdr = {};
    headers_[i].msg_hdr.msg_control = slots_[i].control.data();
    headers_[i].msg_hdr.msg_controllen = slots_[i].control.size();
  }
  const int count
    = recvmmsg(fd, headers_.data(), size, MSG_ERRQUEUE | MSG_DONTWAIT, nullptr);
  std::size_t found = 0;
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count);
       ++i) {
    auto& h = headers_[i].msg_hdr;
    nanoseconds when{};
    for (auto* c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
        when = stamp_of(*c);
      } else if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR)
                 || (c->cmsg_level == SOL_IPV6
                     && c->cmsg_type == IPV6_RECVERR)) {
        sock_extended_err detail{};
        std::memcpy(&detail, CMSG_DATA(c), sizeof detail);
        if (detail.ee_origin == SO_EE_ORIGIN_TIMESTAMPING
            && detail.ee_info == SCM_TSTAMP_SND)
          stamps_[found++] = {detail.ee_data, when};
      }
    }
  }
  return std::span{stamps_}.first(found);
}

} // namespace concert::load
