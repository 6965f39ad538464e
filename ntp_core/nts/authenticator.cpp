#include "ntp_core/nts/authenticator.hpp"

#include "ntp_core/crypto/random_octets.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace concert::ntp {

namespace {

/// Before nonce and ciphertext: the octets of each.
constexpr std::size_t lengths_size = 4;

} // namespace

std::span<std::byte> add_authenticator(extension_writer& packet, aead_id id,
                                       std::size_t plaintext_size,
                                       std::size_t padding,
                                       random_source& random) {
  const auto nonce = nonce_size(id);
  const auto sealed = aead_tag_size + plaintext_size;
  const auto body = packet.add(extension_type::nts_authenticator,
                               lengths_size + nonce + sealed + padding);
  write_big_endian(body, 0, static_cast<std::uint16_t>(nonce));
  write_big_endian(body, 2, static_cast<std::uint16_t>(sealed));
  fill_random(body.subspan(lengths_size, nonce), random);
  std::ranges::fill(body.last(padding), std::byte{});
  return body.subspan(lengths_size + nonce + aead_tag_size, plaintext_size);
}

void seal_authenticator(std::span<std::byte> packet, std::size_t offset,
                        aead_id id, std::span<const std::byte> key,
                        aead_cipher& cipher) {
  const auto body = packet.subspan(offset + extension_overhead);
  const auto nonce = body.subspan(lengths_size, nonce_size(id));
  const auto sealed = body.subspan(lengths_size + nonce.size(),
                                   read_big_endian<std::uint16_t>(body, 2));
  // A cipher may not read what it writes over.
  std::array<std::byte, most_sealed_octets> buffer; // NOLINT: written below
  const auto plaintext = std::span{buffer}.first(sealed.size() - aead_tag_size);
  std::ranges::copy(sealed.subspan(aead_tag_size), plaintext.begin());
  if (!cipher.seal(id, key, nonce, packet.first(offset), plaintext, sealed))
    std::ranges::fill(sealed, std::byte{});
}

} // namespace concert::ntp
