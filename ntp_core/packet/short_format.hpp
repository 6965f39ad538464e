#pragma once

#include "ntp_core/time/time.hpp"

#include <cstdint>
#include <limits>

namespace concert::ntp {

/// Root delay and root dispersion on the wire: unsigned, 16 bits of seconds and
/// 16 bits of fraction (RFC 5905 §6, NTP short format).
class short_format {
public:
  constexpr short_format() = default;

  static constexpr short_format from_bits(std::uint32_t bits) {
    short_format s;
    s.bits_ = bits;
    return s;
  }

  /// The smallest value that is not below `d`: an error bound may only grow.
  /// Negative lengths become zero, those beyond 65536 s the largest value.
  static constexpr short_format not_below(ntp_duration d) {
    constexpr std::int64_t limit = std::int64_t{0xffffffff} << 16;
    if (d.units() <= 0)
      return {};
    if (d.units() > limit)
      return from_bits(std::numeric_limits<std::uint32_t>::max());
    return from_bits(static_cast<std::uint32_t>((d.units() + 0xffff) >> 16));
  }

  constexpr std::uint32_t bits() const { return bits_; }

  /// The exact value; 0 to 65536 s.
  constexpr ntp_duration duration() const {
    return ntp_duration::from_units(std::int64_t{bits_} << 16);
  }

  constexpr bool operator==(const short_format&) const = default;

private:
  std::uint32_t bits_ = 0;
};

} // namespace concert::ntp
