#pragma once

#include "ntp_core/nts/session_keys.hpp"
#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/extension.hpp"
#include "tests/ntp_core/support/octets.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <array>

/// NTS packets as others might make them, octet by octet.
namespace concert::ntp::test {

inline constexpr std::array every_aead{
  aead_id::aes_siv_cmac_256, aead_id::aes_siv_cmac_384,
  aead_id::aes_siv_cmac_512, aead_id::aes_128_gcm_siv};

inline octets filled(std::size_t count, std::uint8_t value) {
  octets result(count);
  std::fill(result.begin(), result.end(), std::byte{value});
  return result;
}

inline session_keys keys_for(aead_id id, std::uint8_t seed = 1) {
  return {id, aead_key{filled(key_size(id), seed)},
          aead_key{filled(key_size(id), static_cast<std::uint8_t>(~seed))}};
}

/// An extension field with this body.
inline octets field_of(extension_type type, const octets& body) {
  auto f = field(static_cast<std::uint16_t>(type), body.size());
  std::copy(body.begin(), body.end(), f.begin() + 4);
  return f;
}

inline octets uid_field(std::size_t size = 32, std::uint8_t value = 0x55) {
  return field_of(extension_type::unique_identifier, filled(size, value));
}
inline octets cookie_field(const octets& cookie) {
  return field_of(extension_type::nts_cookie, cookie);
}
inline octets placeholder_field(std::size_t size) {
  return field_of(extension_type::nts_cookie_placeholder, zeros(size));
}

/// How an authenticator is made; by default ours.
struct authenticator_shape {
  std::size_t nonce = 16;
  std::size_t padding = 0; ///< additional
  octets plaintext;
};

/// `bytes` with an authenticator over them.
inline octets sealed(const octets& bytes, aead_id id, const aead_key& key,
                     const authenticator_shape& shape = {}) {
  const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
  const auto sealed_size = shape.plaintext.size() + aead_tag_size;
  const auto nonce_room = padded(shape.nonce);
  octets body(4 + nonce_room + padded(sealed_size) + shape.padding);
  write_big_endian(std::span{body}, 0, static_cast<std::uint16_t>(shape.nonce));
  write_big_endian(std::span{body}, 2, static_cast<std::uint16_t>(sealed_size));
  const auto nonce = std::span{body}.subspan(4, shape.nonce);
  std::ranges::fill(nonce, std::byte{0x77});
  toy_cipher{}.seal(id, key.bytes(), nonce, bytes, shape.plaintext,
                    std::span{body}.subspan(4 + nonce_room, sealed_size));
  return bytes + field_of(extension_type::nts_authenticator, body);
}

} // namespace concert::ntp::test
