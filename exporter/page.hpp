#pragma once

#include "exporter/metrics.hpp"

#include <string>
#include <string_view>

namespace concert::exporter {

/// The status page. It shows the present without a script; its script draws the
/// past and keeps it fresh.
/// @param problem why the daemon does not answer, if it does not
std::string page_html(const reading& r, std::string_view problem);

} // namespace concert::exporter
