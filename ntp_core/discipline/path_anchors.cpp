#include "ntp_core/discipline/path_anchors.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

constexpr std::size_t most_routes = 8;
/// Changes fade with this time; more are congestion.
constexpr double fade_s = 6 * 3600;
constexpr double usual_changes = 1.5;
/// A route counts in the long run from here on: before, a change of route must
/// not move the clock (docs/algorithm.md, "asymmetry").
constexpr double lasting_s = 86400;

} // namespace

void path_anchors::leave(double base_s, double asymmetry_s, double t_s) {
  now_.base_s = base_s;
  now_.asymmetry_s = asymmetry_s;
  earlier_.push_back(now_);
  if (earlier_.size() > most_routes)
    earlier_.erase(std::min_element(
      earlier_.begin(), earlier_.end(),
      [](const route& a, const route& b) { return a.time_s < b.time_s; }));
  now_ = {};
  changes_
    = changes_ * std::exp(-std::max(0.0, t_s - changed_at_s_) / fade_s) + 1;
  changed_at_s_ = t_s;
}

std::optional<double> path_anchors::recall(double base_s, double width_s) {
  const auto distance
    = [base_s](const route& r) { return std::abs(r.base_s - base_s); };
  const auto found = std::min_element(
    earlier_.begin(), earlier_.end(),
    [&](const route& a, const route& b) { return distance(a) < distance(b); });
  if (found == earlier_.end() || distance(*found) > width_s)
    return std::nullopt;
  now_ = *found;
  earlier_.erase(found);
  return now_.asymmetry_s;
}

bool path_anchors::is_restless(double t_s) const {
  return changes_ * std::exp(-std::max(0.0, t_s - changed_at_s_) / fade_s)
         > usual_changes;
}

double path_anchors::weight(const route& r) {
  return std::max(0.0, r.time_s - lasting_s);
}

double path_anchors::mean_asymmetry_s(double now_s) const {
  double sum = weight(now_);
  double mean = sum * now_s;
  for (const auto& r : earlier_) {
    sum += weight(r);
    mean += weight(r) * r.asymmetry_s;
  }
  return sum > 0 ? mean / sum : 0;
}

void path_anchors::shift(double by_s) {
  for (auto& r : earlier_)
    r.asymmetry_s -= by_s;
}

} // namespace concert::ntp
