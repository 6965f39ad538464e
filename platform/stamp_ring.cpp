#include "platform/stamp_ring.hpp"

namespace concert::platform {

static_assert((stamp_ring::capacity & (stamp_ring::capacity - 1)) == 0,
              "the place must not jump where the numbers wrap");

void stamp_ring::await(std::optional<std::uint64_t> tag) {
  if (next_ - oldest_ == capacity) {
    ++oldest_;
    drop_settled();
  }
  at(next_) = {tag, round_, false};
  ++next_;
}

std::optional<std::uint64_t> stamp_ring::match(std::uint32_t number) {
  if (number - oldest_ >= next_ - oldest_ || at(number).arrived)
    return std::nullopt;
  at(number).arrived = true;
  const auto tag = at(number).tag;
  drop_settled();
  return tag;
}

void stamp_ring::next_round() {
  ++round_;
  drop_settled();
}

/// Only the oldest can go: the others follow when they are.
void stamp_ring::drop_settled() {
  while (!empty()
         && (at(oldest_).arrived || round_ - at(oldest_).round > patience))
    ++oldest_;
}

} // namespace concert::platform
