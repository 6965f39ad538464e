#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "platform/error.hpp"
#include "platform/gcrypt.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace concert::platform {

/// The AEADs of NTS, by libgcrypt.
///
/// Each of its ciphers remembers the key that it holds, as setting a key costs
/// as much as sealing a hundred octets. Of AES-SIV-CMAC-256 there are several,
/// so that a server's cookie keys, also the one before the newest, stay set
/// while each request brings keys of its own: the longest unused gives way.
class aead final : public ntp::aead_cipher {
public:
  /// `unavailable` if libgcrypt refuses one of them.
  static result<std::unique_ptr<aead>> make();

  bool seal(ntp::aead_id id, std::span<const std::byte> key,
            std::span<const std::byte> nonce,
            std::span<const std::byte> associated,
            std::span<const std::byte> plaintext,
            std::span<std::byte> out) override;

  bool open(ntp::aead_id id, std::span<const std::byte> key,
            std::span<const std::byte> nonce,
            std::span<const std::byte> associated,
            std::span<const std::byte> sealed,
            std::span<std::byte> out) override;

private:
  struct slot {
    ntp::aead_id id{};
    cipher_handle cipher;
    ntp::aead_key key;      ///< that the cipher holds
    std::uint64_t used = 0; ///< `uses_` when it was last wanted

    bool set(std::span<const std::byte> wanted);
  };

  aead() = default;

  /// A cipher that holds this key and has no message begun; null if there is
  /// no such cipher or it refuses the key.
  gcry_cipher_handle* keyed(ntp::aead_id id, std::span<const std::byte> key);
  /// Its cipher, with any message begun ended.
  gcry_cipher_handle* use(slot& s);
  /// The same, and it has got all but the text; null also if a size is wrong.
  gcry_cipher_handle* begin(ntp::aead_id id, std::span<const std::byte> key,
                            std::span<const std::byte> nonce,
                            std::span<const std::byte> associated);
  bool unseal(ntp::aead_id id, std::span<const std::byte> key,
              std::span<const std::byte> nonce,
              std::span<const std::byte> associated,
              std::span<const std::byte> sealed, std::span<std::byte> out);

  std::array<slot, 7> slots_;
  std::uint64_t uses_ = 0;
};

} // namespace concert::platform
