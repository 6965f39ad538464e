#pragma once

#include "platform/error.hpp"

#include <cstddef>

namespace concert::platform {

/// How many cores this process may use; at least 1.
std::size_t usable_cores();

/// Keeps the calling thread on one of the cores that the process may use: the
/// `index`-th, counted on from the first after the last.
result<void> pin_this_thread(std::size_t index);

/// The most receive queues of any network interface that is up, other than the
/// loopback; 0 when there is none or the system does not tell.
std::size_t receive_queues();

} // namespace concert::platform
