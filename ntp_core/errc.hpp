#pragma once

#include <cstdint>
#include <string_view>

namespace concert::ntp {

/// What can be wrong with data that reaches the core.
enum class errc : std::uint8_t {
  packet_too_short,   ///< fewer than 48 octets
  packet_version,     ///< version 0 or above 4
  packet_length,      ///< length no multiple of 4
  extension_length,   ///< a field below 16 octets, off by 4, or too long
  mac_length,         ///< what follows the fields is no MAC
  leap_syntax,        ///< a line of leap-seconds.list cannot be read
  leap_order,         ///< leap seconds not in order of time
  leap_no_update,     ///< no `#$` line
  leap_no_expiry,     ///< no `#@` line
  leap_empty,         ///< no leap seconds
  leap_no_hash,       ///< no `#h` line
  leap_hash_mismatch, ///< the contents do not give the hash in `#h`
  file_kind,          ///< a file of another kind
  file_truncated,     ///< a file whose end is missing
  file_damaged,       ///< the checksum does not fit the contents
  file_version,       ///< written by a version that we do not know
  file_contents,      ///< whole, but what it holds cannot be
  secret_too_short,   ///< a cluster secret of fewer than 32 octets
};

/// A few words for people, without a full stop.
std::string_view to_string(errc e);

} // namespace concert::ntp
