// The least that a server on sockets can do: takes a batch of requests, copies
// their 48 octets, and sends them back as answers. Its sockets have the options
// of the daemon's (platform/server_socket.cpp), so that what the daemon costs
// beyond it is the daemon's own.
//
// usage: floor ADDRESS:PORT
#include "platform/socket_address.hpp"
#include "platform/stamping.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace {

namespace ntp = concert::ntp;
namespace platform = concert::platform;

constexpr unsigned batch = 64;
constexpr std::size_t header = 48;
constexpr int receive_buffer = 1 << 20;

struct slot {
  std::array<std::byte, 1024> request;
  std::array<std::byte, 64> reply;
  sockaddr_storage client;
  alignas(cmsghdr) std::array<std::byte, 192> control;
};

struct floor_state {
  std::array<slot, batch> slots;
  std::array<iovec, batch> in_data{};
  std::array<iovec, batch> out_data{};
  std::array<mmsghdr, batch> in{};
  std::array<mmsghdr, batch> out{};

  floor_state() {
    for (unsigned i = 0; i < batch; ++i) {
      auto& s = slots[i];
      in_data[i] = {s.request.data(), s.request.size()};
      out_data[i] = {s.reply.data(), header};
      auto& h = in[i].msg_hdr;
      h.msg_name = &s.client;
      h.msg_iov = &in_data[i];
      h.msg_iovlen = 1;
      h.msg_control = s.control.data();
      rearm(i);
    }
  }

  void rearm(unsigned i) {
    in[i].msg_hdr.msg_namelen = sizeof slots[i].client;
    in[i].msg_hdr.msg_controllen = slots[i].control.size();
  }
};

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

int open_socket(const ntp::endpoint& listen) {
  const platform::socket_address address{listen};
  const int fd = socket(address.family(), SOCK_DGRAM | SOCK_NONBLOCK, 0);
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  set(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  if (listen.address.is_v4())
    set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  if (listen.address.is_unspecified() && listen.address.is_v4())
    set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  if (platform::stamping::enable(fd, platform::stamping::transmit::on_request)
        != 0
      || bind(fd, address.get(), address.size) != 0)
    return -1;
  return fd;
}

/// Mode 4 of the same version, stratum 1, and the request's transmit time as
/// origin and, because an answer needs some, as the other times.
void answer(const slot& s, std::byte* reply) {
  constexpr std::size_t reference_at = 16;
  constexpr std::size_t transmit_at = 40;
  std::memcpy(reply, s.request.data(), header);
  reply[0] = (reply[0] & std::byte{0x38}) | std::byte{4};
  reply[1] = std::byte{1};
  for (std::size_t at = reference_at; at < transmit_at; at += 8)
    std::memcpy(reply + at, s.request.data() + transmit_at, 8);
}

/// The reply leaves from the address that was asked.
void add_source(const msghdr& in, msghdr& out) {
  auto* c = CMSG_FIRSTHDR(&in);
  for (; c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&in), c))
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      info.ipi_ifindex = 0;
      std::memcpy(CMSG_DATA(c), &info, sizeof info);
      out.msg_control = c;
      out.msg_controllen = CMSG_SPACE(sizeof info);
    }
}

void serve(int fd, floor_state& f) {
  const int got = recvmmsg(fd, f.in.data(), batch, MSG_DONTWAIT, nullptr);
  if (got <= 0) {
    pollfd readable{fd, POLLIN, 0};
    poll(&readable, 1, -1);
    return;
  }
  unsigned replies = 0;
  for (unsigned i = 0; i < static_cast<unsigned>(got); ++i) {
    auto& s = f.slots[i];
    if (f.in[i].msg_len < header)
      continue;
    auto& out = f.out[replies].msg_hdr;
    out = {};
    answer(s, s.reply.data());
    out.msg_name = &s.client;
    out.msg_namelen = f.in[i].msg_hdr.msg_namelen;
    out.msg_iov = &f.out_data[i];
    out.msg_iovlen = 1;
    add_source(f.in[i].msg_hdr, out);
    ++replies;
  }
  for (unsigned sent = 0; sent < replies;) {
    const int n = sendmmsg(fd, &f.out[sent], replies - sent, MSG_DONTWAIT);
    sent += n > 0 ? static_cast<unsigned>(n) : 1;
  }
  for (unsigned i = 0; i < static_cast<unsigned>(got); ++i)
    f.rearm(i);
}

} // namespace

int main(int argc, char** argv) {
  const auto listen = argc == 2 ? ntp::endpoint::parse(argv[1]) : std::nullopt;
  if (!listen) {
    std::fprintf(stderr, "usage: floor ADDRESS:PORT\n");
    return 2;
  }
  const int fd = open_socket(*listen);
  if (fd < 0) {
    std::perror("floor");
    return 1;
  }
  static floor_state state;
  while (true)
    serve(fd, state);
}
