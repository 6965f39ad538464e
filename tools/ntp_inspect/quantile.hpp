#pragma once

#include "ctl/actors_document.hpp"

#include <optional>

namespace concert::inspect {

/// A length of time (s) that the share `q` of what was counted did not reach:
/// the upper end of a power of two. Infinite for the last element, whose end is
/// open; nothing where nothing was counted.
std::optional<double> quantile(const ctl::duration_histogram& h, double q);

/// What was counted since `before`.
ctl::duration_histogram since(const ctl::duration_histogram& now,
                              const ctl::duration_histogram& before);

} // namespace concert::inspect
