#pragma once

#include "ntp_core/discipline/oscillator_filter.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace concert::ntp {

/// What one source says by itself. Stamps taken by other hands (hardware,
/// kernel, daemon) are late by other amounts, so that each pair of kinds makes
/// a path of its own to the same server.
class source_filter {
public:
  /// Samples that are kept from the start, for filters that begin with them.
  static constexpr std::size_t kept = 16;

  source_filter(const oscillator_prior& prior,
                const std::optional<path_memory>& memory);

  struct taken {
    std::size_t path = 0; ///< of the source
    reception how = reception::used;
  };
  taken add(const path_sample& sample);
  /// See `discipline`; what is kept of the start is doubted too.
  void inflate(double offset_variance_s2, double frequency_variance);
  void shift(ntp_duration by);
  /// Another filter also saw that the path has changed, or this one did.
  void path_changed(std::size_t path, reception how);

  std::uint64_t samples() const { return samples_; }
  /// An earlier run knew it, and nothing has contradicted that.
  bool is_remembered() const { return remembered_; }
  /// The noise is still guessed at.
  bool is_starting() const {
    return !remembered_ && samples_ <= delay_watch::starting;
  }
  /// All samples so far, while there are few; else nothing.
  const std::vector<path_sample>& first_samples() const { return first_; }
  /// The number of the path that a sample takes.
  std::size_t path_of(const path_sample& sample) const;
  std::size_t path_count() const { return paths_.size(); }
  const delay_watch& watch(std::size_t path) const {
    return paths_[path].watch;
  }
  stamp_kind sent(std::size_t path) const { return paths_[path].sent; }
  stamp_kind received(std::size_t path) const { return paths_[path].received; }
  /// The path of the last sample.
  std::size_t present() const { return present_; }

  const oscillator_filter& filter() const { return filter_; }

private:
  struct path {
    stamp_kind sent;
    stamp_kind received;
    delay_watch watch;
  };

  void start_again();
  bool contradicts(const path_sample& sample) const;

  oscillator_prior prior_;
  bool remembered_;
  oscillator_filter filter_;
  std::vector<path> paths_;
  std::vector<path_sample> first_;
  std::uint64_t samples_ = 0;
  std::size_t present_ = 0;
};

} // namespace concert::ntp
