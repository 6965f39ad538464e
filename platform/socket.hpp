#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/stamp.hpp"
#include "platform/error.hpp"

#include <poll.h>

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

/// How a group of sockets that share an address divides the requests.
enum class dispatch_rule : std::uint8_t {
  client_address, ///< one client, one socket: for state per client
  receive_queue,  ///< by the network interface's queue: no hand-over
};

struct server_socket_options {
  std::string interface; ///< only requests from there; empty = from all
  /// Bytes that the kernel may queue; 0 = its default. Beyond the system's
  /// limit (net.core.rmem_max) as much as it gives.
  std::uint32_t receive_buffer = 1 << 20;
  std::uint32_t send_buffer = 0;
  bool operator==(const server_socket_options&) const = default;
};

/// The socket of one worker for one listen address: SO_REUSEPORT, batches,
/// receive stamps, transmit stamps on request, replies from the address that
/// was asked.
class server_socket {
public:
  static constexpr std::size_t batch_size = 32;
  /// Requests with NTS have up to 1,200 octets.
  static constexpr std::size_t packet_size = 1280;

  static result<server_socket> open(const ntp::endpoint& listen,
                                    const server_socket_options& options = {});
  /// Whether nobody listens on `listen` yet. Sockets of one user share an
  /// address without complaint, so that a second daemon would go unnoticed: ask
  /// before the first of one's own is opened.
  static result<void> check_free(const ntp::endpoint& listen,
                                 const server_socket_options& options = {});
  /// Divides the requests of the group to which this socket belongs, `members`
  /// sockets now, by `rule`. To be called on any one of them whenever one came
  /// or went. What the rule cannot place, the kernel spreads by its own hash.
  result<void> dispatch(std::size_t members, dispatch_rule rule);
  server_socket(server_socket&&) noexcept;
  server_socket& operator=(server_socket&&) noexcept;
  ~server_socket();

  int fd() const;
  /// The bound address (with the port that the kernel chose for port 0).
  ntp::endpoint local() const;
  /// Whether the interface of the options has gone, or gone and come back: the
  /// socket still belongs to the old one and must be opened anew.
  bool is_stale() const;

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
  /// reply a request. With `stamp_tag` the kernel is asked when it leaves:
  /// see `take_transmit_stamps`.
  void queue_reply(std::size_t i, std::size_t size,
                   std::optional<std::uint64_t> stamp_tag = std::nullopt);
  /// The queued replies, so that they can be stamped just before sending.
  struct queued {
    std::size_t request = 0;
    std::span<std::byte> bytes;
  };
  std::span<queued> queued_replies();
  /// Sends all queued replies; returns the requests, by number in the batch,
  /// whose replies the kernel refused. Valid until the next `flush`.
  std::span<const std::size_t> flush();
  /// When a reply left, for a tag of `queue_reply`.
  struct transmitted {
    std::uint64_t tag = 0;
    std::chrono::nanoseconds realtime{}; ///< CLOCK_REALTIME
  };
  /// The stamps that have come since the last call, valid until the next; no
  /// system call while none is awaited. Stamps of more than a few hundred
  /// replies are not awaited: the oldest are given up. A stamp that has come
  /// makes the descriptor ready (POLLERR): whoever polls it calls this and
  /// `receive` whenever it is. A stamp that came too late is out of the way
  /// after a few such turns. After a refused reply with a tag it may happen
  /// that no stamps come for a while.
  std::span<const transmitted> take_transmit_stamps();
  /// Datagrams the kernel dropped since the start (SO_RXQ_OVFL).
  std::uint64_t overflows() const;

private:
  struct state;
  explicit server_socket(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

/// Lets one thread sleep on descriptors until another one wakes it.
class wake_event {
public:
  static result<wake_event> open();
  void signal(); ///< from any thread
  /// Sleeps until one of `fds` is readable, or until a signal came since the
  /// last sleep, and takes that.
  void sleep(std::span<const int> fds);

private:
  unique_fd fd_;
  std::vector<pollfd> polled_;
};

/// A listening Unix stream socket. An old socket file is replaced, any other
/// file is an error; the mode is set before anybody can connect.
result<unique_fd> listen_unix(const std::string& path, std::uint32_t mode);

} // namespace concert::platform
