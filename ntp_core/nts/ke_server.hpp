#pragma once

#include "ntp_core/nts/nts_credentials.hpp"
#include "ntp_core/nts/record.hpp"
#include "ntp_core/nts/session_keys.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace concert::ntp {

/// What a request may have at most; RFC 8915 §4 asks for 1,024 or more.
constexpr std::size_t ke_request_limit = 4096;

struct ke_server_config {
  /// Those that clients may choose from; a client's own order decides.
  std::vector<aead_id> aeads
    = {aead_id::aes_siv_cmac_256, aead_id::aes_128_gcm_siv,
       aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_384};
  /// Where clients shall ask for the time, for which `is_ke_server_name` must
  /// hold; empty: where they asked for keys.
  std::string ntp_server;
  std::uint16_t ntp_port = 0; ///< 0: the client's default, 123
  /// Of the NTS pools that may ask for cookies for keys that they bring.
  std::vector<std::string> pool_tokens;
  /// How many requests a pool has on one connection.
  std::uint32_t pool_requests = 1000;
};

/// More octets are needed.
struct ke_need_more {};

/// The caller must get the session keys, seal `most_cookies` cookies with
/// them and call `answer`, or `fail` if it cannot.
struct ke_cookies_wanted {
  aead_id aead{};
  bool own_number = false; ///< for `exporter_context`
  /// A pool brings them; without, they come from the TLS exporter.
  std::optional<session_keys> given_keys;
};

/// The caller must send this, and then close the connection if so told.
struct ke_response {
  std::vector<std::byte> bytes; ///< below 2,048 with our cookies
  bool close = true;
  std::optional<ke_error> refusal; ///< why the client gets no cookies
};

using ke_server_action
  = std::variant<ke_need_more, ke_cookies_wanted, ke_response>;

/// The server's side of one connection (RFC 8915 §4.1): reads a request,
/// answers it once, and is done. No transport, no keys: the caller moves the
/// octets, knows TLS, and sets the deadline.
///
/// A pool (draft-ietf-ntp-nts-keyexchange-pool) with a good token may bring its
/// client's keys, ask what we have, and keep the connection for further
/// requests. To strangers the records for that are critical records that we do
/// not know, and their wish to keep the connection is overheard.
class ke_server {
public:
  explicit ke_server(std::shared_ptr<const ke_server_config> config);

  /// Takes what the client sent off the front of `bytes`. Octets are left only
  /// while cookies are wanted, or when a pool did not wait for its answer: they
  /// are the next request, to be given again after the answer. Once `close` was
  /// said, everything is swallowed.
  ///
  /// Octets after the end of an ordinary request make it a bad one, if they
  /// come in the same call.
  ke_server_action on_bytes(std::span<const std::byte>& bytes);

  /// Gives the cookies that were wanted, one after another, all of one size.
  ke_response answer(std::span<const std::byte> cookies);
  /// There will be none: an internal error.
  ke_response fail();

private:
  enum class state : std::uint8_t { reading, cookies_wanted, over };

  /// What was read of a request.
  struct request {
    ke_record_set seen;
    std::size_t protocols = 0; ///< how many were offered
    bool ntpv4 = false;        ///< among them
    std::size_t aeads = 0;
    std::optional<aead_id> aead; ///< the first that we have, too
    bool own_number = false;
    bool keep_alive = false;
    bool pool_record = false; ///< one that needs a token
    std::optional<ke_record_type> critical_pool_record;
    std::optional<bool> good_token; ///< none: no token
    secret<128> keys;               ///< C2S, then S2C
    std::size_t keys_size = 0;      ///< as they came
  };

  ke_server_action take(std::span<const std::byte>& bytes);
  std::optional<ke_error> read(const ke_record& record);
  std::optional<ke_error> read_protocols(std::span<const std::byte> body);
  std::optional<ke_error> read_aeads(std::span<const std::byte> body);
  std::optional<ke_error> read_pool_record(const ke_record& record);
  bool is_good_token(std::span<const std::byte> token) const;

  ke_server_action decide();
  ke_server_action negotiate();
  std::optional<ke_error> judge_pool();
  ke_response supported_lists();
  ke_response none_in_common(ke_errc what);
  ke_response refuse(const ke_error& error);
  ke_response finish(std::vector<std::byte> bytes,
                     std::optional<ke_error> refusal);
  bool stays_open() const;

  std::shared_ptr<const ke_server_config> config_;
  ke_record_reader reader_{ke_request_limit};
  request request_;
  state state_ = state::reading;
  bool trusted_ = false;       ///< a good token came on this connection
  std::uint32_t answered_ = 0; ///< requests on this connection
};

} // namespace concert::ntp
