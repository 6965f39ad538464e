#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/nts/nts_fields.hpp"
#include "ntp_core/packet/packet.hpp"
#include "ntp_core/time/random.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace concert::ntp {

/// The NTS side of an association (RFC 8915 §5.7): makes its requests
/// authentic, and tells answers that are from others.
class nts_client {
public:
  /// No request is longer; also the room that requests must have.
  static constexpr std::size_t longest_request = 1200;

  /// Both must outlive this.
  nts_client(aead_cipher& cipher, random_source& random);

  /// From now on requests use these. Cookies that cannot be sent (empty, too
  /// long, no multiple of 4) and those beyond eight are left out, as is all
  /// where a key does not fit its AEAD. An answer that is still under way to a
  /// request made before is judged by that request's keys.
  void give(nts_credentials credentials);
  /// What is left; nothing before the first `give`.
  const std::optional<nts_credentials>& credentials() const {
    return credentials_;
  }
  /// Whether there is a cookie for a request.
  bool can_ask() const;

  /// Makes the header at the start of `packet` (`longest_request` octets) an
  /// authentic request with a fresh unique identifier, the oldest cookie, and
  /// as many placeholders as cookies are missing; returns its size. Only if
  /// `can_ask`.
  std::size_t complete_request(std::span<std::byte> packet);
  /// The request left: its cookie is used up.
  void on_sent();

  enum class judgement {
    authentic, ///< what it says can be believed; its cookies are taken
    refused,   ///< NTSN, which nothing protects, to this request
    forged,    ///< anything else
  };
  /// Judges an answer that quotes the request's stamp; `p` was parsed from
  /// `bytes`.
  judgement judge(const packet& p, std::span<const std::byte> bytes);

  /// The request was refused, and no authentic answer came in its time. True if
  /// only other keys can help; false if the alternate ones are used from now
  /// on.
  bool on_refusal();

private:
  bool open(const nts_fields& fields);
  void take_cookies(const extension_fields& fields);

  aead_cipher* cipher_;
  random_source* random_;
  std::optional<nts_credentials> credentials_;
  // The request under way:
  std::array<std::byte, unique_identifier_size> identifier_{};
  session_keys keys_;
  bool has_left_ = true; ///< its cookie is gone
};

} // namespace concert::ntp
