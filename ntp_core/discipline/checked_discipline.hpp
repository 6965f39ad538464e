#pragma once

#include "ntp_core/discipline/discipline.hpp"
#include "ntp_core/discipline/kalman_discipline.hpp"

#include <cstdint>
#include <memory>

namespace concert::ntp {

/// A discipline with a simpler one beside it. The simple one (delay-weighted
/// Kalman filters) knows less, and has fewer ways to go wrong: when the two
/// have differed for eight samples by more than both together allow, their
/// difference is added to the error that is reported. The time is that of the
/// first in any case.
class checked_discipline final : public discipline {
public:
  explicit checked_discipline(std::unique_ptr<discipline> main);

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
  void compare(raw_time when);

  std::unique_ptr<discipline> main_;
  kalman_discipline check_;
  std::optional<raw_time> sampled_; ///< not compared yet
  std::uint8_t apart_ = 0;          ///< samples in a row
  double difference_s_ = 0;
};

} // namespace concert::ntp
