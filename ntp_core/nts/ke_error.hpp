#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concert::ntp {

/// Why a key exchange came to nothing. The number of `ke_error` says more where
/// a comment here tells what it is.
enum class ke_errc : std::uint8_t {
  incomplete,         ///< the connection ended within a message
  message_too_long,   ///< more octets than we take
  record_length,      ///< a body of impossible length; type of the record
  unknown_critical,   ///< a critical record that we do not know; its type
  unexpected_record,  ///< a record that does not belong here; its type
  duplicate_record,   ///< a record that may come once came twice; its type
  missing_record,     ///< a record that must be there is not; its type
  trailing_data,      ///< octets after the end of the message
  no_common_protocol, ///< the client offers no NTPv4, or the server has none
  no_common_aead,     ///< none of the AEADs offered is there
  wrong_protocol,     ///< the server chose what we did not offer; its number
  wrong_aead,         ///< the server chose what we did not offer; its number
  peer_error,         ///< the server sent an error record; its number
  peer_warning,       ///< the server sent a warning record; its number
  no_cookies,         ///< an answer without cookies
  cookie_length,      ///< a cookie that no NTP packet can carry; its length
  server_name,        ///< the NTP server's name is none
  server_port,        ///< the NTP server's port is 0
  not_permitted,      ///< a pool's request without a good token; record's type
  key_length,         ///< a pool's keys do not fit the AEAD; octets of both
  internal,           ///< our own trouble
};
constexpr std::size_t ke_errc_count
  = static_cast<std::size_t>(ke_errc::internal) + 1;

struct ke_error {
  ke_errc code{};
  std::uint16_t number = 0;

  bool operator==(const ke_error&) const = default;
};

/// A few words for people, without a full stop; the same for all numbers.
std::string_view to_string(ke_errc code);
/// The same with the number where there is one.
std::string to_string(const ke_error& error);

/// What a server tells the client of it (RFC 8915 §4.1.3): 0 unrecognised
/// critical record, 1 bad request, 2 internal server error.
std::uint16_t error_record_number(ke_errc code);

} // namespace concert::ntp
