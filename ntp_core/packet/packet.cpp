#include "ntp_core/packet/packet.hpp"

#include "ntp_core/packet/bytes.hpp"

namespace concert::ntp {

namespace {

/// Octets of a key id, which alone is a crypto-NAK.
constexpr std::size_t key_id_size = 4;
/// Key id and MD5 or AES-CMAC; key id and SHA-1.
constexpr std::size_t shortest_mac = 20;
constexpr std::size_t longest_v4_mac = 24;
/// RFC 7822 §3: type, length and three words.
constexpr std::size_t shortest_field = 16;

tl::expected<packet_mac, errc> parse_mac(std::span<const std::byte> rest) {
  packet_mac mac{read_big_endian<std::uint32_t>(rest, 0),
                 rest.subspan(key_id_size)};
  if (rest.size() == key_id_size ? mac.key_id != 0 : rest.size() < shortest_mac)
    return tl::unexpected{errc::mac_length};
  return mac;
}

/// The length of the extension field that `rest` starts with.
tl::expected<std::size_t, errc>
parse_field_length(std::span<const std::byte> rest) {
  const std::size_t length = read_big_endian<std::uint16_t>(rest, 2);
  if (length < shortest_field || length % 4 != 0 || length > rest.size())
    return tl::unexpected{errc::extension_length};
  return length;
}

} // namespace

tl::expected<packet, errc> parse_packet(std::span<const std::byte> bytes) {
  const auto header = parse_header(bytes);
  if (!header)
    return tl::unexpected{header.error()};
  return parse_packet(bytes, *header);
}

tl::expected<packet, errc> parse_packet(std::span<const std::byte> bytes,
                                        const packet_header& header) {
  if (header.version < 1 || header.version > 4)
    return tl::unexpected{errc::packet_version};
  if (bytes.size() % 4 != 0)
    return tl::unexpected{errc::packet_length};
  packet result;
  result.header = header;
  const auto tail = bytes.subspan(header_size);
  std::size_t fields = 0;
  if (header.version == 4) {
    while (tail.size() - fields > longest_v4_mac) {
      const auto length = parse_field_length(tail.subspan(fields));
      if (!length)
        return tl::unexpected{length.error()};
      fields += *length;
    }
  }
  result.extensions = extension_fields{tail.first(fields)};
  if (fields < tail.size()) {
    const auto mac = parse_mac(tail.subspan(fields));
    if (!mac)
      return tl::unexpected{mac.error()};
    result.mac = *mac;
  }
  return result;
}

} // namespace concert::ntp
