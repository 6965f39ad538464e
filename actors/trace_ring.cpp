#include "actors/trace_ring.hpp"

namespace concert::actors {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

} // namespace

trace_ring::trace_ring(std::size_t capacity) : cells_(capacity) {
  for (std::size_t i = 0; i < capacity; ++i)
    cells_[i].turn.store(i, relaxed);
}

void trace_ring::append(const trace_entry& entry) {
  auto at = head_.load(relaxed);
  for (;;) {
    auto& c = cells_[at & (cells_.size() - 1)];
    const auto turn = c.turn.load(std::memory_order_acquire);
    if (turn == at) {
      if (!head_.compare_exchange_weak(at, at + 1, relaxed))
        continue;
      c.entry = entry;
      c.turn.store(at + 1, std::memory_order_release);
      return;
    }
    if (turn < at) { // still to be read since the last round
      lost_.fetch_add(1, relaxed);
      return;
    }
    at = head_.load(relaxed);
  }
}

std::optional<trace_entry> trace_ring::take() {
  auto& c = cells_[tail_ & (cells_.size() - 1)];
  if (c.turn.load(std::memory_order_acquire) != tail_ + 1)
    return {};
  const auto entry = c.entry;
  c.turn.store(tail_ + cells_.size(), std::memory_order_release);
  ++tail_;
  return entry;
}

} // namespace concert::actors
