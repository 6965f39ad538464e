#pragma once

#include <string>
#include <string_view>

namespace concert::exporter {

/// Reads a text by the rules of OpenMetrics 1.0, on its own account.
/// @returns the first line that breaks one, and which; empty if there is none.
std::string openmetrics_fault(std::string_view text);

} // namespace concert::exporter
