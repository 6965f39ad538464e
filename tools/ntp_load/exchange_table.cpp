#include "tools/ntp_load/exchange_table.hpp"

#include <algorithm>
#include <bit>

namespace concert::load {

using state = exchange::state;

exchange_table::exchange_table(std::size_t size)
  : slots_(std::bit_ceil(std::max<std::size_t>(size, 2))) {
}

exchange& exchange_table::open(std::uint64_t random, std::uint64_t interleaved,
                               std::chrono::nanoseconds now) {
  const auto slot = next_++ & mask();
  auto& e = slots_[slot];
  if (e.now == state::waiting)
    --waiting_;
  // The upper two bits keep both apart, and from zero, an absent time.
  const auto name = [&](std::uint64_t bits, std::uint64_t upper) {
    return (bits & ~mask() & ~(std::uint64_t{3} << 62)) | upper << 62 | slot;
  };
  e = {};
  e.transmit = name(random, 2);
  if (interleaved != 0)
    e.receive = name(interleaved, 1);
  e.sent = now;
  e.now = state::waiting;
  ++waiting_;
  return e;
}

void exchange_table::withdraw() {
  auto& e = slots_[--next_ & mask()];
  if (e.now == state::waiting)
    --waiting_;
  e = {};
}

exchange_table::match exchange_table::take(std::uint64_t origin) {
  auto& e = slots_[origin & mask()];
  if (e.now == state::unused
      || (origin != e.transmit && (origin != e.receive || e.receive == 0)))
    return {};
  if (e.now == state::answered)
    return {outcome::duplicate, &e};
  if (e.now == state::lost)
    return {outcome::late, &e};
  e.now = state::answered;
  --waiting_;
  return {origin == e.transmit ? outcome::basic : outcome::interleaved, &e};
}

exchange* exchange_table::find(std::uint64_t transmit) {
  auto& e = slots_[transmit & mask()];
  return e.now != state::unused && e.transmit == transmit ? &e : nullptr;
}

void exchange_table::expire(std::chrono::nanoseconds limit) {
  if (next_ - oldest_ > slots_.size())
    oldest_ = next_ - slots_.size();
  for (; oldest_ < next_; ++oldest_) {
    auto& e = slots_[oldest_ & mask()];
    if (e.now != state::waiting)
      continue;
    if (e.sent >= limit)
      return;
    e.now = state::lost;
    --waiting_;
  }
}

} // namespace concert::load
