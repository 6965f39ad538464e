#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace concert::ntp {

/// Reads an unsigned integer in network order at `offset`; the caller has
/// checked the length.
template <class T>
constexpr T read_big_endian(std::span<const std::byte> bytes,
                            std::size_t offset) {
  // Without a loop it becomes one load.
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return static_cast<T>(((std::to_integer<std::uint64_t>(bytes[offset + I])
                            << 8 * (sizeof(T) - 1 - I))
                           | ...));
  }
  (std::make_index_sequence<sizeof(T)>{});
}

/// Writes an unsigned integer in network order at `offset`; the caller has
/// checked the length.
template <class T>
constexpr void write_big_endian(std::span<std::byte> bytes, std::size_t offset,
                                T value) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((bytes[offset + I] = static_cast<std::byte>(
        std::uint64_t{value} >> 8 * (sizeof(T) - 1 - I) & 0xff)),
     ...);
  }
  (std::make_index_sequence<sizeof(T)>{});
}

} // namespace concert::ntp
