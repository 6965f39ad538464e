#pragma once

#include "ntp_core/packet/extension.hpp"
#include "ntp_core/packet/header.hpp"

#include <optional>

namespace concert::ntp {

/// What ends an authenticated packet (RFC 5905 §7.3); a view into it.
struct packet_mac {
  std::uint32_t key_id = 0;
  std::span<const std::byte> digest; ///< empty: a crypto-NAK
};

/// A whole packet; a view into the octets that it was parsed from.
struct packet {
  packet_header header;
  extension_fields extensions; ///< none before version 4
  std::optional<packet_mac> mac;
};

/// Reads a packet of version 1 to 4. What follows the header is split without
/// knowledge of keys (RFC 7822 §3): in version 4, a rest of 4 octets with key
/// id 0 is a crypto-NAK, one of 20 or 24 a MAC, any other below 28 an error,
/// and the rest is an extension field; before version 4 it is all one MAC.
/// Fails with one of the `packet_…`, `extension_…` and `mac_…` codes.
tl::expected<packet, errc> parse_packet(std::span<const std::byte> bytes);
/// The same where the header of `bytes` was read before.
tl::expected<packet, errc> parse_packet(std::span<const std::byte> bytes,
                                        const packet_header& header);

} // namespace concert::ntp
