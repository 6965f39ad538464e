#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/time/random.hpp"
#include "platform/error.hpp"
#include "tools/ntp_load/ke_attempt.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace concert::load {

/// Makes requests authentic and judges the answers, for any number of them in
/// flight: all that is needed of a request follows from its transmit field.
/// Each has a fresh unique identifier and nonce, a seal of its own, and no
/// placeholder. Cookies are used again and again, which no real client may do.
class nts_requests {
public:
  /// `unavailable` if there is no cipher; `invalid` if the sessions differ in
  /// the size of their requests or there is none.
  static platform::result<nts_requests> make(std::vector<nts_session> sessions);

  /// Octets of each request.
  std::size_t size() const { return size_; }

  /// Completes a request whose header is written; `bytes` has `size()` octets.
  void complete(std::span<std::byte> bytes, std::uint64_t transmit);

  /// Whether an answer has the unique identifier of the request with this
  /// transmit field, and an authenticator over everything with a cookie in it.
  bool is_authentic(std::span<const std::byte> bytes, std::uint64_t transmit);
  /// Whether it has the identifier alone. Cheap.
  bool is_ours(std::span<const std::byte> bytes, std::uint64_t transmit) const;

  /// The AEAD of the first session.
  ntp::aead_id aead() const { return sessions_.front().keys.aead; }

private:
  using identifier = std::array<std::byte, 32>;

  nts_requests(std::vector<nts_session> sessions,
               std::unique_ptr<ntp::aead_cipher> cipher,
               std::unique_ptr<ntp::random_source> random);

  const nts_session& session_of(std::uint64_t transmit) const;
  identifier identifier_of(std::uint64_t transmit) const;

  std::vector<nts_session> sessions_;
  std::unique_ptr<ntp::aead_cipher> cipher_;
  std::unique_ptr<ntp::random_source> random_;
  std::uint64_t seed_; ///< of the identifiers
  std::size_t size_ = 0;
};

} // namespace concert::load
