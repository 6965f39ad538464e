#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/stamp.hpp"
#include "platform/error.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace concert::platform {

/// A file descriptor that closes itself.
class unique_fd {
public:
  unique_fd() = default;
  explicit unique_fd(int fd) : fd_(fd) {}
  unique_fd(unique_fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  unique_fd& operator=(unique_fd&& o) noexcept;
  ~unique_fd();
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// A stamp the kernel or the network interface took, on CLOCK_REALTIME.
struct kernel_stamp {
  std::chrono::nanoseconds realtime{};
  ntp::stamp_kind kind = ntp::stamp_kind::kernel;
};

/// Keeps receive stamping switched on in the kernel, which enables it lazily:
/// without one such socket, fresh sockets get none or false stamps. Hold one
/// for the daemon's life.
class stamping_keeper {
public:
  static result<stamping_keeper> open();

private:
  unique_fd fd_;
};

/// One poll's socket: connected to one server from a fresh random port, with
/// transmit and receive stamps, non-blocking.
class client_socket {
public:
  static result<client_socket> open(const ntp::endpoint& server);

  int fd() const { return fd_.get(); }
  /// Sends one datagram; `unreachable`, `would_block`, `permission`….
  result<void> send(std::span<const std::byte> bytes);
  /// The transmit stamp of the last datagram, once, if it has come (drains the
  /// error queue). ICMP errors come from `send` and `receive`, once each, as
  /// `unreachable`.
  std::optional<kernel_stamp> take_transmit_stamp();

  struct arrival {
    std::size_t size = 0;
    bool truncated = false;
    std::optional<kernel_stamp> stamp;
  };
  /// One datagram from the server, if any; `would_block` when none waits.
  result<arrival> receive(std::span<std::byte> buffer);

private:
  unique_fd fd_;
  std::uint32_t sent_ = 0; ///< as the kernel numbers transmit stamps
};

/// The socket of one worker for one listen address: SO_REUSEPORT, batches,
/// receive stamps, replies from the address that was asked.
class server_socket {
public:
  static constexpr std::size_t batch_size = 64;
  static constexpr std::size_t packet_size = 1024;

  static result<server_socket> open(const ntp::endpoint& listen);
  /// Whether nobody listens on `listen` yet. Sockets of one user share an
  /// address without complaint, so that a second daemon would go unnoticed: ask
  /// before the first of one's own is opened.
  static result<void> check_free(const ntp::endpoint& listen);
  server_socket(server_socket&&) noexcept;
  server_socket& operator=(server_socket&&) noexcept;
  ~server_socket();

  int fd() const;
  /// The bound address (with the port that the kernel chose for port 0).
  ntp::endpoint local() const;

  struct request {
    std::span<std::byte> bytes; ///< valid until the next `receive`
    ntp::endpoint client;
    std::optional<std::chrono::nanoseconds> received; ///< CLOCK_REALTIME
    bool truncated = false;
  };
  /// Receives up to `batch_size` datagrams without blocking; no allocation.
  std::span<request> receive();
  /// Room for the reply to request `i` of the batch; `packet_size` bytes.
  std::span<std::byte> reply_buffer(std::size_t i);
  /// Marks the reply to request `i`, `size` bytes; sent by `flush`. At most one
  /// reply a request.
  void queue_reply(std::size_t i, std::size_t size);
  /// The queued replies, so that they can be stamped just before sending.
  struct queued {
    std::size_t request = 0;
    std::span<std::byte> bytes;
  };
  std::span<queued> queued_replies();
  /// Sends all queued replies; returns how many the kernel refused.
  std::size_t flush();
  /// Datagrams the kernel dropped since the start (SO_RXQ_OVFL).
  std::uint64_t overflows() const;

private:
  struct state;
  explicit server_socket(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Wakes a thread that is parked in `park`.
class wake_event {
public:
  static result<wake_event> open();
  int fd() const { return fd_.get(); }
  void signal(); ///< from any thread
  void clear();

private:
  unique_fd fd_;
};

/// Sleeps until one of `fds` is readable; -1 = without limit.
void park(std::span<const int> fds, std::chrono::milliseconds limit);

/// A listening Unix stream socket. An old socket file is replaced, any other
/// file is an error; the mode is set before anybody can connect.
result<unique_fd> listen_unix(const std::string& path, std::uint32_t mode);

} // namespace concert::platform
