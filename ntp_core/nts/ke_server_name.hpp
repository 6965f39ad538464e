#pragma once

#include <string_view>

namespace concert::ntp {

/// Whether this may stand in an NTPv4 Server record (RFC 8915 §4.1.7): an IPv4
/// or IPv6 address without zone, or a domain name. No resolver ever sees what
/// is neither.
bool is_ke_server_name(std::string_view text);

} // namespace concert::ntp
