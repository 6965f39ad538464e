#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace concert::ntp {

/// The round trip of one path without queueing, and how much queueing adds.
/// The base is the minimum of the last 256 samples; when it stays away for
/// eight samples in a row the path has become longer and older samples are
/// forgotten.
class path_delay {
public:
  /// Samples after which a path is known well enough to be remembered.
  static constexpr std::uint64_t enough = 16;

  path_delay() = default;
  /// A path that an earlier run knew, as if by `enough` samples: a base that
  /// stays away is forgotten as usual. s; the base > 0, the excess ≥ 0.
  path_delay(double base_s, double mean_excess_s);

  /// Takes one round trip, s, > 0.
  void add(double delay_s);

  /// Base round trip, s; 0 before the first sample.
  double base_s() const { return base_s_; }
  /// Mean of round trip − base, s.
  double mean_excess_s() const { return mean_excess_s_; }
  std::uint64_t samples() const { return samples_; }

  /// Variance that queueing and an unsure base give to the offset of a sample
  /// with this round trip, s² (algorithm.md §3, "c0").
  double queueing_variance(double delay_s) const;

private:
  static constexpr std::size_t block_length = 8;
  static constexpr std::size_t blocks = 32;

  void close_block();
  void recompute_base();

  /// Minima of blocks of samples, a ring; `used_` of them are valid and the
  /// newest is the one being filled.
  std::array<double, blocks> minima_{};
  std::size_t newest_ = 0;
  std::size_t used_ = 0;
  std::size_t in_block_ = 0;
  std::uint64_t samples_ = 0;
  double base_s_ = 0;
  double mean_excess_s_ = 0;
  double excess_before_block_s_ = 0;
};

} // namespace concert::ntp
