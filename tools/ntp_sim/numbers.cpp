#include "tools/ntp_sim/numbers.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string_view>

namespace concert::sim {

namespace {

/// Three digits of a number from 1 to 999.
std::string three_digits(double v) {
  const double magnitude = std::abs(v);
  if (magnitude < 9.995)
    return fmt::format("{:.2f}", v);
  if (magnitude < 99.95)
    return fmt::format("{:.1f}", v);
  return fmt::format("{:.0f}", v);
}

} // namespace

std::string time_text(std::optional<double> s) {
  if (!s)
    return "-";
  struct unit {
    double size;
    std::string_view name;
  };
  constexpr std::array<unit, 3> units{{{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}}};
  const double magnitude = std::abs(*s);
  if (magnitude == 0)
    return "0s";
  for (const auto& u : units)
    if (magnitude >= 0.9995 * u.size)
      return three_digits(*s / u.size) + std::string{u.name};
  return three_digits(*s / 1e-9) + "ns";
}

std::string ratio_text(std::optional<double> v) {
  return v ? three_digits(*v) : "-";
}

std::string frequency_text(std::optional<double> v) {
  if (!v)
    return "-";
  if (*v == 0 || !std::isfinite(*v))
    return fmt::format("{}", *v);
  const int power
    = static_cast<int>(3 * std::floor(std::log10(1.0005 * std::abs(*v)) / 3));
  return three_digits(*v / std::pow(10.0, power)) + fmt::format("e{}", power);
}

} // namespace concert::sim
