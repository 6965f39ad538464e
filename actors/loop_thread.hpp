#pragma once

#include "actors/event_loop.hpp"

#include <asio.hpp>

#include <thread>

namespace concert::actors {

/// One more event loop, on a thread of its own, for what polls should not wait
/// for, or what should not wait for them.
class loop_thread {
public:
  /// `name` has 15 letters at most.
  loop_thread(caf::actor_system& system, const char* name);
  loop_thread(const loop_thread&) = delete;
  loop_thread& operator=(const loop_thread&) = delete;
  /// Ends the thread; what it still had to do is dropped.
  ~loop_thread();

  asio::io_context& io() { return io_; }
  caf::execution_unit* unit() { return &unit_; }

private:
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  event_loop unit_;
  std::thread thread_;
};

} // namespace concert::actors
