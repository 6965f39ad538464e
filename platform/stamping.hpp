#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

/// SO_TIMESTAMPING, as Documentation/networking/timestamping in the kernel
/// tells it. SO_TIMESTAMP and SO_TIMESTAMPNS are never used beside it: they
/// make the kernel invent a stamp at the time of reading when it has none.
namespace concert::platform::stamping {

/// Which datagrams that leave are stamped, and numbered from 0. Their stamps
/// come without the packet.
enum class transmit : std::uint8_t {
  none,
  all,
  on_request, ///< those with the control message of `request`
};

/// Switches receive stamps on, and transmit stamps as told; the numbers start
/// again if `none` came before. Returns 0 or the error number.
int enable(int fd, transmit which);

/// The room that `request` needs.
constexpr std::size_t request_size = CMSG_SPACE(sizeof(std::uint32_t));

/// Writes the control message that asks for a datagram's stamp to `to`, which
/// must be aligned for a cmsghdr.
void request(std::byte* to);

/// The software stamp in one control message, if that is what it holds.
std::optional<std::chrono::nanoseconds> read(const cmsghdr& control);

/// The software stamp among the control messages, if there is one.
std::optional<std::chrono::nanoseconds> find(msghdr& message);

/// A transmit stamp off the error queue.
struct transmitted {
  std::uint32_t number = 0; ///< of the datagram, from 0
  std::chrono::nanoseconds realtime{};
};

/// The transmit stamp that a message of the error queue tells of.
std::optional<transmitted> transmit_stamp(msghdr& message);

/// Takes one message off the error queue of `fd`; false when it is empty.
/// `stamp` is set if the message was a transmit stamp.
bool take_error(int fd, std::optional<transmitted>& stamp);

} // namespace concert::platform::stamping
