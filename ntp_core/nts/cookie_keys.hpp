#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/nts/session_keys.hpp"
#include "ntp_core/time/random.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace concert::ntp {

/// Octets of a cookie for session keys of `id`.
constexpr std::size_t cookie_size(aead_id id) {
  return 4 + 16 + aead_tag_size + 4 + 2 * key_size(id);
}
constexpr std::size_t longest_cookie = cookie_size(aead_id::aes_siv_cmac_512);

/// The keys that a server seals its cookies with (RFC 8915 §6): the newest
/// seals, all open. Immutable once made; workers share it by pointer.
///
/// A cookie is: id of its key (4 octets, network order), nonce (16), and the
/// sealed session keys; its size depends on the client's AEAD alone and is a
/// multiple of 4.
class cookie_keys {
public:
  /// AES-SIV-CMAC-256, whatever the client uses.
  static constexpr std::size_t key_octets = 32;
  struct key {
    std::uint32_t id = 0; ///< unique in the set
    secret<key_octets> value;

    friend bool operator==(const key&, const key&) = default;
  };

  /// The newest key, the one that seals, is the first; at least one. (In the
  /// set of a cluster the key of the period to come stands second.)
  explicit cookie_keys(std::vector<key> newest_first);

  const std::vector<key>& newest_first() const { return keys_; }

  /// Writes a cookie of exactly cookie_size(keys.aead) octets to `out`; the
  /// nonce is taken from `random`. No allocation.
  void seal(const session_keys& keys, aead_cipher& cipher,
            random_source& random, std::span<std::byte> out) const;

  /// What a cookie of ours holds; nothing if it is not ours, or no more. No
  /// allocation.
  std::optional<session_keys> open(std::span<const std::byte> cookie,
                                   aead_cipher& cipher) const;

private:
  std::vector<key> keys_;
};

} // namespace concert::ntp
