#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace concert::sim {

/// Counts magnitudes in logarithmic bins of 1.2 %, from 1 ps to 10,000 s; what
/// lies beyond counts in the last bin of its side. A plain value.
class histogram {
public:
  void add(double magnitude) {
    const double place = (std::log10(magnitude) - lowest) * per_decade;
    // Written so that log10(0) and NaN go to the first bin.
    const double bin = place > 0 ? std::min(place, bins - 1.0) : 0.0;
    ++counts_[static_cast<std::size_t>(bin)];
  }

  void add(const histogram& other) {
    for (std::size_t i = 0; i < bins; ++i)
      counts_[i] += other.counts_[i];
  }

  /// The magnitude below which this share lies, to a bin; 0 without any.
  double quantile(double share) const {
    std::uint64_t sum = 0;
    for (const auto count : counts_)
      sum += count;
    const double wanted = share * static_cast<double>(sum);
    double below = 0;
    for (std::size_t i = 0; i < bins; ++i) {
      below += static_cast<double>(counts_[i]);
      if (counts_[i] != 0 && below >= wanted)
        return std::pow(10.0,
                        lowest + (static_cast<double>(i) + 0.5) / per_decade);
    }
    return 0;
  }

private:
  static constexpr double lowest = -12; ///< log10 s
  static constexpr double per_decade = 200;
  static constexpr std::size_t bins = 16 * 200;

  std::array<std::uint32_t, bins> counts_{};
};

} // namespace concert::sim
