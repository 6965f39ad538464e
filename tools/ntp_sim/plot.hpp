#pragma once

#include "tools/ntp_sim/course.hpp"

#include <string>

namespace concert::sim {

/// An SVG of a run: above the true error, the daemon's belief and what it
/// thinks it is sure of; below the bound and the sources.
std::string plot(const course& c, const std::string& title);

} // namespace concert::sim
