#include "ntp_core/crypto/reference_id.hpp"

#include "ntp_core/packet/bytes.hpp"

namespace concert::ntp {

std::uint32_t reference_id_of(const ip_address& address, md5_fn md5) {
  const auto octets = std::as_bytes(std::span{address.octets()});
  if (address.is_v4())
    return read_big_endian<std::uint32_t>(octets, 0);
  return read_big_endian<std::uint32_t>(md5(octets), 0);
}

} // namespace concert::ntp
