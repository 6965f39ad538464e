#pragma once

#include "config/migration/plan.hpp"
#include "config/migration/script.hpp"

namespace concert::config {

/// Reads a chrony.conf (chrony 4).
plan read_chrony(script& s, std::string_view text, std::string_view name);

} // namespace concert::config
