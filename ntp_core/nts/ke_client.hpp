#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/nts/record.hpp"
#include "ntp_core/nts/session_keys.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace concert::ntp {

/// What we send at most: every server must take 1,024 octets (RFC 8915 §4).
constexpr std::size_t ke_request_budget = 1024;
/// What a server's message may have at most: servers were seen that gave 1,000
/// cookies. Only one record at a time is kept of it.
constexpr std::size_t ke_response_limit = std::size_t{128} * 1024;

struct ke_client_config {
  /// Those to offer, the best one first; at least one. AES-SIV-CMAC-256 comes
  /// first as nobody disagrees about its keys.
  std::vector<aead_id> aeads
    = {aead_id::aes_siv_cmac_256, aead_id::aes_128_gcm_siv,
       aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_384};
  /// NTP servers that a pool shall not give us, with the names that it gave
  /// them. What does not fit `ke_request_budget` is left out, the last first.
  std::vector<std::string> deny;
};

/// What client and server agreed on.
struct ke_result {
  aead_id aead{};
  bool own_number = false; ///< for `exporter_context`
  /// 1 to 8, each of 12 to `longest_kept_cookie` octets and a multiple of 4.
  std::vector<secret_bytes> cookies;
  std::string server;       ///< of NTP; empty: the server of the exchange
  std::uint16_t port = 123; ///< of NTP

  bool operator==(const ke_result&) const = default;
};

/// The client's side of one connection (RFC 8915 §4.1): says what to send,
/// reads the answer. No transport, no keys: the caller moves the octets, knows
/// TLS, sets the deadline, and exports the keys when the result is there.
///
/// A cookie must come back as it was. An extension field has 12 octets or more
/// and a multiple of 4 (RFC 7822 §3), and nothing tells the server of padding,
/// so cookies of other lengths are refused.
class ke_client {
public:
  explicit ke_client(ke_client_config config);

  /// The request: to be sent at once, as a whole, since some servers read once.
  std::vector<std::byte> request() const;

  /// What the server sent. None if more is needed; a connection that ends then
  /// is an error, `incomplete`. After the result or an error the connection is
  /// of no more use, and whatever comes is an error.
  tl::expected<std::optional<ke_result>, ke_error>
  on_bytes(std::span<const std::byte> bytes);

private:
  std::optional<ke_error> read(const ke_record& record);
  std::optional<ke_error> read_protocol(std::span<const std::byte> body);
  std::optional<ke_error> read_aead(std::span<const std::byte> body);
  std::optional<ke_error> read_cookie(std::span<const std::byte> body);
  std::optional<ke_error> read_server(std::span<const std::byte> body);
  std::optional<ke_error> read_port(std::span<const std::byte> body);
  std::optional<ke_error> judge_whole() const;
  bool offers(aead_id id) const;

  ke_client_config config_;
  ke_record_reader reader_{ke_response_limit};
  ke_record_set seen_;
  ke_result result_;
  /// Why nothing more is taken.
  std::optional<ke_error> over_;
};

} // namespace concert::ntp
