#pragma once

#include <cstddef>
#include <span>

namespace concert::ntp {

/// HKDF with SHA-256 (RFC 5869): fills `out` (at most 8,160 octets) with what
/// follows from `secret`, `salt` and `info`.
using hkdf_fn
  = void (*)(std::span<const std::byte> secret, std::span<const std::byte> salt,
             std::span<const std::byte> info, std::span<std::byte> out);

} // namespace concert::ntp
