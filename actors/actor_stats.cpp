#include "actors/actor_stats.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

void trace_ring::append(const trace_entry& entry) {
  std::lock_guard guard{mutex_};
  entries_[count_++ % entries_.size()] = entry;
}

std::vector<trace_entry> trace_ring::read() const {
  std::lock_guard guard{mutex_};
  std::vector<trace_entry> result;
  const auto size = entries_.size();
  for (auto i = count_ > size ? count_ - size : 0; i < count_; ++i)
    result.push_back(entries_[i % size]);
  return result;
}

actor_stats::actor_stats(std::uint64_t id, std::string kind, std::string name,
                         std::uint64_t parent)
  : id(id),
    kind(std::move(kind)),
    name(std::move(name)),
    parent(parent),
    born(std::chrono::steady_clock::now()) {
}

void actor_stats::on_handled(const std::type_info* type,
                             std::chrono::nanoseconds took) {
  constexpr auto relaxed = std::memory_order_relaxed;
  handled.store(handled.load(relaxed) + 1, relaxed);
  for (auto& slot : types) {
    auto* known = slot.type.load(relaxed);
    if (known == nullptr)
      slot.type.store(known = type, relaxed);
    if (known != type)
      continue;
    slot.handled.store(slot.handled.load(relaxed) + 1, relaxed);
    if (took.count() > slot.slowest_ns.load(relaxed))
      slot.slowest_ns.store(took.count(), relaxed);
    return;
  }
}

std::uint64_t actor_stats::mailbox_depth() const {
  const auto done = handled.load(std::memory_order_relaxed);
  const auto all = enqueued.load(std::memory_order_relaxed);
  return all > done ? all - done : 0;
}

std::shared_ptr<actor_stats> actor_registry::add(std::uint64_t id,
                                                 std::string kind,
                                                 std::string name,
                                                 std::uint64_t parent) {
  auto stats = std::make_shared<actor_stats>(id, std::move(kind),
                                             std::move(name), parent);
  std::lock_guard guard{mutex_};
  std::erase_if(actors_, [](const auto& a) { return a->ended.load(); });
  actors_.push_back(stats);
  return stats;
}

std::vector<std::shared_ptr<const actor_stats>> actor_registry::list() const {
  std::lock_guard guard{mutex_};
  std::vector<std::shared_ptr<const actor_stats>> result;
  std::copy_if(actors_.begin(), actors_.end(), std::back_inserter(result),
               [](const auto& a) { return !a->ended.load(); });
  return result;
}

void actor_registry::trace(const std::string& kind, trace_ring* ring) {
  std::lock_guard guard{mutex_};
  for (auto& a : actors_)
    if (kind.empty() || a->kind == kind)
      a->trace.store(ring, std::memory_order_relaxed);
}

} // namespace concert::actors
