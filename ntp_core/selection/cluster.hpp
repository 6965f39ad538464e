#pragma once

#include "ntp_core/discipline/snapshot.hpp"

#include <set>
#include <span>
#include <vector>

namespace concert::ntp {

/// A source that tells the truth, and where it says that it lies.
struct cluster_member {
  source_id id;
  double offset_s = 0;    ///< remote − local
  double deviation_s = 0; ///< of the offset, without asymmetry
  double one_way_s = 0;   ///< base delay; an asymmetry may be as large
};

/// Finds sources whose offset is not wrong beyond doubt (their path might be
/// that asymmetric) but does not fit the others, RFC 5905 §11.2.2 in spirit.
///
/// What decides is chance: asymmetric paths scatter the offsets over their
/// delays. A majority of at least three that lies together so closely as
/// scattered paths would by chance in fewer than one of a hundred sets is taken
/// for symmetric, and a source far from it for an outlier. Where asymmetric
/// paths are the rule no such group is found and nobody is thrown out.
class cluster {
public:
  /// Judges the selected sources. Remembers, so that a source near the limit
  /// does not come and go.
  const std::set<source_id>& outliers(std::span<const cluster_member> members);

  /// How far one of the members lay beyond the group, and how far it may; in
  /// the last judgement.
  struct fit {
    source_id id;
    double beyond_s = 0; ///< less what its noise explains; below 0 = within
    double limit_s = 0;
    bool outlier = false;
  };
  /// In the order of the members; empty where no group was found.
  const std::vector<fit>& fits() const { return fits_; }

private:
  std::set<source_id> outliers_;
  std::vector<fit> fits_;
};

} // namespace concert::ntp
