#pragma once

#include "actors/actor_stats.hpp"

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace concert::actors {

/// All living actors, and the last that failed.
class actor_registry {
public:
  /// Messages that a trace can hold until they are taken.
  static constexpr std::size_t trace_capacity = 1024;

  /// A trace that is on; ends with its owner.
  class trace {
  public:
    trace(actor_registry& owner, std::size_t slot)
      : owner_(owner),
        slot_(slot) {}
    trace(const trace&) = delete;
    trace& operator=(const trace&) = delete;
    ~trace() { owner_.end_trace(slot_); }
    /// The oldest message that was not taken yet.
    std::optional<trace_entry> take() { return ring().take(); }
    /// How many messages found no room since it is on.
    std::uint64_t lost() const { return ring().lost() - lost_before_; }

  private:
    trace_ring& ring() const { return *owner_.traces_[slot_].ring; }

    actor_registry& owner_;
    std::size_t slot_;
    std::uint64_t lost_before_ = ring().lost();
  };

  /// Whether actors that start from now on have statistics. Off, only who they
  /// are is known, and they cost nothing.
  void keep_statistics(bool wanted) { enabled_ = wanted; }
  bool keeps_statistics() const { return enabled_; }

  /// `poke` sends the actor so many harmless messages.
  std::shared_ptr<actor_stats>
  add(actor_identity who, std::function<void(std::uint32_t)> poke = {});
  /// The actor has ended; `error` says why, empty without a failure. Whoever
  /// takes its place has it counted.
  void ended(actor_stats& actor, std::string error);
  /// The living ones, by id.
  std::vector<std::shared_ptr<const actor_stats>> list() const;
  /// Those of a kind, of a name or with a number; all without `who`.
  std::vector<std::shared_ptr<actor_stats>>
  find(const std::vector<std::string>& who) const;

  /// Traces those that `find` finds, also those that start later. At most
  /// `actor_stats::max_traces` at a time: null beyond.
  std::unique_ptr<trace> start_trace(std::vector<std::string> who);

private:
  /// Rings are kept for ever, since nobody knows when the last writer that has
  /// seen one is done with it.
  struct trace_place {
    bool in_use = false;
    std::vector<std::string> who;
    std::unique_ptr<trace_ring> ring;
  };
  /// A failure whose place nobody has taken yet.
  struct failure {
    std::string kind;
    std::string name;
    std::string error;
    std::uint32_t restarts = 0;
  };
  static constexpr std::size_t max_failures = 64;

  void end_trace(std::size_t slot);

  mutable std::mutex mutex_;
  std::atomic<bool> enabled_{true};
  std::vector<std::shared_ptr<actor_stats>> actors_;
  std::array<trace_place, actor_stats::max_traces> traces_;
  std::deque<failure> failures_;
};

/// Whether `who` is among the kinds, names or numbers; all are among none.
bool is_among(const actor_identity& who, const std::vector<std::string>& names);

} // namespace concert::actors
