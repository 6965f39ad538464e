#include "ntp_core/selection/intersection.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace concert::ntp {

namespace {

struct edge {
  double at = 0;
  bool is_end = false;
};

/// How far a stretch is from what is wished; smaller is better.
double cost(const interval& i, std::optional<double> prefer) {
  if (!prefer)
    return i.high - i.low;
  return std::abs(std::clamp(*prefer, i.low, i.high) - *prefer);
}

} // namespace

std::optional<intersection> intersect(std::span<const interval> intervals,
                                      std::optional<double> prefer) {
  std::vector<edge> edges;
  edges.reserve(2 * intervals.size());
  for (const auto& i : intervals) {
    edges.push_back({i.low, false});
    edges.push_back({i.high, true});
  }
  // Intervals that only touch do share a point: starts come first.
  std::sort(edges.begin(), edges.end(), [](const edge& a, const edge& b) {
    return a.at != b.at ? a.at < b.at : a.is_end < b.is_end;
  });

  std::optional<intersection> best;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].is_end) {
      --depth;
      continue;
    }
    ++depth;
    // A stretch of local maximum ends with the edge after its start.
    if (!edges[i + 1].is_end)
      continue;
    const interval here{edges[i].at, edges[i + 1].at};
    if (!best || depth > best->count) {
      best = intersection{here, depth, here};
    } else if (depth == best->count) {
      best->span.high = here.high;
      if (cost(here, prefer) < cost(best->common, prefer))
        best->common = here;
    }
  }
  return best;
}

} // namespace concert::ntp
