#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>

/// SO_TIMESTAMPING, as Documentation/networking/timestamping in the kernel
/// tells it. SO_TIMESTAMP and SO_TIMESTAMPNS are never used beside it: they
/// make the kernel invent a stamp at the time of reading when it has none.
namespace concert::platform::stamping {

/// Switches receive stamps on; with `transmit` also numbered transmit stamps
/// that come without the packet. Returns 0 or the error number.
int enable(int fd, bool transmit);

/// The software stamp among the control messages, if there is one.
std::optional<std::chrono::nanoseconds> find(msghdr& message);

/// A transmit stamp off the error queue.
struct transmitted {
  std::uint32_t number = 0; ///< of the datagram, from 0
  std::chrono::nanoseconds realtime{};
};

/// Takes one message off the error queue of `fd`; false when it is empty.
/// `stamp` is set if the message was a transmit stamp.
bool take_error(int fd, std::optional<transmitted>& stamp);

} // namespace concert::platform::stamping
