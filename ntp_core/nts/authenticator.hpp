#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/packet/extension_writer.hpp"
#include "ntp_core/time/random.hpp"

#include <cstddef>
#include <span>

namespace concert::ntp {

/// The most that we seal into one packet: a server's cookies.
constexpr std::size_t most_sealed_octets
  = most_cookies * (extension_overhead + longest_cookie);

/// Octets of an authenticator field with our nonce around a plaintext of
/// `plaintext_size` octets, a multiple of 4, and additional padding.
constexpr std::size_t authenticator_size(aead_id id, std::size_t plaintext_size,
                                         std::size_t padding = 0) {
  return extension_overhead + 4 + nonce_size(id) + aead_tag_size
         + plaintext_size + padding;
}

/// Adds the last field of a packet (RFC 8915 §5.6), with a fresh nonce and
/// `padding` zeros at its end. Returns where the caller writes the
/// `plaintext_size` octets (at most `most_sealed_octets`) that
/// `seal_authenticator` encrypts.
std::span<std::byte> add_authenticator(extension_writer& packet, aead_id id,
                                       std::size_t plaintext_size,
                                       std::size_t padding,
                                       random_source& random);

/// Encrypts what `add_authenticator` left at `offset` (where the field starts),
/// and authenticates all that is before it. If the key does not fit the AEAD,
/// the field is left with zeros that nobody accepts.
void seal_authenticator(std::span<std::byte> packet, std::size_t offset,
                        aead_id id, std::span<const std::byte> key,
                        aead_cipher& cipher);

} // namespace concert::ntp
