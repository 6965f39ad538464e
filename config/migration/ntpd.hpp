#pragma once

#include "config/migration/plan.hpp"
#include "config/migration/script.hpp"

namespace concert::config {

/// Reads an ntp.conf, of the classic ntpd (4.2.8) or of ntpsec.
plan read_ntpd(script& s, std::string_view text, std::string_view name);

} // namespace concert::config
