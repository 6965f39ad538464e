#pragma once

#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "tests/platform/support.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace concert::platform::testing {

/// A network interface "tunnel" with the addresses 10.0.0.1/8 and, for packets,
/// 2001:db8::1/32, behind which the test itself is: it puts datagrams of
/// whatever sender on the receive queue that it wants. To be made in a network
/// namespace of one's own (`leave_network`); the interface goes with it.
class tunnel {
public:
  static constexpr const char* name = "tunnel";
  enum class kind : std::uint8_t {
    ip,       ///< packets
    ethernet, ///< frames: the kernel asks for the MAC of whom it answers
  };

  static std::optional<tunnel> open(std::size_t queues = 1, kind k = kind::ip) {
    tunnel made;
    made.kind_ = k;
    for (std::size_t i = 0; i < queues; ++i) {
      unique_fd fd{::open("/dev/net/tun", O_RDWR | O_CLOEXEC)};
      auto wish = named();
      wish.ifr_flags = static_cast<short>((k == kind::ip ? IFF_TUN : IFF_TAP)
                                          | IFF_NO_PI | IFF_MULTI_QUEUE);
      if (!fd || ioctl(fd.get(), TUNSETIFF, &wish) != 0)
        return std::nullopt;
      made.queues_.push_back(std::move(fd));
    }
    if (!made.configure())
      return std::nullopt;
    return made;
  }

  /// One UDP datagram comes in on a queue.
  void inject(const ntp::endpoint& from, const ntp::endpoint& to,
              std::span<const std::uint8_t> payload,
              std::size_t queue = 0) const {
    std::vector<std::uint8_t> out;
    const bool v4 = to.address.is_v4();
    if (kind_ == kind::ethernet) {
      out.assign(mac_.begin(), mac_.end());
      out.insert(out.end(), {2, 0, 0, 0, 0, 1});
      put16(out, v4 ? 0x0800 : 0x86dd);
    }
    const auto udp = udp_part(from, to, payload);
    v4 ? put_v4_header(out, from, to, udp.size())
       : put_v6_header(out, from, to, udp.size());
    out.insert(out.end(), udp.begin(), udp.end());
    [[maybe_unused]] const auto written
      = write(queues_[queue].get(), out.data(), out.size());
  }

private:
  using bytes = std::vector<std::uint8_t>;

  static ifreq named() {
    ifreq request{};
    std::strcpy(request.ifr_name, name);
    return request;
  }

  bool configure() {
    const unique_fd v4{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const unique_fd v6{socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const auto set_v4 = [&](unsigned long what, ntp::ip_address address) {
      auto request = named();
      const socket_address value{{address, 0}};
      std::memcpy(&request.ifr_addr, value.get(), sizeof request.ifr_addr);
      return ioctl(v4.get(), what, &request) == 0;
    };
    auto up = named();
    up.ifr_flags = IFF_UP;
    if (!set_v4(SIOCSIFADDR, ntp::ip_address::v4({10, 0, 0, 1}))
        || !set_v4(SIOCSIFNETMASK, ntp::ip_address::v4({255, 0, 0, 0}))
        || ioctl(v4.get(), SIOCSIFFLAGS, &up) != 0)
      return false;
    auto hardware = named();
    if (ioctl(v4.get(), SIOCGIFHWADDR, &hardware) == 0)
      std::memcpy(mac_.data(), hardware.ifr_hwaddr.sa_data, mac_.size());
    if (kind_ == kind::ethernet)
      return true; // a second would go by until an IPv6 address is certain
    struct {
      std::array<std::uint8_t, 16> address;
      std::uint32_t length;
      unsigned index;
    } request{ntp::ip_address::parse("2001:db8::1")->octets(), 32,
              if_nametoindex(name)};
    if (ioctl(v6.get(), SIOCSIFADDR, &request) != 0)
      return true; // without IPv6: IPv4 alone
    // The kernel makes the address valid in the background.
    const socket_address own{{ntp::ip_address::v6(request.address), 0}};
    return eventually([&] { return bind(v6.get(), own.get(), own.size) == 0; });
  }

  static void put16(bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
  }

  static void put_address(bytes& out, const ntp::ip_address& address) {
    const auto& octets = address.octets();
    out.insert(out.end(), octets.begin(),
               octets.begin() + (address.is_v4() ? 4 : 16));
  }

  /// RFC 1071.
  static std::uint16_t checksum(const bytes& data) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < data.size(); ++i)
      sum += i % 2 == 0 ? std::uint32_t{data[i]} << 8 : data[i];
    while (sum >> 16)
      sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
  }

  static bytes udp_part(const ntp::endpoint& from, const ntp::endpoint& to,
                        std::span<const std::uint8_t> payload) {
    bytes udp;
    for (const std::size_t field :
         {std::size_t{from.port}, std::size_t{to.port}, 8 + payload.size(),
          std::size_t{0}})
      put16(udp, field);
    udp.insert(udp.end(), payload.begin(), payload.end());
    bytes summed;
    put_address(summed, from.address);
    put_address(summed, to.address);
    put16(summed, udp.size());
    put16(summed, IPPROTO_UDP);
    summed.insert(summed.end(), udp.begin(), udp.end());
    const auto computed = checksum(summed);
    const auto sum = computed == 0 ? 0xffff : computed; // 0 means none
    udp[6] = static_cast<std::uint8_t>(sum >> 8);
    udp[7] = static_cast<std::uint8_t>(sum);
    return udp;
  }

  static void put_v4_header(bytes& out, const ntp::endpoint& from,
                            const ntp::endpoint& to, std::size_t size) {
    bytes header{0x45, 0};
    put16(header, 20 + size);
    header.insert(header.end(), {0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0});
    put_address(header, from.address);
    put_address(header, to.address);
    const auto sum = checksum(header);
    header[10] = static_cast<std::uint8_t>(sum >> 8);
    header[11] = static_cast<std::uint8_t>(sum);
    out.insert(out.end(), header.begin(), header.end());
  }

  static void put_v6_header(bytes& out, const ntp::endpoint& from,
                            const ntp::endpoint& to, std::size_t size) {
    out.insert(out.end(), {0x60, 0, 0, 0});
    put16(out, size);
    out.insert(out.end(), {IPPROTO_UDP, 64});
    put_address(out, from.address);
    put_address(out, to.address);
  }

  std::vector<unique_fd> queues_;
  kind kind_ = kind::ip;
  std::array<std::uint8_t, 6> mac_{};
};

/// What a child process returns that was not allowed what it needs.
constexpr int not_permitted = 77;

/// Moves this process, a child of the test, to a network of its own; the
/// loopback is up there. False if that is not permitted.
inline bool leave_network() {
  if (unshare(CLONE_NEWNET) != 0)
    return false;
  const unique_fd fd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

} // namespace concert::platform::testing
