#pragma once

#include "actors/messages.hpp"

#include <sys/types.h>

#include <optional>

namespace concert::actors {

/// The group whose members have rights.
platform::result<gid_t> group_of(const config::control_config& config);

/// Who is at the other end of the Unix socket `fd`; has rights as root, as the
/// daemon's user or in `group`.
std::optional<control_peer> peer_of(int fd, gid_t group);

} // namespace concert::actors
