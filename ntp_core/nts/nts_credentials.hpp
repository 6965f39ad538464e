#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/nts/session_keys.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace concert::ntp {

/// A client has no use for more cookies, and a server makes no more for one
/// request, whatever it asks for (RFC 8915 §4.1.6, §5.7; CVE-2026-26076).
constexpr std::size_t most_cookies = 8;
/// The longest cookie that a client takes. A request with it and without
/// placeholders has 1,152 octets (header 48, identifier 36, cookie 4 + 1,024,
/// authenticator 40), and so has its reply: nobody fragments that.
constexpr std::size_t longest_kept_cookie = 1024;

/// What a client has from a key exchange, and has left of it.
struct nts_credentials {
  session_keys keys;
  /// What to try if the server refuses `keys` before its first good answer:
  /// with AES-128-GCM-SIV two exporter contexts are in use.
  std::optional<session_keys> alternate;
  /// Each is used once (RFC 8915 §5.7), the oldest first.
  std::vector<secret_bytes> cookies;
};

} // namespace concert::ntp
