#pragma once

#include "tools/ntp_load/random.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace concert::load {

/// Measured lengths of time, ns. Mean, deviation and extremes are of all of
/// them; percentiles and shares of at most `limit`, chosen at random.
class sample_set {
public:
  explicit sample_set(std::size_t limit = std::size_t{1} << 20)
    : limit_(limit) {}

  void add(std::int64_t ns);

  std::uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  /// Sample standard deviation; 0 for less than two.
  double deviation() const;
  std::int64_t min() const { return min_; }
  std::int64_t max() const { return max_; }
  /// The smallest value that is not below a share `q` (0..1) of them; 0 when
  /// there are none.
  std::int64_t quantile(double q) const;
  /// Which share of them is above `ns`, 0..1.
  double share_above(std::int64_t ns) const;

private:
  std::size_t limit_;
  std::uint64_t count_ = 0;
  double mean_ = 0;
  double squares_ = 0; ///< sum of squared distances from the mean
  std::int64_t min_ = 0;
  std::int64_t max_ = 0;
  mutable std::vector<std::int64_t> kept_;
  mutable bool sorted_ = true;
  fast_random random_{1};
};

} // namespace concert::load
