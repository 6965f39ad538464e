#include "actors/actor_registry.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

bool is_among(const actor_identity& who,
              const std::vector<std::string>& names) {
  return names.empty()
         || std::any_of(names.begin(), names.end(), [&](const auto& n) {
              return n == who.kind || (!n.empty() && n == who.name)
                     || n == std::to_string(who.id);
            });
}

std::shared_ptr<actor_stats>
actor_registry::add(actor_identity who,
                    std::function<void(std::uint32_t)> poke) {
  auto stats = std::make_shared<actor_stats>(std::move(who), enabled_);
  stats->poke = std::move(poke);
  std::lock_guard guard{mutex_};
  std::erase_if(actors_, [](const auto& a) { return a->ended.load(); });
  const auto before
    = std::find_if(failures_.begin(), failures_.end(), [&](const failure& f) {
        return f.kind == stats->who.kind && f.name == stats->who.name;
      });
  if (before != failures_.end()) {
    stats->restarts = before->restarts + 1;
    stats->on_error(std::move(before->error));
    failures_.erase(before);
  }
  if (stats->enabled)
    for (std::size_t i = 0; i < traces_.size(); ++i)
      if (traces_[i].in_use && is_among(stats->who, traces_[i].who))
        stats->trace(i, traces_[i].ring.get());
  actors_.push_back(stats);
  return stats;
}

void actor_registry::ended(actor_stats& actor, std::string error) {
  std::lock_guard guard{mutex_};
  actor.ended = true;
  if (error.empty())
    return;
  failures_.push_back(
    {actor.who.kind, actor.who.name, std::move(error), actor.restarts});
  if (failures_.size() > max_failures)
    failures_.pop_front();
}

std::vector<std::shared_ptr<const actor_stats>> actor_registry::list() const {
  const auto all = find({});
  return {all.begin(), all.end()};
}

std::vector<std::shared_ptr<actor_stats>>
actor_registry::find(const std::vector<std::string>& who) const {
  std::lock_guard guard{mutex_};
  std::vector<std::shared_ptr<actor_stats>> result;
  std::copy_if(
    actors_.begin(), actors_.end(), std::back_inserter(result),
    [&](const auto& a) { return !a->ended.load() && is_among(a->who, who); });
  return result;
}

std::unique_ptr<actor_registry::trace>
actor_registry::start_trace(std::vector<std::string> who) {
  std::lock_guard guard{mutex_};
  const auto place = std::find_if(traces_.begin(), traces_.end(),
                                  [](const auto& t) { return !t.in_use; });
  if (place == traces_.end())
    return {};
  place->in_use = true;
  place->who = std::move(who);
  if (place->ring == nullptr)
    place->ring = std::make_unique<trace_ring>(trace_capacity);
  while (place->ring->take()) // what came late to the trace before
    ;
  const auto slot = static_cast<std::size_t>(place - traces_.begin());
  for (const auto& a : actors_)
    if (a->enabled && is_among(a->who, place->who))
      a->trace(slot, place->ring.get());
  return std::make_unique<trace>(*this, slot);
}

void actor_registry::end_trace(std::size_t slot) {
  std::lock_guard guard{mutex_};
  for (const auto& a : actors_)
    a->trace(slot, nullptr);
  traces_[slot].in_use = false;
}

} // namespace concert::actors
