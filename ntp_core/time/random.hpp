#pragma once

#include <cstdint>

namespace concert::ntp {

/// A source of randomness that callers pass in: the system's generator in the
/// daemon, a seeded one in tests and simulation.
class random_source {
public:
  virtual ~random_source() = default;

  /// 64 unpredictable bits.
  virtual std::uint64_t next() = 0;

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
};

} // namespace concert::ntp
