#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "platform/error.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace concert::once {

/// One poll's socket, made and used by the oldest calls there are, so that a
/// library loaded before libc can stand in for the network: `socket` without
/// flags, `fcntl`, `connect`, `sendmsg`, `recvmsg`. The kernel chooses the
/// port, at random.
///
/// It stamps packets where SO_TIMESTAMPING is known, and works without.
class plain_socket {
public:
  /// Connected to `server`, non-blocking.
  static platform::result<plain_socket> open(const ntp::endpoint& server);
  /// Kept open, it makes the kernel keep receive stamping switched on, which
  /// else begins some milliseconds after the first socket asks for it. Holds
  /// no descriptor where that cannot be had.
  static plain_socket keeper();

  plain_socket(plain_socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  plain_socket& operator=(plain_socket&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~plain_socket();

  int fd() const { return fd_; }
  platform::result<void> send(std::span<const std::byte> bytes) const;

  /// Takes one message off the error queue. CLOCK_REALTIME of the one datagram
  /// that was sent, if the message says that.
  std::optional<std::chrono::nanoseconds> take_transmit_stamp() const;

  struct arrival {
    std::size_t size = 0;
    bool truncated = false;
    std::optional<std::chrono::nanoseconds> stamp; ///< CLOCK_REALTIME
  };
  /// One datagram; `would_block` when none waits, `unreachable` for what ICMP
  /// says.
  platform::result<arrival> receive(std::span<std::byte> buffer) const;

private:
  explicit plain_socket(int fd) : fd_(fd) {}

  int fd_ = -1;
};

} // namespace concert::once
