#pragma once

#include "ntp_core/discipline/snapshot.hpp"

#include <cstddef>
#include <set>
#include <span>
#include <vector>

namespace concert::ntp {

/// A source that may be combined, and how wrong it may be, s.
struct combine_candidate {
  source_id id;
  double distance_s = 0;
};

/// Chooses the best few of the sources that tell the truth. Who is in stays
/// until another one is clearly better, because each change costs accuracy.
class combine_set {
public:
  const std::set<source_id>&
  choose(std::span<const combine_candidate> candidates, std::size_t limit);

  /// The candidates of the last choice, the chosen ones first, in the order of
  /// their distance. Who was in before counts as nearer than it is.
  const std::vector<combine_candidate>& ranked() const { return ranked_; }

private:
  std::set<source_id> chosen_;
  std::vector<combine_candidate> ranked_;
};

} // namespace concert::ntp
