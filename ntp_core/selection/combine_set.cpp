#include "ntp_core/selection/combine_set.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

/// A member counts as this much nearer than it is.
constexpr double loyalty = 0.7;

} // namespace

const std::set<source_id>&
combine_set::choose(std::span<const combine_candidate> candidates,
                    std::size_t limit) {
  ranked_.assign(candidates.begin(), candidates.end());
  for (auto& c : ranked_)
    c.distance_s *= chosen_.contains(c.id) ? loyalty : 1;
  const auto count = std::min(limit, ranked_.size());
  std::partial_sort(
    ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(count),
    ranked_.end(),
    [](const auto& a, const auto& b) { return a.distance_s < b.distance_s; });
  chosen_.clear();
  for (std::size_t i = 0; i < count; ++i)
    chosen_.insert(ranked_[i].id);
  return chosen_;
}

} // namespace concert::ntp
