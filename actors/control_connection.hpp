#pragma once

#include "actors/messages.hpp"
#include "actors/token_bucket.hpp"

#include <asio.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <system_error>

namespace concert::actors {

class control_connection;

/// What the connections need of the port.
class control_host {
public:
  virtual ~control_host() = default;
  /// `c` has a whole request: it is told when its turn comes.
  virtual void wait_for_turn(std::shared_ptr<control_connection> c) = 0;
  virtual void hand_out(control_received request) = 0;
  virtual void forget(const control_connection& c) = 0;
};

/// What a connection and those who answer it share.
struct control_outbox {
  std::atomic<bool> closed{false};
  std::atomic<std::size_t> octets{0}; ///< made, and not yet written
};

/// One who asks. Its requests are handled one after the other: until one is
/// answered the next waits unread. All on the event loop.
class control_connection
  : public std::enable_shared_from_this<control_connection> {
public:
  using protocol = asio::local::stream_protocol;

  control_connection(protocol::socket socket, control_peer peer,
                     control_host& port);

  const control_peer& peer() const { return peer_; }
  /// Whether `other` is the better one to close, for want of places.
  bool worth_more_than(const control_connection& other) const;

  void start();
  /// Its turn has come.
  void handle();
  /// A line for the other side, of a request that may have `more` of them.
  void answer(std::string line, bool more = false);
  /// Nobody will answer the request any more.
  void on_lost(std::uint64_t id);
  void close();

  const std::shared_ptr<control_outbox>& out() const { return out_; }
  auto executor() { return socket_.get_executor(); }

private:
  using clock = std::chrono::steady_clock;

  void read();
  void read_some();
  void hand_out(ctl::control_request request);
  void refuse(std::uint64_t id, ctl::control_refusal why, std::string text);
  void on_read(std::error_code ec, std::size_t size);
  void write();
  void on_written(std::error_code ec);
  void start_next();
  void expire_after(std::chrono::seconds span);

  protocol::socket socket_;
  asio::steady_timer limit_;
  control_peer peer_;
  control_host* port_; ///< null once closed
  token_bucket bucket_{50, 100};
  clock::time_point last_active_ = clock::now();
  bool misbehaved_ = false; ///< asked too often, or nothing that makes sense
  bool awaited_ = false;    ///< somebody in the daemon will answer
  bool streaming_ = false;  ///< a trace
  bool reading_ = false;
  bool paused_ = false; ///< before the next request
  bool closes_ = false; ///< after what is being written
  std::string buffer_;
  std::array<char, 4096> chunk_{};
  std::deque<std::string> lines_; ///< to be written
  std::shared_ptr<control_outbox> out_ = std::make_shared<control_outbox>();
};

} // namespace concert::actors
