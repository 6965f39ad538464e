#pragma once

#include "ntp_core/discipline/discipline.hpp"
#include "tools/ntp_sim/regression.hpp"

#include <array>
#include <deque>
#include <unordered_map>
#include <vector>

namespace concert::sim {

/// The last samples of one source and the straight line through them.
class regression_filter {
public:
  regression_filter(const ntp::oscillator_prior& prior,
                    const std::optional<ntp::path_memory>& memory);

  ntp::sample_verdict add(const ntp::path_sample& sample);
  void inflate(double offset_variance_s2, double frequency_variance);
  void shift(ntp::ntp_duration by);

  /// Nothing before the first sample without a memory.
  std::optional<ntp::clock_estimate> at(ntp::raw_time when) const;
  double base_delay_s() const { return base_delay_s_; }
  double mean_excess_s() const { return mean_excess_s_; }
  std::uint64_t samples() const { return count_; }

private:
  static constexpr std::size_t most = 64;  ///< in the regression
  static constexpr std::size_t ratio = 2;  ///< with older ones, for the runs
  static constexpr std::size_t fewest = 6; ///< that the runs test leaves
  static constexpr std::size_t needed = 3; ///< for a line

  std::vector<point> points() const;
  void weigh(std::vector<point>& points) const;
  void fit();
  void forget();

  ntp::oscillator_prior prior_;
  std::deque<ntp::path_sample> samples_; ///< oldest first
  std::size_t window_ = 0;               ///< the newest so many are used
  std::optional<ntp::clock_estimate> estimate_;
  double base_delay_s_ = 0;
  double mean_excess_s_ = 0;
  std::uint64_t count_ = 0;
  bool suspect_ = false;
};

/// A baseline to compare with: weighted linear regression for each source, in
/// the way of chrony, by the description in algorithm.md §3 (b).
///
/// How it is made. A source keeps its last 64 samples of remote − raw, and 64
/// older ones for the test only. With d = half the round trip plus the stamps'
/// own error, a sample weighs 1 / (1 + (d − min d) / sd)², where sd is
/// (median d − min d) / 0.7, no less than the clock's precision and no more
/// than min d. A straight line is fitted by least squares, its standard errors
/// follow from the residuals. While the residuals, those of the older samples
/// too, have so few runs of equal sign that chance would give them in less
/// than 5 % of the cases, the oldest sample is dropped, down to six: so the
/// window follows the clock's wander. Before three samples the newest one
/// counts with a quarter of its round trip as deviation, and the frequency is
/// what was known before. The wander that it reports is its frequency's
/// standard error over the root of the window's length, so that poll
/// adaptation has something to go by. When the daemon says that something may
/// have changed by more than is known, the samples are dropped and the belief
/// stays; likewise for a second sample in a row that is more than 10 s off.
///
/// Sources are combined by inverse variance, asymmetry and server error
/// included, as the Kalman baseline does it, and taken as independent.
///
/// What it has not: chrony's own selection, its correction of asymmetric
/// jitter, its frequency smoothing over updates and its slew lengths. Those
/// are the daemon's, so that only the estimators differ.
class regression_discipline final : public ntp::discipline {
public:
  void add_source(ntp::source_id id, const ntp::oscillator_prior& prior,
                  const std::optional<ntp::path_memory>& memory) override;
  void remove_source(ntp::source_id id) override;
  ntp::sample_verdict on_sample(ntp::source_id id,
                                const ntp::path_sample& sample) override;
  void set_selected(std::span<const ntp::selected_source> sources) override;
  void inflate(double offset_variance_s2, double frequency_variance) override;
  void shift(ntp::ntp_duration by) override;
  void shift_source(ntp::source_id id, ntp::ntp_duration by) override;
  std::optional<ntp::source_estimate> source(ntp::source_id id,
                                             ntp::raw_time when) const override;
  std::optional<ntp::path_memory> memory(ntp::source_id id,
                                         ntp::raw_time when) const override;
  std::optional<ntp::combined_estimate>
  combined(ntp::raw_time when) const override;

private:
  std::unordered_map<std::uint64_t, regression_filter> filters_;
  std::vector<ntp::selected_source> selected_;
};

} // namespace concert::sim
