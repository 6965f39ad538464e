#include "ntp_core/discipline/snapshot.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// RFC 5905 §7.2, MAXDISP.
constexpr double max_dispersion_s = 16;

} // namespace

std::string_view to_string(system_state s) {
  switch (s) {
    case system_state::starting:
      return "starting";
    case system_state::synchronized:
      return "synchronized";
    case system_state::holdover:
      return "holdover";
    case system_state::unsynchronized:
      return "unsynchronized";
    case system_state::panic:
      return "panic";
    case system_state::contested:
      return "contested";
    case system_state::offline:
      return "offline";
  }
  return "unknown";
}

std::string_view to_string(source_state s) {
  switch (s) {
    case source_state::selected:
      return "selected";
    case source_state::candidate:
      return "candidate";
    case source_state::falseticker:
      return "falseticker";
    case source_state::unreachable:
      return "unreachable";
    case source_state::unusable:
      return "unusable";
  }
  return "unknown";
}

double served_time::root_dispersion_s(ntp_timestamp wall) const {
  if (!valid)
    return max_dispersion_s;
  const double t = std::max(0.0, (wall - wall_base).seconds());
  const double growth
    = t * (variance_linear + t * (variance_quadratic + t * variance_cubic));
  return std::sqrt(std::max(0.0, variance_base + std::max(0.0, growth)));
}

ntp_timestamp served_time::disciplined(ntp_timestamp wall) const {
  if (!valid)
    return wall;
  const double correction = offset_s + rate * (wall - wall_base).seconds();
  return wall + ntp_duration::from_seconds(correction);
}

} // namespace concert::ntp
