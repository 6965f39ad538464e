#pragma once

#include "ntp_core/discipline/discipline.hpp"

#include <unordered_map>
#include <vector>

namespace concert::ntp {

/// One delay-weighted Kalman filter a source, combined by inverse variance.
///
/// The filters watch one oscillator, so their errors are not independent: in
/// the steady state about half of a filter's variance is wander that none of
/// them has seen yet. The combined variance therefore takes one half of each
/// variance as independent and the other as common to all, and unequal paths
/// and servers' errors are kept apart as bias.
class kalman_discipline final : public discipline {
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
  std::unordered_map<std::uint64_t, path_filter> filters_;
  std::vector<selected_source> selected_;
};

} // namespace concert::ntp
