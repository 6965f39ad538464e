#pragma once

#include "ntp_core/discipline/discipline.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace concert::sim {

/// What is seen of the filters while the daemon uses them.
struct filter_watch {
  double cpu_s = 0; ///< spent in them
  std::uint64_t samples = 0;
  /// Somebody else is looking: not counted.
  bool paused = false;
  /// Takes one line a sample, if somebody wants it.
  std::function<void(const std::string&)> note;
};

/// Filters that tell how they are used. Only for runs that ask for it: what
/// counts for accuracy is measured on the filters themselves.
class watched_discipline final : public ntp::discipline {
public:
  watched_discipline(std::unique_ptr<ntp::discipline> inner,
                     std::shared_ptr<filter_watch> watch);

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
  std::unique_ptr<ntp::discipline> inner_;
  std::shared_ptr<filter_watch> watch_;
};

/// CPU time of this thread, s.
double cpu_now();

} // namespace concert::sim
