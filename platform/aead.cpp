#include "platform/aead.hpp"

#include <gcrypt.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace concert::platform {

namespace {

using bytes = std::span<const std::byte>;
using ntp::aead_id;

struct cipher_kind {
  aead_id id;
  int algorithm; ///< libgcrypt's
  int mode;
};

constexpr cipher_kind siv_256{aead_id::aes_siv_cmac_256, GCRY_CIPHER_AES128,
                              GCRY_CIPHER_MODE_SIV};

/// The kind of each slot. Four of the first: a server uses two cookie keys for
/// a while after a rotation, and the two keys of the client between them.
constexpr std::array<cipher_kind, 7> kinds{{
  siv_256,
  siv_256,
  siv_256,
  siv_256,
  {aead_id::aes_siv_cmac_384, GCRY_CIPHER_AES192, GCRY_CIPHER_MODE_SIV},
  {aead_id::aes_siv_cmac_512, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_SIV},
  {aead_id::aes_128_gcm_siv, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM_SIV},
}};

/// In a time that does not tell where they differ. Keys have a multiple of
/// eight octets, and a worker compares a dozen of them for each request.
bool same(bytes a, bytes b) {
  if (a.size() != b.size())
    return false;
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < a.size(); i += sizeof difference) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    const auto size = std::min(sizeof x, a.size() - i);
    std::memcpy(&x, a.data() + i, size);
    std::memcpy(&y, b.data() + i, size);
    difference |= x ^ y;
  }
  return difference == 0;
}

/// Where the octets are, or anywhere if there are none: libgcrypt takes a null
/// pointer for a mistake, or for the wish to work in place.
template <class Byte>
Byte* start(std::span<Byte> octets) {
  static std::byte nowhere{};
  return octets.empty() ? &nowhere : octets.data();
}

template <class Byte>
struct parts {
  std::span<Byte> tag;
  std::span<Byte> text;
};

template <class Byte>
parts<Byte> split(aead_id id, std::span<Byte> sealed) {
  const auto text_size = sealed.size() - ntp::aead_tag_size;
  if (id == aead_id::aes_128_gcm_siv)
    return {sealed.last(ntp::aead_tag_size), sealed.first(text_size)};
  return {sealed.first(ntp::aead_tag_size), sealed.last(text_size)};
}

} // namespace

result<std::unique_ptr<aead>> aead::make() {
  std::unique_ptr<aead> made{new aead};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& kind = kinds[i];
    const std::string name{to_string(kind.id)};
    auto cipher = open_cipher(name.c_str(), kind.algorithm, kind.mode);
    if (!cipher)
      return tl::unexpected(cipher.error());
    made->slots_[i] = {kind.id, std::move(*cipher), {}, 0};
    // The first key makes libgcrypt test itself: better now than in a worker.
    const std::array<std::byte, 64> zeros{};
    if (!made->keyed(kind.id, bytes{zeros}.first(key_size(kind.id))))
      return tl::unexpected(
        error{errc::unavailable, "cannot use " + name + ": no key will do"});
  }
  return made;
}

gcry_cipher_handle* aead::keyed(aead_id id, bytes key) {
  slot* oldest = nullptr;
  for (auto& s : slots_) {
    if (s.id != id)
      continue;
    if (same(s.key.bytes(), key))
      return use(s);
    if (!oldest || s.used < oldest->used)
      oldest = &s;
  }
  return oldest && oldest->set(key) ? use(*oldest) : nullptr;
}

bool aead::slot::set(bytes wanted) {
  key = {};
  if (gcry_cipher_setkey(cipher.get(), wanted.data(), wanted.size()) != 0)
    return false;
  key = ntp::aead_key{wanted};
  return true;
}

gcry_cipher_handle* aead::use(slot& s) {
  s.used = ++uses_;
  // After a new key as well: setting it leaves what was left of the key stream
  // of the message before, and the next would be encrypted with that.
  return gcry_cipher_reset(s.cipher.get()) == 0 ? s.cipher.get() : nullptr;
}

gcry_cipher_handle* aead::begin(aead_id id, bytes key, bytes nonce,
                                bytes associated) {
  const bool gcm = id == aead_id::aes_128_gcm_siv;
  if (key.size() != key_size(id) || nonce.empty()
      || (gcm && nonce.size() != nonce_size(id)))
    return nullptr;
  const auto cipher = keyed(id, key);
  if (!cipher)
    return nullptr;
  const auto take_nonce = [&] {
    return gcry_cipher_setiv(cipher, nonce.data(), nonce.size()) == 0;
  };
  const auto take_associated = [&] {
    return gcry_cipher_authenticate(cipher, start(associated),
                                    associated.size())
           == 0;
  };
  // GCM-SIV makes its keys out of the nonce, SIV takes that for the last of
  // the associated strings.
  const bool taken = gcm ? take_nonce() && take_associated()
                         : take_associated() && take_nonce();
  return taken ? cipher : nullptr;
}

bool aead::seal(aead_id id, bytes key, bytes nonce, bytes associated,
                bytes plaintext, std::span<std::byte> out) {
  if (out.size() != plaintext.size() + ntp::aead_tag_size)
    return false;
  const auto cipher = begin(id, key, nonce, associated);
  if (!cipher)
    return false;
  const auto [tag, text] = split(id, out);
  return gcry_cipher_final(cipher) == 0
         && gcry_cipher_encrypt(cipher, start(text), text.size(),
                                start(plaintext), plaintext.size())
              == 0
         && gcry_cipher_gettag(cipher, tag.data(), tag.size()) == 0;
}

bool aead::open(aead_id id, bytes key, bytes nonce, bytes associated,
                bytes sealed, std::span<std::byte> out) {
  const bool authentic = unseal(id, key, nonce, associated, sealed, out);
  if (!authentic)
    std::ranges::fill(out, std::byte{});
  return authentic;
}

bool aead::unseal(aead_id id, bytes key, bytes nonce, bytes associated,
                  bytes sealed, std::span<std::byte> out) {
  if (sealed.size() != out.size() + ntp::aead_tag_size)
    return false;
  const auto cipher = begin(id, key, nonce, associated);
  if (!cipher)
    return false;
  const auto [tag, text] = split(id, sealed);
  return gcry_cipher_set_decryption_tag(cipher, tag.data(), tag.size()) == 0
         && gcry_cipher_final(cipher) == 0
         && gcry_cipher_decrypt(cipher, start(out), out.size(), start(text),
                                text.size())
              == 0;
}

} // namespace concert::platform
