#pragma once

#include "config/migration/plan.hpp"
#include "config/migration/script.hpp"

namespace concert::config {

/// Reads an ntpd.conf of OpenNTPD.
plan read_openntpd(script& s, std::string_view text, std::string_view name);

} // namespace concert::config
