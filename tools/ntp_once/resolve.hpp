#pragma once

#include "config/config.hpp"
#include "ntp_core/access/ip_address.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace concert::once {

enum class ip_family : std::uint8_t { any, v4, v6 };

/// The addresses of a server, best first, at least one; waits for the name
/// service as long as its configuration says. The error is a sentence for
/// people.
tl::expected<std::vector<ntp::endpoint>, std::string>
resolve(const config::host_port& server, ip_family family);

} // namespace concert::once
