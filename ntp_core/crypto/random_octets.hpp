#pragma once

#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/time/random.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace concert::ntp {

/// Fills `out` with unpredictable octets.
inline void fill_random(std::span<std::byte> out, random_source& random) {
  for (; out.size() >= sizeof(std::uint64_t);
       out = out.subspan(sizeof(std::uint64_t)))
    write_big_endian(out, 0, random.next());
  if (out.empty())
    return;
  auto rest = random.next();
  for (auto& octet : out) {
    octet = static_cast<std::byte>(rest & 0xff);
    rest >>= 8;
  }
}

} // namespace concert::ntp
