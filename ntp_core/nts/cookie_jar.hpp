#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/errc.hpp"
#include "ntp_core/nts/nts_credentials.hpp"

#include <tl/expected.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace concert::ntp {

/// Whom the cookies are for.
struct cookie_origin {
  /// The server of the key exchange, as its certificate was checked; 1..255
  /// octets without blanks and control characters.
  std::string key_exchange;
  /// Where NTP packets go, if elsewhere (RFC 8915 §4.1.7); else empty.
  std::string server;
  std::uint16_t port = 123; ///< for NTP packets (RFC 8915 §4.1.8); not 0

  friend bool operator==(const cookie_origin&, const cookie_origin&) = default;
};

/// What a client keeps over a restart, so that no key exchange is needed.
struct cookie_jar {
  cookie_origin origin;
  nts_credentials credentials;
};

/// The contents of a file that only the daemon may read.
secret_bytes serialize(const cookie_jar& jar);

/// Reads what `serialize` made of a jar with at most `most_cookies` cookies,
/// none empty or longer than `longest_kept_cookie`. As each cookie is to be
/// used once, the file must be gone before the first of them is sent. Errors:
/// any code that starts with `file_`.
tl::expected<cookie_jar, errc>
parse_cookie_jar(std::span<const std::byte> file);

} // namespace concert::ntp
