#pragma once

#include "config/config.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace concert::config {

/// Reads "host", "host:port", "[v6]:port", "[v6]" or a bare IPv6 address
/// (more than one ':'). Nothing is resolved. The error is a sentence for
/// people.
tl::expected<host_port, std::string> parse_host_port(std::string_view text,
                                                     std::uint16_t default_port
                                                     = default_ntp_port);

} // namespace concert::config
