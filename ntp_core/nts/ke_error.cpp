#include "ntp_core/nts/ke_error.hpp"

namespace concert::ntp {

namespace {

/// What the number of an error is; empty if it has none.
std::string_view number_means(ke_errc code) {
  switch (code) {
    case ke_errc::record_length:
    case ke_errc::unknown_critical:
    case ke_errc::unexpected_record:
    case ke_errc::duplicate_record:
    case ke_errc::missing_record:
    case ke_errc::not_permitted:
      return "record type";
    case ke_errc::wrong_protocol:
      return "protocol";
    case ke_errc::wrong_aead:
      return "AEAD";
    case ke_errc::peer_error:
      return "error";
    case ke_errc::peer_warning:
      return "warning";
    case ke_errc::cookie_length:
    case ke_errc::key_length:
      return "octets:";
    default:
      return {};
  }
}

/// The errors of RFC 8915 §4.1.3.
std::string_view error_name(std::uint16_t number) {
  switch (number) {
    case 0:
      return ", unrecognised critical record";
    case 1:
      return ", bad request";
    case 2:
      return ", internal server error";
    default:
      return {};
  }
}

} // namespace

std::string_view to_string(ke_errc code) {
  switch (code) {
    case ke_errc::incomplete:
      return "the connection ended before the message did";
    case ke_errc::message_too_long:
      return "the message is too long";
    case ke_errc::record_length:
      return "a record has an impossible length";
    case ke_errc::unknown_critical:
      return "a critical record is not known";
    case ke_errc::unexpected_record:
      return "a record does not belong there";
    case ke_errc::duplicate_record:
      return "a record came twice";
    case ke_errc::missing_record:
      return "a record is missing";
    case ke_errc::trailing_data:
      return "something follows the end of the message";
    case ke_errc::no_common_protocol:
      return "client and server have no protocol in common";
    case ke_errc::no_common_aead:
      return "client and server have no AEAD in common";
    case ke_errc::wrong_protocol:
      return "the server chose a protocol that was not offered";
    case ke_errc::wrong_aead:
      return "the server chose an AEAD that was not offered";
    case ke_errc::peer_error:
      return "the server refused the request";
    case ke_errc::peer_warning:
      return "the server sent a warning that is not known";
    case ke_errc::no_cookies:
      return "the server gave no cookies";
    case ke_errc::cookie_length:
      return "the server gave a cookie that no NTP packet can carry";
    case ke_errc::server_name:
      return "the server named an NTP server with an impossible name";
    case ke_errc::server_port:
      return "the server named port 0";
    case ke_errc::not_permitted:
      return "a pool's request without a good authentication token";
    case ke_errc::key_length:
      return "a pool's keys do not fit the AEAD";
    case ke_errc::internal:
      return "internal error";
  }
  return "unknown error";
}

std::string to_string(const ke_error& error) {
  std::string text{to_string(error.code)};
  const auto what = number_means(error.code);
  if (what.empty())
    return text;
  text.append(" (").append(what).append(" ");
  text.append(std::to_string(error.number));
  if (error.code == ke_errc::peer_error)
    text.append(error_name(error.number));
  return text.append(")");
}

std::uint16_t error_record_number(ke_errc code) {
  switch (code) {
    case ke_errc::unknown_critical:
    case ke_errc::not_permitted:
      return 0;
    case ke_errc::internal:
      return 2;
    default:
      return 1;
  }
}

} // namespace concert::ntp
