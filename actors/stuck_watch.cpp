#include "actors/stuck_watch.hpp"

#include "actors/type_name.hpp"
#include "platform/log.hpp"

#include <string_view>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

void stuck_watch::look(const actor_registry& registry) {
  // Those that have ended are not among the next ones.
  std::set<std::uint64_t> stuck;
  std::set<std::uint64_t> full;
  for (const auto& actor : registry.list())
    if ((std::string_view{actor->who.placement} == "control")
        == (whom_ == watched::control))
      look(*actor, stuck, full);
  stuck_ = std::move(stuck);
  full_ = std::move(full);
}

void stuck_watch::look(const actor_stats& actor, std::set<std::uint64_t>& stuck,
                       std::set<std::uint64_t>& full) const {
  const auto& who = actor.who;
  const auto depth = actor.mailbox_depth();
  const auto held = actor.handling();
  const auto held_for
    = held.type == nullptr
        ? std::chrono::duration<double>{}
        : std::chrono::duration<double>{actor_stats::clock::now() - held.since};
  if (held_for > longest_handling) {
    stuck.insert(who.id);
    if (!stuck_.contains(who.id))
      log::warning("actor-stuck",
                   "actor={} name=\"{}\" message={} for_s={:.1f} mailbox={}",
                   who.kind, who.name, type_name(*held.type), held_for.count(),
                   depth);
  } else if (stuck_.contains(who.id)) {
    log::info("actor-goes-on", "actor={} name=\"{}\" mailbox={}", who.kind,
              who.name, depth);
  }
  if (depth >= deepest_mailbox) {
    full.insert(who.id);
    if (!full_.contains(who.id))
      log::warning("mailbox-fills", "actor={} name=\"{}\" messages={}",
                   who.kind, who.name, depth);
  } else if (full_.contains(who.id)) {
    log::info("mailbox-emptied", "actor={} name=\"{}\" messages={}", who.kind,
              who.name, depth);
  }
}

} // namespace concert::actors
