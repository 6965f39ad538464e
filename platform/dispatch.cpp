#include "platform/dispatch.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

namespace concert::platform::dispatch {

namespace {

using program = std::vector<sock_filter>;

void add(program& p, unsigned code, std::uint32_t operand = 0) {
  p.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
}

/// Loads 32 bits of the IP header.
void load_header(program& p, int at) {
  add(p, BPF_LD | BPF_W | BPF_ABS,
      static_cast<std::uint32_t>(SKF_NET_OFF + at));
}

/// a ^= a >> bits; overwrites x.
void fold(program& p, std::uint32_t bits) {
  add(p, BPF_MISC | BPF_TAX);
  add(p, BPF_ALU | BPF_RSH | BPF_K, bits);
  add(p, BPF_ALU | BPF_XOR | BPF_X);
}

/// Lets each bit of a decide about all others: two multiplications by odd
/// numbers between three folds (the constants are those of the finishing step
/// of MurmurHash3, chosen there for just that).
void mix(program& p) {
  fold(p, 16);
  add(p, BPF_ALU | BPF_MUL | BPF_K, 0x85ebca6b);
  fold(p, 13);
  add(p, BPF_ALU | BPF_MUL | BPF_K, 0xc2b2ae35);
  fold(p, 16);
}

/// IPv4 by address, IPv6 by /64: one customer has that many to choose from.
program by_client(bool v4, std::uint32_t members) {
  constexpr int v4_source = 12;
  constexpr int v6_source = 8;
  program p;
  load_header(p, v4 ? v4_source : v6_source);
  mix(p);
  if (!v4) {
    add(p, BPF_MISC | BPF_TAX);
    load_header(p, v6_source + 4);
    add(p, BPF_ALU | BPF_XOR | BPF_X);
    mix(p);
  }
  add(p, BPF_ALU | BPF_MOD | BPF_K, members);
  add(p, BPF_RET | BPF_A);
  return p;
}

/// The kernel counts queues from 1 and says 0 where none was noted; 0 - 1 is
/// out of range, so that its own hash decides.
program by_queue(std::uint32_t members) {
  program p;
  add(p, BPF_LD | BPF_W | BPF_ABS,
      static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_QUEUE));
  add(p, BPF_ALU | BPF_SUB | BPF_K, 1);
  p.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ~std::uint32_t{0}});
  add(p, BPF_ALU | BPF_MOD | BPF_K, members);
  add(p, BPF_RET | BPF_A);
  return p;
}

} // namespace

int attach(int fd, bool v4, std::size_t members, dispatch_rule rule) {
  if (members <= 1) {
    const int unused = 0;
    const bool detached = setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF,
                                     &unused, sizeof unused)
                          == 0;
    return detached || errno == ENOENT ? 0 : errno; // ENOENT: none is attached
  }
  const auto count = static_cast<std::uint32_t>(members);
  auto p = rule == dispatch_rule::client_address ? by_client(v4, count)
                                                 : by_queue(count);
  const sock_fprog described{static_cast<unsigned short>(p.size()), p.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &described,
                    sizeof described)
             == 0
           ? 0
           : errno;
}

} // namespace concert::platform::dispatch
