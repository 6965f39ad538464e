#pragma once

#include "tools/ntp_load/random.hpp"

#include <chrono>
#include <cstdint>

namespace concert::load {

/// When requests of an open loop are due, whatever became of those before.
class schedule {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// `rate` requests a second, above 0; evenly spaced, or with exponential
  /// gaps (`poisson`). The first one is due at `start`.
  schedule(double rate, bool poisson, nanoseconds start, std::uint64_t seed = 1)
    : gap_ns_(1e9 / rate),
      poisson_(poisson),
      start_(start),
      random_(seed) {}

  /// When the next one is due.
  nanoseconds next() const {
    return start_ + nanoseconds{static_cast<std::int64_t>(offset_ns_)};
  }

  /// The next one has been sent.
  void advance() {
    ++taken_;
    // A sum of even gaps would drift by rounding.
    offset_ns_ = poisson_ ? offset_ns_ + exponential()
                          : static_cast<double>(taken_) * gap_ns_;
  }

private:
  double exponential();

  double gap_ns_;
  bool poisson_;
  nanoseconds start_;
  double offset_ns_ = 0;
  std::uint64_t taken_ = 0;
  fast_random random_;
};

} // namespace concert::load
