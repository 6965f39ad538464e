#pragma once

#include "config/config.hpp"

#include <string>
#include <vector>

namespace concert::config {

/// What a valid configuration will surprisingly not do, in sentences. The
/// daemon logs them, `validate` prints them.
std::vector<std::string> semantic_warnings(const daemon_config& config);

} // namespace concert::config
