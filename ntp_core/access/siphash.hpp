#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace concert::ntp {

/// SipHash-2-4 of whole 64-bit words (Aumasson and Bernstein, "SipHash: a fast
/// short-input PRF", 2012): without the key nobody can find inputs that collide
/// in a table.
std::uint64_t siphash(const std::array<std::uint64_t, 2>& key,
                      std::span<const std::uint64_t> words);

} // namespace concert::ntp
