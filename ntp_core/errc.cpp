#include "ntp_core/errc.hpp"

namespace concert::ntp {

std::string_view to_string(errc e) {
  switch (e) {
    case errc::packet_too_short:
      return "packet shorter than an NTP header";
    case errc::packet_version:
      return "NTP version not known";
    case errc::packet_length:
      return "packet length is not a multiple of 4";
    case errc::extension_length:
      return "extension field with an impossible length";
    case errc::mac_length:
      return "authentication data with an impossible length";
    case errc::leap_syntax:
      return "a line that is not understood";
    case errc::leap_order:
      return "leap seconds are not in order of time";
    case errc::leap_no_update:
      return "the line with the time of the last update (#$) is missing";
    case errc::leap_no_expiry:
      return "the line with the expiry time (#@) is missing";
    case errc::leap_empty:
      return "no leap seconds listed";
    case errc::leap_no_hash:
      return "the line with the hash (#h) is missing";
    case errc::leap_hash_mismatch:
      return "the hash does not fit the contents";
    case errc::file_kind:
      return "the file is of another kind";
    case errc::file_truncated:
      return "the end of the file is missing";
    case errc::file_damaged:
      return "the file is damaged: its checksum does not fit its contents";
    case errc::file_version:
      return "the file was written by a version that is not known";
    case errc::file_contents:
      return "the file holds values that cannot be";
    case errc::secret_too_short:
      return "the cluster secret has fewer than 32 octets";
  }
  return "unknown error";
}

} // namespace concert::ntp
