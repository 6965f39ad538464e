#pragma once

#include "actors/event_loop.hpp"

#include <asio.hpp>

#include <thread>

namespace concert::actors {

/// A second event loop, on a thread of its own, for TLS handshakes: each keeps
/// its thread for a millisecond, which polls should not wait for.
class key_exchange_thread {
public:
  explicit key_exchange_thread(caf::actor_system& system);
  key_exchange_thread(const key_exchange_thread&) = delete;
  key_exchange_thread& operator=(const key_exchange_thread&) = delete;
  /// Ends the thread; what it still had to do is dropped.
  ~key_exchange_thread();

  asio::io_context& io() { return io_; }
  caf::execution_unit* unit() { return &unit_; }

private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  event_loop unit_;
  std::thread thread_;
};

} // namespace concert::actors
