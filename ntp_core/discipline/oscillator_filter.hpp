#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/noise_expert.hpp"
#include "ntp_core/discipline/path_memory.hpp"
#include "ntp_core/discipline/path_sample.hpp"

#include <array>
#include <optional>
#include <span>
#include <vector>

namespace concert::ntp {

/// One oscillator seen over one or more paths: three experts on queueing, each
/// with beliefs for all wanders, weighed by their evidence (algorithm.md §4.5).
class oscillator_filter {
public:
  explicit oscillator_filter(const oscillator_prior& prior);
  /// Goes on from what an earlier run knew of the clock and of path 0.
  oscillator_filter(const oscillator_prior& prior, const path_memory& memory);

  bool empty() const { return !last_; }
  std::size_t paths() const { return experts_[0].paths(); }

  /// Takes a sample of the path with this number. A path is added with its
  /// first sample: its number is that of the paths so far. `fresh`: one of the
  /// first samples, which only guess at the noise. `same_server`: all paths
  /// lead to one server, and a further one says nothing new of the clock.
  reception take(std::size_t path, const path_sample& sample,
                 const delay_watch& watch, bool fresh,
                 bool same_server = false);
  /// Adds a path that another filter knows by itself, and takes its sample.
  /// `same_clock`: both remember the same clock, so that the asymmetry that
  /// the other one remembers holds here too.
  reception join(const path_sample& sample, const delay_watch& watch,
                 const oscillator_filter& other, std::size_t its_path,
                 bool same_clock);
  void remove_path(std::size_t path);
  /// Whether an asymmetry below the base delay (of the round trip, s) and the
  /// server's root distance explain what the sample says of the clock.
  bool allows(const path_sample& sample, double base_delay_s) const;

  void inflate(double offset_variance_s2, double frequency_variance);
  /// See `clock_estimate`.
  void shift(ntp_duration by) {
    origin_ += by;
    belief_.clock.shift(by);
  }

  struct belief {
    /// Without what asymmetry may hide: the weighted mean of the paths'
    /// asymmetries is taken for zero.
    clock_estimate clock;
    double asymmetry_variance = 0; ///< what it may hide, s²
  };
  /// As of the last sample; only after one.
  const belief& estimate() const { return belief_; }

  /// Of one path, s.
  double base_delay_s(std::size_t path) const; ///< round trip
  double mean_excess_s(std::size_t path) const;
  double asymmetry_s(std::size_t path) const; ///< estimated

private:
  exchange relative(const path_sample& sample) const;
  std::array<double, 3> shares() const;
  void keep_small();
  void renew();

  std::array<noise_expert, 3> experts_;
  std::optional<raw_time> last_; ///< arrival of the last sample
  raw_time epoch_;
  ntp_duration origin_;
  belief belief_; ///< asked for more often than there are samples
};

} // namespace concert::ntp
