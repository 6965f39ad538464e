#pragma once

#include "actors/trace_ring.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <typeinfo>

/// What the inspector sees of an actor, readable from any thread without
/// asking the actor, so that a stuck one shows.
namespace concert::actors {

/// The actor that the present thread works for, 0 = none: the parent of those
/// that are started meanwhile, the simulator's actors too.
inline constinit thread_local std::uint64_t current_actor = 0;

/// Makes an actor the current one of this thread for the time of a scope.
class as_current_actor {
public:
  explicit as_current_actor(std::uint64_t id) : before_(current_actor) {
    current_actor = id;
  }
  as_current_actor(const as_current_actor&) = delete;
  as_current_actor& operator=(const as_current_actor&) = delete;
  ~as_current_actor() { current_actor = before_; }

private:
  std::uint64_t before_;
};

/// Who an actor is.
struct actor_identity {
  std::uint64_t id = 0;
  std::string kind{};
  std::string name{};
  std::uint64_t parent = 0;
  const char* placement = "pool";
};

/// Durations by powers of two: the element i counts those of less than
/// 2^i × 256 ns that none before counts, the last one the rest. One writer.
class duration_counts {
public:
  static constexpr std::size_t size = 24;

  void add(std::chrono::nanoseconds d);
  std::array<std::uint64_t, size> read() const;

private:
  std::array<std::atomic<std::uint64_t>, size> counts_{};
};

/// What the types are called that found no place of their own.
struct other_types {};

/// A fault on purpose, for the next message of an actor.
enum class fault : std::uint8_t { none, stick, kill };

/// Statistics of one actor. Senders count what they put in and stamp a sample
/// of it; all else is written by the actor alone, with relaxed stores.
class actor_stats {
public:
  using clock = std::chrono::steady_clock;

  /// Of a busy actor one message in this many has its wait and its handling
  /// timed; of one with less than 1000 messages a second, each has.
  static constexpr std::uint64_t sample_every = 64;
  /// Of further types only the sum is counted, in the last slot.
  static constexpr std::size_t max_types = 20;
  static constexpr std::size_t max_traces = 4;

  struct type_stats {
    std::atomic<const std::type_info*> type{nullptr};
    std::atomic<std::uint64_t> handled{0};
    std::atomic<std::int64_t> slowest_ns{0}; ///< of the sampled ones
  };
  /// What an actor has in its hands.
  struct in_hands {
    const std::type_info* type = nullptr; ///< null: nothing
    clock::time_point since{};
  };

  actor_stats(actor_identity who, bool enabled);

  // -- any thread -------------------------------------------------------------

  /// A message is put into the mailbox.
  void on_enqueue() {
    if (!enabled)
      return;
    const auto n = enqueued_.fetch_add(1, relaxed);
    if ((n & sample_mask_.load(relaxed)) == 0 || attention_.load(relaxed) != 0)
      stamp(n);
  }
  std::uint64_t handled() const { return handled_.load(relaxed); }
  std::uint64_t mailbox_depth() const;
  /// The begin is exact for a sampled message. For others, of busy actors, it
  /// is when this was first called while the message was handled: calls must
  /// not be rare for a stuck actor to look as old as it is.
  in_hands handling() const;
  std::string last_error() const;

  // -- the actor's thread -----------------------------------------------------

  /// Between the begin and the end of a message.
  class handling_scope {
  public:
    handling_scope(actor_stats& stats, const std::type_info* type,
                   std::uint64_t sender)
      : stats_(stats),
        type_(type),
        sender_(sender) {
      stats_.in_handler_.store(type, relaxed);
      const auto n = stats_.handled_.load(relaxed);
      sampled_ = (n & stats_.sample_mask_.load(relaxed)) == 0
                 || stats_.attention_.load(relaxed) != 0;
      if (sampled_)
        stats_.begin_sample(n, begin_, wait_);
    }
    handling_scope(const handling_scope&) = delete;
    handling_scope& operator=(const handling_scope&) = delete;
    ~handling_scope() {
      auto& slot = stats_.slot_of(type_);
      slot.handled.store(slot.handled.load(relaxed) + 1, relaxed);
      if (sampled_)
        stats_.end_sample(slot, *this);
      stats_.handled_.store(stats_.handled_.load(relaxed) + 1, relaxed);
      stats_.in_handler_.store(nullptr, relaxed);
    }

  private:
    friend class actor_stats;
    actor_stats& stats_;
    const std::type_info* type_;
    std::uint64_t sender_;
    bool sampled_;
    clock::time_point begin_{};
    std::chrono::nanoseconds wait_{-1};
  };
  /// While the actor sleeps inside a handler until there is something to do: it
  /// does not hang then, and the time is not counted as handling.
  class resting_scope {
  public:
    explicit resting_scope(actor_stats& stats) : stats_(stats) {
      if (stats_.sampling_)
        begin_ = clock::now();
      stats_.resting_.store(true, relaxed);
    }
    resting_scope(const resting_scope&) = delete;
    resting_scope& operator=(const resting_scope&) = delete;
    ~resting_scope() {
      if (stats_.sampling_)
        stats_.end_rest(begin_);
      stats_.resting_.store(false, relaxed);
    }

  private:
    actor_stats& stats_;
    clock::time_point begin_{};
  };
  void on_error(std::string text);

  // -- the registry -----------------------------------------------------------

  void trace(std::size_t slot, trace_ring* ring);
  /// Holds the actor up for so long, or kills it, at its next message.
  void inject(fault what, std::chrono::nanoseconds how_long);

  const actor_identity who;
  const bool enabled; ///< false: only who it is, and whether it lives
  const clock::time_point born = clock::now();
  std::atomic<bool> ended{false};
  std::uint32_t restarts = 0; ///< of this place; fixed once it is registered
  /// Sends the actor harmless messages while it lives; fixed as well.
  std::function<void(std::uint32_t)> poke;

  std::array<type_stats, max_types> types;
  duration_counts wait;
  duration_counts handling_time;

private:
  static constexpr auto relaxed = std::memory_order_relaxed;
  static constexpr std::uint64_t no_stamp = UINT64_MAX;
  static constexpr std::uint64_t being_stamped = UINT64_MAX - 1;
  /// Of `attention_`: below it one bit a trace.
  static constexpr std::uint32_t fault_bit = 1U << 16;

  void stamp(std::uint64_t n);
  void begin_sample(std::uint64_t n, clock::time_point& begin,
                    std::chrono::nanoseconds& wait);
  void end_sample(type_stats& slot, const handling_scope& done);
  void end_rest(clock::time_point begin);
  void suffer();
  type_stats& slot_of(const std::type_info* type) {
    for (std::size_t i = 0; i + 1 < types.size(); ++i) {
      auto& slot = types[i];
      const auto* known = slot.type.load(relaxed);
      if (known == type)
        return slot;
      if (known == nullptr) {
        slot.type.store(type, relaxed);
        return slot;
      }
    }
    types.back().type.store(&typeid(other_types), relaxed);
    return types.back();
  }

  // Written by senders: a cache line of its own.
  alignas(64) std::atomic<std::uint64_t> enqueued_{0};
  std::atomic<std::uint64_t> stamped_{no_stamp}; ///< number of that message
  std::atomic<std::int64_t> stamped_at_{0};
  // Written by the actor.
  alignas(64) std::atomic<std::uint64_t> handled_{0};
  std::atomic<const std::type_info*> in_handler_{nullptr};
  std::atomic<bool> resting_{false};           ///< inside a handler
  std::atomic<std::uint64_t> begun_{no_stamp}; ///< number of the last sample
  std::atomic<std::int64_t> begun_at_{0};
  clock::time_point busy_since_{}; ///< begin of these `sample_every` messages
  bool sampling_ = false;          ///< the message in the actor's hands
  std::chrono::nanoseconds rested_{}; ///< during it
  // Seldom written, read for each message.
  alignas(64) std::atomic<std::uint64_t> sample_mask_{0};
  std::atomic<std::uint32_t> attention_{0}; ///< traces and faults
  std::array<std::atomic<trace_ring*>, max_traces> rings_{};
  std::atomic<fault> fault_{fault::none};
  std::atomic<std::int64_t> stick_ns_{0};

  mutable std::mutex mutex_; ///< for what follows
  std::string last_error_;
  mutable std::uint64_t seen_ = no_stamp; ///< number that a reader saw handled
  mutable clock::time_point seen_at_{};
};

} // namespace concert::actors
