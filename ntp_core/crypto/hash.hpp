#pragma once

#include <array>
#include <cstddef>
#include <span>

/// The hashes that the protocol asks for. The core has none of its own: its
/// callers pass functions of these types in.
namespace concert::ntp {

using md5_digest = std::array<std::byte, 16>;
using sha1_digest = std::array<std::byte, 20>;

/// MD5 of a message (RFC 1321).
using md5_fn = md5_digest (*)(std::span<const std::byte> message);
/// SHA-1 of a message (RFC 3174).
using sha1_fn = sha1_digest (*)(std::span<const std::byte> message);

} // namespace concert::ntp
