#include "ntp_core/packet/header.hpp"

#include "ntp_core/packet/bytes.hpp"

namespace concert::ntp {

tl::expected<packet_header, errc>
parse_header(std::span<const std::byte> bytes) {
  if (bytes.size() < header_size)
    return tl::unexpected{errc::packet_too_short};
  const auto octet
    = [&](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  const auto word
    = [&](std::size_t i) { return read_big_endian<std::uint32_t>(bytes, i); };
  const auto stamp = [&](std::size_t i) {
    return ntp_timestamp::from_bits(read_big_endian<std::uint64_t>(bytes, i));
  };
  packet_header h;
  h.leap = static_cast<leap_indicator>(octet(0) >> 6);
  h.version = (octet(0) >> 3) & 7;
  h.mode = static_cast<packet_mode>(octet(0) & 7);
  h.stratum = octet(1);
  h.poll = static_cast<std::int8_t>(octet(2));
  h.precision = static_cast<std::int8_t>(octet(3));
  h.root_delay = short_format::from_bits(word(4));
  h.root_dispersion = short_format::from_bits(word(8));
  h.reference_id = word(12);
  h.reference_time = stamp(16);
  h.origin = stamp(24);
  h.receive = stamp(32);
  h.transmit = stamp(40);
  return h;
}

void encode(const packet_header& header,
            std::span<std::byte, header_size> bytes) {
  const auto first = static_cast<std::uint8_t>(header.leap) << 6
                     | (header.version & 7) << 3
                     | static_cast<std::uint8_t>(header.mode);
  bytes[0] = static_cast<std::byte>(first);
  bytes[1] = static_cast<std::byte>(header.stratum);
  bytes[2] = static_cast<std::byte>(header.poll);
  bytes[3] = static_cast<std::byte>(header.precision);
  write_big_endian(bytes, 4, header.root_delay.bits());
  write_big_endian(bytes, 8, header.root_dispersion.bits());
  write_big_endian(bytes, 12, header.reference_id);
  write_big_endian(bytes, 16, header.reference_time.bits());
  write_big_endian(bytes, 24, header.origin.bits());
  write_big_endian(bytes, 32, header.receive.bits());
  write_big_endian(bytes, 40, header.transmit.bits());
}

} // namespace concert::ntp
