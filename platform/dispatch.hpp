#pragma once

#include "platform/socket.hpp"

#include <cstddef>

/// Which socket of a group (SO_REUSEPORT) gets a datagram: a classic BPF
/// program, which the kernel lets anybody attach. The program stays with the
/// group, and its result counts the sockets in the order in which they were
/// bound; where one was closed, the last one has taken its place.
namespace concert::platform::dispatch {

/// Makes the group of `fd`, `members` sockets of one address family, follow
/// `rule`; with one member or none, it is left to the kernel. Returns 0 or the
/// error number.
int attach(int fd, bool v4, std::size_t members, dispatch_rule rule);

} // namespace concert::platform::dispatch
