#pragma once

#include "ntp_core/discipline/discipline.hpp"
#include "ntp_core/discipline/source_filter.hpp"

#include <map>
#include <optional>
#include <vector>

namespace concert::ntp {

/// The one-sided Bayesian discipline (algorithm.md §4): a filter for each
/// source by itself, on which selection judges, and one joint filter of the
/// selected ones, which moves the clock. With one selected source its own
/// filter does.
class osb_discipline final : public discipline {
public:
  void add_source(source_id id, const oscillator_prior& prior,
                  const std::optional<path_memory>& memory) override;
  void remove_source(source_id id) override;
  sample_verdict on_sample(source_id id, const path_sample& sample) override;
  void set_selected(std::span<const selected_source> sources) override;
  void inflate(double offset_variance_s2, double frequency_variance) override;
  void shift(ntp_duration by) override;
  void shift_source(source_id id, ntp_duration by) override;
  std::optional<source_estimate> source(source_id id,
                                        raw_time when) const override;
  std::optional<path_memory> memory(source_id id, raw_time when) const override;
  std::optional<combined_estimate> combined(raw_time when) const override;

private:
  struct source_entry {
    source_filter alone;
    oscillator_prior prior;
    std::uint8_t unselected_samples = 0;
  };
  /// A sample that the joint filter has not seen: first selection judges on
  /// what it did to its own source.
  struct pending_sample {
    source_id id;
    std::size_t path = 0;
    path_sample sample;
    reception how = reception::used; ///< by its own source's filter
  };
  /// A path of the joint filter.
  struct joint_path {
    source_id id;
    std::size_t path = 0; ///< of the source
  };

  bool is_selected(source_id id) const;
  const source_filter* best_selected() const;
  std::optional<std::size_t> in_joint(source_id id, std::size_t path) const;
  reception join(const pending_sample& news);
  void forget_pending();
  bool can_start_together() const;
  void start_together();
  void start_from_best();
  void leave(source_id id);

  std::map<source_id, source_entry> sources_;
  std::vector<selected_source> selected_;
  std::optional<oscillator_filter> joint_;
  std::vector<joint_path> joint_paths_;
  bool starting_together_ = false;
  std::optional<pending_sample> pending_;
};

} // namespace concert::ntp
