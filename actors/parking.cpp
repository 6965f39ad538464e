#include "actors/parking.hpp"

namespace concert::actors {

platform::result<parking> parking::open() {
  auto event = platform::wake_event::open();
  if (!event)
    return tl::unexpected{event.error()};
  return parking{std::move(*event)};
}

void parking::wake() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (parked_.load(std::memory_order_relaxed))
    event_.signal();
}

} // namespace concert::actors
