#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "platform/socket.hpp"

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace concert::load {

/// How a sender's socket is to be made.
struct socket_wishes {
  ntp::endpoint target;
  bool choose_source = false;  ///< each request has its own source address
  bool foreign_source = false; ///< also addresses that are not this machine's
  bool receive = true;         ///< else all that comes in is dropped at once
  int segment = 0; ///< the kernel cuts each message into pieces of so many
                   ///< octets; 0 = not
};

/// A socket for requests to one server from many addresses.
platform::result<platform::unique_fd> open_sender(const socket_wishes& wishes);

/// Numbers transmit stamps from 0 again: after a stamped message that was not
/// sent nobody knows whether it got a number.
void restart_stamps(int fd);

/// Up to 64 messages to one server, made once: only what differs from message
/// to message is written again.
class message_batch {
public:
  static constexpr std::size_t size = 64;

  /// Each message has `length` octets; `choose_source` as for the socket.
  message_batch(const ntp::endpoint& target, std::size_t length,
                bool choose_source);
  message_batch(const message_batch&) = delete;
  message_batch& operator=(const message_batch&) = delete;

  std::span<std::byte> bytes(std::size_t i) {
    return std::span{data_}.subspan(i * length_, length_);
  }
  void set_source(std::size_t i, const ntp::ip_address& from);
  /// Whether the kernel is to stamp message `i`.
  void set_stamped(std::size_t i, bool stamped);
  /// How many of the first `count` the kernel took; `errno` tells why not all.
  std::size_t send(int fd, std::size_t count);

private:
  struct control {
    alignas(cmsghdr) std::array<std::byte, 64> bytes{};
  };

  bool choose_source_;
  bool v4_;
  std::size_t length_;
  std::size_t source_space_ = 0;
  sockaddr_storage target_{};
  std::vector<std::byte> data_;
  std::array<iovec, size> vectors_{};
  std::array<control, size> controls_{};
  std::array<mmsghdr, size> headers_{};
};

/// Datagrams as they come in, with their kernel stamps.
class arrival_batch {
public:
  static constexpr std::size_t size = 64;

  struct arrival {
    std::span<const std::byte> bytes;
    bool from_target = false;
    bool truncated = false;
    std::chrono::nanoseconds stamp{}; ///< CLOCK_REALTIME; 0 = none
  };

  explicit arrival_batch(const ntp::endpoint& target);
  arrival_batch(const arrival_batch&) = delete;
  arrival_batch& operator=(const arrival_batch&) = delete;

  /// What waits, at most `size` of it; valid until the next call.
  std::span<const arrival> receive(int fd);
  /// Datagrams that the kernel dropped since the start.
  std::uint32_t dropped() const { return dropped_; }

private:
  struct slot {
    alignas(cmsghdr) std::array<std::byte, 128> control;
    std::array<std::byte, 1280> bytes;
    sockaddr_storage from;
  };

  bool is_target(const sockaddr_storage& from) const;

  ntp::endpoint target_;
  sockaddr_storage target_address_{};
  std::uint32_t dropped_ = 0;
  std::array<slot, size> slots_{};
  std::array<iovec, size> vectors_{};
  std::array<mmsghdr, size> headers_{};
  std::array<arrival, size> arrivals_{};
};

/// Kernel transmit stamps, numbered from 0 in the order of the stamped
/// messages that were sent.
class stamp_batch {
public:
  struct stamp {
    std::uint32_t number = 0;
    std::chrono::nanoseconds realtime{};
  };

  /// What waits, at most a batch.
  std::span<const stamp> receive(int fd);

private:
  static constexpr std::size_t size = 64;
  struct slot {
    alignas(cmsghdr) std::array<std::byte, 256> control;
  };

  std::array<slot, size> slots_{};
  std::array<mmsghdr, size> headers_{};
  std::array<stamp, size> stamps_{};
};

} // namespace concert::load
