#pragma once

#include "ntp_core/crypto/hash.hpp"

#include <bit>
#include <cstdint>
#include <vector>

namespace concert::ntp::test {

/// SHA-1 by the letter of RFC 3174, for tests only.
inline sha1_digest sha1(std::span<const std::byte> message) {
  std::vector<std::byte> padded(message.begin(), message.end());
  padded.push_back(std::byte{0x80});
  while (padded.size() % 64 != 56)
    padded.push_back(std::byte{0});
  const std::uint64_t bits = message.size() * 8;
  for (int shift = 56; shift >= 0; shift -= 8)
    padded.push_back(static_cast<std::byte>(bits >> shift & 0xff));
  std::array<std::uint32_t, 5> h{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                 0xc3d2e1f0};
  for (std::size_t block = 0; block < padded.size(); block += 64) {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 64; ++i)
      w[i / 4]
        = w[i / 4] << 8 | std::to_integer<std::uint32_t>(padded[block + i]);
    for (std::size_t t = 16; t < 80; ++t)
      w[t] = std::rotl(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    auto [a, b, c, d, e] = h;
    for (std::size_t t = 0; t < 80; ++t) {
      const auto f = t < 20   ? (b & c) | (~b & d)
                     : t < 40 ? b ^ c ^ d
                     : t < 60 ? (b & c) | (b & d) | (c & d)
                              : b ^ c ^ d;
      constexpr std::array<std::uint32_t, 4> k{0x5a827999, 0x6ed9eba1,
                                               0x8f1bbcdc, 0xca62c1d6};
      const auto next = std::rotl(a, 5) + f + e + k[t / 20] + w[t];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    h = {h[0] + a, h[1] + b, h[2] + c, h[3] + d, h[4] + e};
  }
  sha1_digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::byte>(h[i / 4] >> (24 - 8 * (i % 4)) & 0xff);
  return digest;
}

} // namespace concert::ntp::test
