#pragma once

#include <optional>
#include <string>

namespace concert::sim {

/// "2.68us", "34.1ns", "-5.00ms", "100s": three digits and a unit; "-" for
/// nothing.
std::string time_text(std::optional<double> s);
/// "1.08": three digits; "-" for nothing.
std::string ratio_text(std::optional<double> v);
/// "65.0e-9": as a power of 1000; "-" for nothing.
std::string frequency_text(std::optional<double> v);

} // namespace concert::sim
