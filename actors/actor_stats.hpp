#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>
#include <vector>

/// What the inspector sees of an actor, readable from any thread without
/// asking the actor, so that a stuck one shows.
namespace concert::actors {

/// One traced message.
struct trace_entry {
  std::chrono::steady_clock::time_point at;
  std::uint64_t sender = 0; ///< actor id, 0 = none
  std::uint64_t receiver = 0;
  const std::type_info* type = nullptr;
  std::chrono::nanoseconds handling{};
};

/// The last messages of the actors that are traced; bounded.
class trace_ring {
public:
  explicit trace_ring(std::size_t capacity) : entries_(capacity) {}
  void append(const trace_entry& entry);
  /// Oldest first.
  std::vector<trace_entry> read() const;

private:
  mutable std::mutex mutex_;
  std::vector<trace_entry> entries_;
  std::uint64_t count_ = 0;
};

/// Statistics of one actor. `enqueued` is counted by senders; all else is
/// written by the actor alone, with relaxed stores.
class actor_stats {
public:
  /// One message in this many has its handling timed.
  static constexpr std::uint64_t sample_every = 64;
  static constexpr std::size_t max_types = 16;

  struct type_stats {
    std::atomic<const std::type_info*> type{nullptr};
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::int64_t> slowest_ns{0}; ///< of the sampled ones
  };

  actor_stats(std::uint64_t id, std::string kind, std::string name,
              std::uint64_t parent);

  /// Any thread: a message was put into the mailbox.
  void on_enqueue() { enqueued.fetch_add(1, std::memory_order_relaxed); }
  /// The actor's thread: a message of `type` was handled; `took` is negative
  /// when it was not timed.
  void on_handled(const std::type_info* type, std::chrono::nanoseconds took);
  /// Whether the next message is to be timed.
  bool wants_time() const {
    return handled.load(std::memory_order_relaxed) % sample_every == 0
           || trace.load(std::memory_order_relaxed) != nullptr;
  }
  std::uint64_t mailbox_depth() const;

  const std::uint64_t id;
  const std::string kind;
  const std::string name;
  const std::uint64_t parent;
  const std::chrono::steady_clock::time_point born;
  std::atomic<std::uint64_t> enqueued{0};
  std::atomic<std::uint64_t> handled{0};
  std::atomic<const std::type_info*> in_handler{nullptr};
  std::array<type_stats, max_types> types;
  /// Where to write traced messages; null = not traced.
  std::atomic<trace_ring*> trace{nullptr};
  std::atomic<bool> ended{false};
};

/// All living actors.
class actor_registry {
public:
  std::shared_ptr<actor_stats> add(std::uint64_t id, std::string kind,
                                   std::string name, std::uint64_t parent);
  /// The living ones, by id.
  std::vector<std::shared_ptr<const actor_stats>> list() const;
  /// Switches the trace of all living actors of `kind` (empty: all) on or,
  /// with null, off. The ring must outlive the trace.
  void trace(const std::string& kind, trace_ring* ring);

private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<actor_stats>> actors_;
};

} // namespace concert::actors
