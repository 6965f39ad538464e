#pragma once

#include "ntp_core/errc.hpp"
#include "ntp_core/packet/short_format.hpp"
#include "ntp_core/time/stamp.hpp"
#include "ntp_core/time/time.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace concert::ntp {

/// RFC 5905 §7.3, figure 10.
enum class packet_mode : std::uint8_t {
  reserved = 0, ///< a client's request in NTPv1
  symmetric_active = 1,
  symmetric_passive = 2,
  client = 3,
  server = 4,
  broadcast = 5,
  control = 6,
  private_use = 7,
};

/// Octets of an NTP header.
inline constexpr std::size_t header_size = 48;

/// The header that NTPv1 to NTPv4 share (RFC 5905 §7.3). Every one of its bits
/// is kept: encoding a parsed header gives the same octets.
struct packet_header {
  leap_indicator leap = leap_indicator::none;
  std::uint8_t version = 4; ///< 0..7
  packet_mode mode = packet_mode::client;
  std::uint8_t stratum = 0;
  std::int8_t poll = 0;      ///< log2 s
  std::int8_t precision = 0; ///< log2 s
  short_format root_delay;
  short_format root_dispersion;
  std::uint32_t reference_id = 0; ///< host order
  ntp_timestamp reference_time;
  ntp_timestamp origin;
  ntp_timestamp receive;
  ntp_timestamp transmit;

  bool operator==(const packet_header&) const = default;
};

/// Reads the first 48 octets, whatever version and mode they name. Fails with
/// `packet_too_short` only.
tl::expected<packet_header, errc>
parse_header(std::span<const std::byte> bytes);

/// Writes `header` as 48 octets.
void encode(const packet_header& header,
            std::span<std::byte, header_size> bytes);

/// The number that a four-letter reference id or kiss code stands for.
constexpr std::uint32_t code_of(const char (&letters)[5]) {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i)
    code = code << 8 | static_cast<std::uint8_t>(letters[i]);
  return code;
}

} // namespace concert::ntp
