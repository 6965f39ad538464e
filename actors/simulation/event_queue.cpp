#include "actors/simulation/event_queue.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

void event_queue::add_at(true_time at, std::function<void()> event) {
  entries_.push_back({at, ++count_, std::move(event)});
  std::push_heap(entries_.begin(), entries_.end());
}

std::optional<true_time> event_queue::next() const {
  if (entries_.empty())
    return {};
  return entries_.front().at;
}

bool event_queue::run_one() {
  if (entries_.empty() || entries_.front().at > now_)
    return false;
  std::pop_heap(entries_.begin(), entries_.end());
  const auto event = std::move(entries_.back().event);
  entries_.pop_back();
  event();
  return true;
}

} // namespace concert::actors
