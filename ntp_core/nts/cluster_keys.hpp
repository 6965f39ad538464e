#pragma once

#include "ntp_core/crypto/key_derivation.hpp"
#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/errc.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/rotation_config.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace concert::ntp {

/// Octets that a cluster secret needs, line ends at its end not counted.
constexpr std::size_t shortest_cluster_secret = 32;

/// The cookie keys of servers that stand for one another, such as those behind
/// an anycast address: each derives the same keys from a shared secret and the
/// wall clock, so that a client may move among them.
///
/// Period n is [n, n + 1) × `interval` of Unix time, which must be the same on
/// all servers. Its key is HKDF(secret, salt "concert cookie key", info = n as
/// 8 octets in network order), under the low 32 bits of n as its id.
///
/// All follows from the time given, which makes a clock that jumps harmless as
/// soon as it is right again. While it is wrong by more than a period, other
/// servers refuse our cookies and we theirs: so no cookies should be given to
/// anybody before the clock was set for the first time.
class cluster_keys {
public:
  struct timed_keys {
    std::shared_ptr<const cookie_keys> keys;
    std::chrono::seconds until{}; ///< Unix time at which others follow
  };

  /// Takes the contents of the secret's file; line ends at its end do not
  /// count. Error: `secret_too_short`.
  static tl::expected<cluster_keys, errc> make(std::span<const std::byte> file,
                                               const rotation_config& config,
                                               hkdf_fn hkdf);

  /// The keys at a Unix time: this period's first, which seals; then the next
  /// period's, for cookies of servers that are there already; then those of
  /// the periods before, latest first.
  timed_keys at(std::chrono::seconds now) const;

private:
  cluster_keys(std::span<const std::byte> secret, const rotation_config& config,
               hkdf_fn hkdf);

  cookie_keys::key key_of(std::uint64_t period) const;

  secret_bytes secret_;
  rotation_config config_;
  hkdf_fn hkdf_;
};

} // namespace concert::ntp
