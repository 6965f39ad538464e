#pragma once

#include "ntp_core/packet/header.hpp"

#include <initializer_list>
#include <string_view>
#include <vector>

namespace concert::ntp::test {

/// Own type, so that `+` below is found for it.
struct octets : std::vector<std::byte> {
  using vector::vector;
};

/// Octets from hexadecimal digits; blanks are skipped.
inline octets from_hex(std::string_view text) {
  octets result;
  int high = -1;
  for (const char c : text) {
    if (c == ' ')
      continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high >= 0)
      result.push_back(static_cast<std::byte>(high * 16 + digit));
    high = high >= 0 ? -1 : digit;
  }
  return result;
}

inline octets to_octets(const packet_header& header) {
  octets result(header_size);
  encode(header, std::span<std::byte, header_size>{result});
  return result;
}

inline octets operator+(octets a, const octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline octets zeros(std::size_t count) {
  return octets(count);
}

/// An extension field with a body of `body_size` zeros; `length` is what its
/// length says, by default the truth.
inline octets field(std::uint16_t type, std::size_t body_size,
                    int length = -1) {
  if (length < 0)
    length = static_cast<int>(body_size) + 4;
  octets f(body_size + 4);
  f[0] = static_cast<std::byte>(type >> 8);
  f[1] = static_cast<std::byte>(type & 0xff);
  f[2] = static_cast<std::byte>(length >> 8);
  f[3] = static_cast<std::byte>(length & 0xff);
  return f;
}

} // namespace concert::ntp::test
