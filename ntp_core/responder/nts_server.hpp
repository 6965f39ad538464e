#pragma once

#include "ntp_core/crypto/aead.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/nts_fields.hpp"
#include "ntp_core/packet/packet.hpp"
#include "ntp_core/responder/counters.hpp"
#include "ntp_core/time/random.hpp"
#include "ntp_core/time/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace concert::ntp {

/// What a responder does about NTS (RFC 8915 §5.7), one request after another.
/// No allocation, but for the first request with NTS.
class nts_server {
public:
  /// So many replies can be under way between `complete_reply` and `seal`.
  static constexpr std::uint32_t most_unsealed = 64;

  /// Both must outlive this; without them every request is malformed.
  nts_server(aead_cipher* cipher, random_source* random)
    : cipher_(cipher),
      random_(random) {}

  /// For cookies; null: every request is malformed. Not between `judge` and
  /// `complete_reply`.
  void on_keys(std::shared_ptr<const cookie_keys> keys) {
    keys_ = std::move(keys);
  }

  /// Whether `p` has fields that this is about.
  static bool concerns(const packet& p);

  /// A new packet has come; that of before is gone.
  void begin() { request_.reset(); }

  /// Judges a request: `nts` if it is authentic, `nts_cookie`, `nts_forged`, or
  /// `malformed` for what cannot be what it claims. `scratch` has room for the
  /// request; `bytes` stay until its reply is complete.
  reason judge(const packet& p, std::span<const std::byte> bytes,
               std::span<std::byte> scratch);
  /// Whether the reply to the packet in hand must be completed.
  bool has_request() const { return request_.has_value(); }
  /// Whether it is authentic.
  bool is_authentic() const { return request_ && request_->keys; }

  /// Whether to tell a client that its keys are not known: 100 times a second
  /// at most, as that is unprotected.
  bool may_refuse(mono_time now);

  /// Adds the unique identifier to the reply of `used` octets in `out` and, if
  /// the request was authentic, new cookies and an authenticator, within
  /// `limit` octets. Returns the size.
  std::size_t complete_reply(std::size_t limit, std::span<std::byte> out,
                             std::size_t used);
  /// What `seal` needs to know of the reply just completed.
  std::uint32_t last_ticket() const { return last_ticket_; }

  /// Seals a whole reply. If it was completed too many replies ago, it stays
  /// one that nobody believes.
  void seal(std::uint32_t ticket, std::span<std::byte> bytes) const;

private:
  /// The NTS side of a request; views into it.
  struct nts_request {
    nts_fields fields;
    std::optional<session_keys> keys; ///< only if it is authentic
  };

  /// The authenticator that a reply still needs.
  struct unsealed {
    std::uint32_t ticket = 0;
    std::size_t offset = 0; ///< of its field
    aead_id aead{};
    aead_key key;
  };

  aead_cipher* cipher_;
  random_source* random_;
  std::shared_ptr<const cookie_keys> keys_;
  std::optional<nts_request> request_;
  std::vector<unsealed> unsealed_; ///< by ticket, modulo its size
  std::uint32_t last_ticket_ = 0;
  mono_time refusals_full_at_ = mono_time::min(); // a token bucket
};

} // namespace concert::ntp
