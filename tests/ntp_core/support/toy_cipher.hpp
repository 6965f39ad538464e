#pragma once

#include "ntp_core/access/siphash.hpp"
#include "ntp_core/crypto/aead.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <vector>

namespace concert::ntp::test {

/// An AEAD that keeps the rules of sizes and notices every change, and keeps no
/// secret: the real ones are the platform's.
class toy_cipher final : public aead_cipher {
public:
  bool seal(aead_id id, std::span<const std::byte> key,
            std::span<const std::byte> nonce,
            std::span<const std::byte> associated,
            std::span<const std::byte> plaintext,
            std::span<std::byte> out) override {
    if (!fits(id, key, nonce) || out.size() != plaintext.size() + aead_tag_size)
      return false;
    ++sealed;
    const auto tag = tag_of(id, key, nonce, associated, plaintext);
    std::copy(tag.begin(), tag.end(), out.begin());
    mask(key, tag, plaintext, out.subspan(tag.size()));
    return true;
  }

  bool open(aead_id id, std::span<const std::byte> key,
            std::span<const std::byte> nonce,
            std::span<const std::byte> associated,
            std::span<const std::byte> sealed_bytes,
            std::span<std::byte> out) override {
    if (!fits(id, key, nonce)
        || sealed_bytes.size() != out.size() + aead_tag_size)
      return false;
    ++opened;
    const auto tag = sealed_bytes.first(aead_tag_size);
    mask(key, tag, sealed_bytes.subspan(tag.size()), out);
    if (std::ranges::equal(tag, tag_of(id, key, nonce, associated, out)))
      return true;
    std::ranges::fill(out, std::byte{});
    return false;
  }

  int sealed = 0; ///< calls with right sizes
  int opened = 0;

private:
  using bytes = std::span<const std::byte>;

  static bool fits(aead_id id, bytes key, bytes nonce) {
    return key.size() == key_size(id) && !nonce.empty()
           && (id != aead_id::aes_128_gcm_siv
               || nonce.size() == nonce_size(id));
  }

  static std::uint64_t hash(std::uint64_t first, bytes data) {
    std::vector<std::uint64_t> words(data.size() / 8 + 2);
    std::ranges::copy(data, std::as_writable_bytes(std::span{words}).begin());
    words.back() = data.size();
    return siphash({first, 0x746f79}, words);
  }

  static std::array<std::byte, aead_tag_size> tag_of(aead_id id, bytes key,
                                                     bytes nonce,
                                                     bytes associated,
                                                     bytes plaintext) {
    std::array<std::byte, aead_tag_size> tag{};
    std::uint64_t h = static_cast<std::uint64_t>(id);
    for (const auto part : {key, nonce, associated, plaintext})
      h = hash(h, part);
    const auto second = hash(h, key);
    std::memcpy(tag.data(), &h, 8);
    std::memcpy(tag.data() + 8, &second, 8);
    return tag;
  }

  static void mask(bytes key, bytes tag, bytes in, std::span<std::byte> out) {
    const auto seed = hash(hash(0, key), tag);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint64_t word[] = {i / 8};
      out[i]
        = in[i] ^ static_cast<std::byte>(siphash({seed, 0}, word) >> i % 8 * 8);
    }
  }
};

} // namespace concert::ntp::test
