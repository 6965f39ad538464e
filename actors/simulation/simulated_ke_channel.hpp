#pragma once

#include "actors/ke_channel.hpp"
#include "actors/simulation/event_queue.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace concert::actors {

/// A simulated connection of NTS-KE: no TLS, but ends that agree on keys.
struct simulated_ke_wire {
  ntp::endpoint client;
  ntp::endpoint server;
  std::chrono::nanoseconds delay = std::chrono::milliseconds{5}; ///< each way
  /// From the start of each end.
  std::chrono::nanoseconds limit = std::chrono::seconds{5};
  /// Of the keys: connections with the same have the same keys.
  std::uint64_t seed = 0;
  /// There is no connection: the client's end, after a round trip, or when its
  /// time is over if it is `timed_out`.
  std::optional<ke_channel_end> failure;
};

/// The client's channel. As it starts, the server's is under way to `accepted`,
/// as from a listener.
std::unique_ptr<ke_channel> connect_simulated_ke_channel(
  event_queue& events, const simulated_ke_wire& wire,
  std::function<void(std::unique_ptr<ke_channel>)> accepted);

} // namespace concert::actors
