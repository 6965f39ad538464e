#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/packet/extension.hpp"
#include "ntp_core/packet/packet.hpp"

#include <cstddef>
#include <optional>
#include <span>

namespace concert::ntp {

/// RFC 8915 §5.3: what a unique identifier has at least, and ours have.
constexpr std::size_t unique_identifier_size = 32;

/// The NTS fields of a packet (RFC 8915 §5.3 to §5.6); views into it.
struct nts_fields {
  std::span<const std::byte> unique_identifier; ///< at least 32 octets
  std::span<const std::byte> cookie;            ///< empty if there is none
  std::size_t placeholders = 0;                 ///< each as long as `cookie`

  // The authenticator; all empty if there is none.
  std::span<const std::byte> associated; ///< all that is before it
  std::span<const std::byte> nonce;
  std::span<const std::byte> sealed; ///< at least a tag
  /// Octets of the nonce with its padding, and of the additional padding.
  std::size_t nonce_room = 0;

  bool has_authenticator() const { return !sealed.empty(); }
  /// Whether the authenticator is as long as a request's must be
  /// (RFC 8915 §5.6); a server drops others.
  bool is_padded_for(aead_id id) const { return nonce_room >= nonce_size(id); }
};

/// The NTS fields of `p`, which was parsed from `bytes`. Nothing if it has no
/// unique identifier or a MAC, if one of the fields comes twice or is too
/// short, if a length inside of the authenticator is beyond it, if something
/// follows it, or if placeholders are not as long as the cookie.
std::optional<nts_fields> find_nts_fields(const packet& p,
                                          std::span<const std::byte> bytes);

/// The fields that an authenticator protects, once opened (RFC 8915 §5.6).
/// Nothing if a length does not fit or one of them is an authenticator itself.
std::optional<extension_fields>
read_sealed_fields(std::span<const std::byte> plaintext);

} // namespace concert::ntp
