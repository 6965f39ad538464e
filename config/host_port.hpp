#pragma once

#include "config/config.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>

namespace concert::config {

/// Reads "host", "host:port", "[v6]:port", "[v6]" or a bare IPv6 address
/// (more than one ':'); the port is 123 unless given. Nothing is resolved. The
/// error is a sentence for people.
tl::expected<host_port, std::string> parse_host_port(std::string_view text);

} // namespace concert::config
