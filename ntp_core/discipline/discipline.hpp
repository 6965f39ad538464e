#pragma once

#include "ntp_core/discipline/clock_estimate.hpp"
#include "ntp_core/discipline/path_filter.hpp"
#include "ntp_core/discipline/path_sample.hpp"
#include "ntp_core/discipline/snapshot.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace concert::ntp {

/// What the stand-alone filter of one source says.
struct source_estimate {
  clock_estimate clock;
  double base_delay_s = 0;  ///< round trip without queueing
  double mean_excess_s = 0; ///< of the round trip over the base
  double asymmetry_s = 0;   ///< what unequal paths seem to add to the offset
  std::uint64_t samples = 0;
};

/// One source that may move the clock.
struct selected_source {
  source_id id;
  double server_variance = 0; ///< of the server's own time, s²
};

/// All selected sources together.
struct combined_estimate {
  clock_estimate clock;
  /// What unequal paths and the servers' own errors may add, s²; no amount of
  /// samples makes it smaller.
  double bias_variance = 0;
  double server_variance = 0; ///< the servers' part of `bias_variance`, s²
  /// By how much another opinion differs, s; 0 while both agree.
  double disagreement_s = 0;
};

/// Makes one belief about the oscillator out of the samples of all sources, on
/// the raw scale. Which sources count is decided outside, on the stand-alone
/// estimates.
class discipline {
public:
  virtual ~discipline() = default;

  /// `memory`: what an earlier run knew of it.
  virtual void add_source(source_id id, const oscillator_prior& prior,
                          const std::optional<path_memory>& memory)
    = 0;
  virtual void remove_source(source_id id) = 0;

  /// Samples of unknown sources are ignored.
  virtual sample_verdict on_sample(source_id id, const path_sample& sample) = 0;
  /// What selection made of the last sample; said after each one, unless there
  /// is nothing to follow.
  virtual void set_selected(std::span<const selected_source> sources) = 0;

  /// Something may have changed without a trace: adds doubt to all, s², ratio².
  virtual void inflate(double offset_variance_s2, double frequency_variance)
    = 0;
  /// remote − raw jumped by a known amount (suspend, leap second).
  virtual void shift(ntp_duration by) = 0;
  /// All that one source has said, and will say, is another by this much: what
  /// is added to its offsets has changed.
  virtual void shift_source(source_id id, ntp_duration by) = 0;

  /// Nothing before the first sample, unless an earlier run knew something.
  virtual std::optional<source_estimate> source(source_id id,
                                                raw_time when) const = 0;
  /// What is worth remembering of a source; nothing while it is hardly known.
  virtual std::optional<path_memory> memory(source_id id,
                                            raw_time when) const = 0;
  /// Nothing while no selected source has a sample.
  virtual std::optional<combined_estimate> combined(raw_time when) const = 0;
};

/// The daemon's discipline, empty.
std::unique_ptr<discipline> make_discipline();

} // namespace concert::ntp
