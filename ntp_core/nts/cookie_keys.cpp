#include "ntp_core/nts/cookie_keys.hpp"

#include "ntp_core/crypto/random_octets.hpp"
#include "ntp_core/crypto/secret_bytes.hpp"

#include <algorithm>
#include <cassert>

namespace concert::ntp {

namespace {

constexpr auto sealing_aead = aead_id::aes_siv_cmac_256;
constexpr std::size_t id_octets = 4;
constexpr std::size_t nonce_octets = 16;
constexpr std::size_t sealed_offset = id_octets + nonce_octets;
/// In the sealed part: number of the AEAD (2 octets), 2 zeros, both keys.
constexpr std::size_t keys_offset = 4;

using plain_buffer
  = secret_array<longest_cookie - sealed_offset - aead_tag_size>;

constexpr std::size_t plain_size(std::size_t cookie) {
  return cookie - sealed_offset - aead_tag_size;
}

constexpr bool is_cookie_size(std::size_t size) {
  return size == cookie_size(aead_id::aes_siv_cmac_256)
         || size == cookie_size(aead_id::aes_siv_cmac_384)
         || size == cookie_size(aead_id::aes_siv_cmac_512)
         || size == cookie_size(aead_id::aes_128_gcm_siv);
}

std::optional<session_keys> read_keys(std::span<const std::byte> plain) {
  const auto aead = to_aead(read_big_endian<std::uint16_t>(plain, 0));
  if (!aead || read_big_endian<std::uint16_t>(plain, 2) != 0)
    return std::nullopt;
  const auto size = key_size(*aead);
  if (plain.size() != keys_offset + 2 * size)
    return std::nullopt;
  return session_keys{*aead, aead_key{plain.subspan(keys_offset, size)},
                      aead_key{plain.subspan(keys_offset + size, size)}};
}

} // namespace

cookie_keys::cookie_keys(std::vector<key> newest_first)
  : keys_(std::move(newest_first)) {
  assert(!keys_.empty());
}

void cookie_keys::seal(const session_keys& keys, aead_cipher& cipher,
                       random_source& random, std::span<std::byte> out) const {
  const auto size = key_size(keys.aead);
  assert(out.size() == cookie_size(keys.aead));
  assert(keys.c2s.bytes().size() == size && keys.s2c.bytes().size() == size);
  plain_buffer buffer;
  const auto plain = std::span{buffer}.first(plain_size(out.size()));
  write_big_endian(plain, 0, static_cast<std::uint16_t>(keys.aead));
  std::ranges::copy(keys.c2s.bytes(), plain.begin() + keys_offset);
  std::ranges::copy(keys.s2c.bytes(),
                    plain.begin()
                      + static_cast<std::ptrdiff_t>(keys_offset + size));

  const auto& newest = keys_.front();
  const auto id = out.first(id_octets);
  const auto nonce = out.subspan(id_octets, nonce_octets);
  write_big_endian(id, 0, newest.id);
  fill_random(nonce, random);
  [[maybe_unused]] const bool sealed
    = cipher.seal(sealing_aead, newest.value.bytes(), nonce, id, plain,
                  out.subspan(sealed_offset));
  assert(sealed);
}

std::optional<session_keys> cookie_keys::open(std::span<const std::byte> cookie,
                                              aead_cipher& cipher) const {
  if (!is_cookie_size(cookie.size()))
    return std::nullopt;
  const auto id = read_big_endian<std::uint32_t>(cookie, 0);
  const auto key = std::ranges::find(keys_, id, &key::id);
  if (key == keys_.end())
    return std::nullopt;
  plain_buffer buffer;
  const auto plain = std::span{buffer}.first(plain_size(cookie.size()));
  if (!cipher.open(sealing_aead, key->value.bytes(),
                   cookie.subspan(id_octets, nonce_octets),
                   cookie.first(id_octets), cookie.subspan(sealed_offset),
                   plain))
    return std::nullopt;
  return read_keys(plain);
}

} // namespace concert::ntp
