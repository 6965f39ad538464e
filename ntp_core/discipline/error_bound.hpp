#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/snapshot.hpp"
#include "ntp_core/time/time.hpp"

namespace concert::ntp {

/// What the servers and paths may hide at the last update, s.
struct upstream_error {
  double dispersion_s = 0;    ///< the system peer's root dispersion, and more
  double delay_s = 0;         ///< root delay of the peer and base delay to it
  double bias_variance = 0;   ///< likely asymmetry and servers' errors, s²
  double server_variance = 0; ///< of that, the servers' part, s²
  double stamp_s = 0;         ///< servers' stamps that are early, likely
  double disagreement_s = 0;  ///< between two ways to filter
};

/// How wrong the disciplined clock can be `age_s` after an update that left
/// `belief`: a line of growth that is honest without further samples.
class error_bound {
public:
  error_bound(const clock_estimate& belief, const upstream_error& upstream)
    : belief_(belief),
      upstream_(upstream) {}

  /// Five deviations of the belief at `when`, s; grows by 0.1 ppm at least.
  double doubt_s(raw_time when) const;
  /// Hard bound of |disciplined − true| at `when`, s: never below root
  /// distance (RFC 5905 §11.2, with the base delay of the path).
  double max_error_s(raw_time when) const;
  /// One deviation, without asymmetry and servers' errors, s.
  double stability_s(raw_time when) const;
  /// One deviation of all together, s.
  double estimated_error_s(raw_time when) const;
  /// What `estimated_error_s` is made of; its `unslewed_s` is 0.
  error_budget budget(raw_time when) const;

  /// Writes the growth of the root dispersion from `when` on into the
  /// polynomial of `served`; `extra_s` is added to it.
  void serve(served_time& served, raw_time when, double extra_s) const;

private:
  clock_estimate belief_;
  upstream_error upstream_;
};

} // namespace concert::ntp
