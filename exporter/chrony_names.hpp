#pragma once

#include "exporter/exposition.hpp"
#include "exporter/metrics.hpp"

namespace concert::exporter {

/// Adds what is known under the names, units and signs of chrony_exporter, so
/// that its dashboards and rules go on.
void add_chrony_names(exposition& text, const reading& r);

} // namespace concert::exporter
