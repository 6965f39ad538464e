#include "ntp_core/nts/session_keys.hpp"

#include "ntp_core/crypto/secret_bytes.hpp"
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

std::optional<session_keys>
derive_session_keys(aead_id aead, bool own_number,
                    const key_exporter& export_key) {
  const auto derive = [&](key_direction direction, aead_key& key) {
    secret_array<64> room;
    const auto octets = std::span{room}.first(key_size(aead));
    const bool good = export_key(
      exporter_label, exporter_context(aead, direction, own_number), octets);
    key = aead_key{octets};
    return good;
  };
  session_keys keys;
  keys.aead = aead;
  if (!derive(key_direction::client_to_server, keys.c2s)
      || !derive(key_direction::server_to_client, keys.s2c))
    return std::nullopt;
  return keys;
}

} // namespace concert::ntp
