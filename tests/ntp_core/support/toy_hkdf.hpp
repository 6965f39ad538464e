#pragma once

#include "ntp_core/access/siphash.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace concert::ntp::test {

/// Has the form of an `hkdf_fn` and depends on all that goes in; the real one
/// is the platform's.
inline void toy_hkdf(std::span<const std::byte> secret,
                     std::span<const std::byte> salt,
                     std::span<const std::byte> info,
                     std::span<std::byte> out) {
  std::uint64_t h = 0;
  for (const auto part : {secret, salt, info}) {
    for (const auto octet : part)
      h = siphash({h, 1}, std::array{std::to_integer<std::uint64_t>(octet)});
    h = siphash({h, 2}, std::array{std::uint64_t{part.size()}});
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::byte>(
      siphash({h, 3}, std::array{std::uint64_t{i}}) & 0xff);
}

} // namespace concert::ntp::test
