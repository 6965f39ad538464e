#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace concert::platform {

std::array<std::byte, 16> md5(std::span<const std::byte> data);
std::array<std::byte, 20> sha1(std::span<const std::byte> data);

/// HKDF with SHA-256 (RFC 5869 §2), an ntp::hkdf_fn. Throws std::length_error
/// for more than 8,160 octets, and std::runtime_error if libgcrypt refuses: no
/// caller shall take what is in `out` then for a key.
void hkdf_sha256(std::span<const std::byte> secret,
                 std::span<const std::byte> salt,
                 std::span<const std::byte> info, std::span<std::byte> out);

} // namespace concert::platform
