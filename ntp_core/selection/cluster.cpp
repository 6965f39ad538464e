#include "ntp_core/selection/cluster.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// Largest usual asymmetry against the one-way delay.
constexpr double usual_asymmetry = 0.6;
constexpr double significant = 0.003;
constexpr double still_significant = 0.01;
/// Far: this many widths of the group beyond it; and near again.
constexpr double far = 5;
constexpr double near = 2;

struct group {
  double low = 0;
  double high = 0;
  double width() const { return high - low; }
};

/// How often sources with scattered paths would lie as closely together.
double chance(std::span<const cluster_member> members, std::size_t size,
              double width) {
  std::vector<double> delays;
  delays.reserve(members.size());
  for (const auto& m : members)
    delays.push_back(m.one_way_s);
  std::nth_element(delays.begin(),
                   delays.begin()
                     + static_cast<std::ptrdiff_t>(delays.size() / 2),
                   delays.end());
  const double scatter
    = 2 * usual_asymmetry * std::max(delays[delays.size() / 2], 1e-6);
  const double n = static_cast<double>(members.size());
  const double k = static_cast<double>(size);
  // Any k of the n, the first of which lies anywhere.
  const double choices = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1)
                                  - std::lgamma(n - k + 1));
  return choices * k * std::pow(std::min(1.0, width / scatter), k - 1);
}

} // namespace

const std::set<source_id>&
cluster::outliers(std::span<const cluster_member> members) {
  fits_.clear();
  const auto size = std::max<std::size_t>(3, members.size() / 2 + 1);
  if (members.size() <= size) {
    outliers_.clear();
    return outliers_;
  }
  std::vector<cluster_member> sorted{members.begin(), members.end()};
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.offset_s < b.offset_s;
  });
  group closest;
  for (std::size_t i = 0; i + size <= sorted.size(); ++i) {
    double doubt = 0;
    for (std::size_t k = i; k < i + size; ++k)
      doubt = std::max(doubt, sorted[k].deviation_s);
    const group g{sorted[i].offset_s - doubt,
                  sorted[i + size - 1].offset_s + doubt};
    if (i == 0 || g.width() < closest.width())
      closest = g;
  }
  const bool stands = chance(members, size, closest.width())
                      < (outliers_.empty() ? significant : still_significant);
  std::set<source_id> outside;
  if (stands) {
    for (const auto& m : members) {
      const double beyond
        = std::max(closest.low - m.offset_s, m.offset_s - closest.high)
          - 3 * m.deviation_s;
      const double limit
        = (outliers_.contains(m.id) ? near : far) * closest.width();
      fits_.push_back({m.id, beyond, limit, beyond > limit});
      if (fits_.back().outlier)
        outside.insert(m.id);
    }
  }
  outliers_ = std::move(outside);
  return outliers_;
}

} // namespace concert::ntp
