#pragma once

#include "ntp_core/crypto/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace concert::ntp {

/// The AEADs of NTS, by their IANA numbers.
enum class aead_id : std::uint16_t {
  aes_siv_cmac_256 = 15, ///< RFC 5297; everybody has it (RFC 8915 §5.1)
  aes_siv_cmac_384 = 16,
  aes_siv_cmac_512 = 17,
  aes_128_gcm_siv = 30, ///< RFC 8452
};

/// The AEAD with this number; none if we do not have it.
constexpr std::optional<aead_id> to_aead(std::uint16_t number) {
  switch (const auto id = static_cast<aead_id>(number)) {
    case aead_id::aes_siv_cmac_256:
    case aead_id::aes_siv_cmac_384:
    case aead_id::aes_siv_cmac_512:
    case aead_id::aes_128_gcm_siv:
      return id;
  }
  return std::nullopt;
}

/// Its name at IANA.
constexpr std::string_view to_string(aead_id id) {
  switch (id) {
    case aead_id::aes_siv_cmac_256:
      return "AES-SIV-CMAC-256";
    case aead_id::aes_siv_cmac_384:
      return "AES-SIV-CMAC-384";
    case aead_id::aes_siv_cmac_512:
      return "AES-SIV-CMAC-512";
    case aead_id::aes_128_gcm_siv:
      return "AES-128-GCM-SIV";
  }
  return "unknown";
}

/// Octets of a key.
constexpr std::size_t key_size(aead_id id) {
  switch (id) {
    case aead_id::aes_siv_cmac_256:
      return 32;
    case aead_id::aes_siv_cmac_384:
      return 48;
    case aead_id::aes_siv_cmac_512:
      return 64;
    case aead_id::aes_128_gcm_siv:
      return 16;
  }
  return 0;
}

/// Octets of the nonces that we make: SIV takes any length, GCM-SIV this alone.
constexpr std::size_t nonce_size(aead_id id) {
  return id == aead_id::aes_128_gcm_siv ? 12 : 16;
}

/// What sealing adds to the plaintext.
constexpr std::size_t aead_tag_size = 16;

using aead_key = secret<64>;

/// Encrypts and authenticates. An object belongs to one thread: it keeps
/// ciphers open, and the last keys in them, so that no call allocates.
class aead_cipher {
public:
  virtual ~aead_cipher() = default;

  /// Writes plaintext.size() + aead_tag_size octets to `out`, which must have
  /// just that size and overlap nothing: tag first for SIV (RFC 5297 §2.6), tag
  /// last for GCM-SIV (RFC 8452 §4). False if a size does not fit `id`.
  virtual bool
  seal(aead_id id, std::span<const std::byte> key,
       std::span<const std::byte> nonce, std::span<const std::byte> associated,
       std::span<const std::byte> plaintext, std::span<std::byte> out)
    = 0;

  /// The reverse; `out` has sealed.size() - aead_tag_size octets. False if a
  /// size does not fit or if it is not authentic; `out` holds zeros then.
  virtual bool open(aead_id id, std::span<const std::byte> key,
                    std::span<const std::byte> nonce,
                    std::span<const std::byte> associated,
                    std::span<const std::byte> sealed, std::span<std::byte> out)
    = 0;
};

} // namespace concert::ntp
