#pragma once

#include <asio.hpp>
#include <caf/all.hpp>

namespace concert::actors {

/// Runs actors on the thread of an `asio::io_context`, where they may touch
/// their sockets directly.
class event_loop final : public caf::execution_unit {
public:
  event_loop(caf::actor_system& system, asio::io_context& io)
    : execution_unit(&system),
      io_(io) {}

  void exec_later(caf::resumable* job) override {
    if (job->subtype() != caf::resumable::io_actor) {
      // A receiver that lives in the pool.
      system().scheduler().enqueue(job);
      return;
    }
    asio::post(io_, [this, job] { run(job); });
  }

private:
  /// Messages that one actor may handle before others have their turn.
  static constexpr std::size_t max_throughput = 50;

  void run(caf::resumable* job) {
    switch (job->resume(this, max_throughput)) {
      case caf::resumable::resume_later:
        exec_later(job);
        break;
      case caf::resumable::done:
      case caf::resumable::awaiting_message:
        caf::intrusive_ptr_release(job);
        break;
      default:
        break;
    }
  }

  asio::io_context& io_;
};

} // namespace concert::actors
