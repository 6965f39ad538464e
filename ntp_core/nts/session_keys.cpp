#include "ntp_core/nts/session_keys.hpp"

#include "ntp_core/packet/bytes.hpp"

namespace concert::ntp {

std::array<std::byte, 5> exporter_context(aead_id id, key_direction direction,
                                          bool own_number) {
  if (id == aead_id::aes_128_gcm_siv && !own_number)
    id = aead_id::aes_siv_cmac_256;
  std::array<std::byte, 5> context{}; // the first two: NTPv4 is protocol 0
  write_big_endian(context, 2, static_cast<std::uint16_t>(id));
  context[4] = static_cast<std::byte>(direction);
  return context;
}

} // namespace concert::ntp
