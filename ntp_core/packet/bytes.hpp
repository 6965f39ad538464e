#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace concert::ntp {

/// Reads an unsigned integer in network order at `offset`; the caller has
/// checked the length.
template <class T>
constexpr T read_big_endian(std::span<const std::byte> bytes,
                            std::size_t offset) {
  T value = 0;
  for (const auto b : bytes.subspan(offset, sizeof(T)))
    value = static_cast<T>((std::uint64_t{value} << 8)
                           | std::to_integer<std::uint64_t>(b));
  return value;
}

/// Writes an unsigned integer in network order at `offset`; the caller has
/// checked the length.
template <class T>
constexpr void write_big_endian(std::span<std::byte> bytes, std::size_t offset,
                                T value) {
  auto rest = std::uint64_t{value};
  for (std::size_t i = sizeof(T); i-- > 0; rest >>= 8)
    bytes[offset + i] = static_cast<std::byte>(rest & 0xff);
}

} // namespace concert::ntp
