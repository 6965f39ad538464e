#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace concert::actors {

/// True time since the simulation began; nobody in it can read this.
using true_time = std::chrono::nanoseconds;

/// What will happen in the world, by true time; events of one instant keep the
/// order in which they were added. Only `advance` makes time pass.
class event_queue {
public:
  true_time now() const { return now_; }
  void add(std::chrono::nanoseconds delay, std::function<void()> event) {
    add_at(now_ + delay, std::move(event));
  }
  /// What should have happened already is overdue.
  void add_at(true_time at, std::function<void()> event);
  std::optional<true_time> next() const;
  /// Lets time pass; what should have happened meanwhile is overdue then.
  void advance(true_time to) { now_ = to; }
  /// Runs the next event, if it is due.
  bool run_one();

private:
  struct entry {
    true_time at;
    std::uint64_t number;
    std::function<void()> event;
    /// For a heap with the earliest on top.
    bool operator<(const entry& o) const {
      return at != o.at ? at > o.at : number > o.number;
    }
  };

  true_time now_{};
  std::uint64_t count_ = 0;
  std::vector<entry> entries_;
};

} // namespace concert::actors
