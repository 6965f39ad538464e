#pragma once

#include "actors/actor_registry.hpp"

#include <chrono>
#include <cstdint>
#include <set>

namespace concert::actors {

/// Nobody sees himself hang, nor who shares his thread: of two threads each
/// looks after the other.
enum class watched { control, all_but_control };

/// Says in the log which actors hang, and whose mailboxes fill: once when it
/// begins, once when it is over.
class stuck_watch {
public:
  /// How often somebody should look.
  static constexpr std::chrono::seconds interval{2};
  /// No handler takes so long, not even one that waits for a disk.
  static constexpr std::chrono::seconds longest_handling{3};
  static constexpr std::uint64_t deepest_mailbox = 1000;

  explicit stuck_watch(watched whom) : whom_(whom) {}
  void look(const actor_registry& registry);

private:
  void look(const actor_stats& actor, std::set<std::uint64_t>& stuck,
            std::set<std::uint64_t>& full) const;

  watched whom_;
  std::set<std::uint64_t> stuck_; ///< ids of those that were told of
  std::set<std::uint64_t> full_;
};

} // namespace concert::actors
