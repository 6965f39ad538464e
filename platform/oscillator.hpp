#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace concert::platform {

struct oscillator_parameters {
  double frequency_error = 0; ///< ratio; positive = fast
  double wander = 0;          ///< per √s
  std::uint64_t seed = 1;
  bool operator==(const oscillator_parameters&) const = default;
};

/// A free-running oscillator with a constant frequency error and a random walk
/// of frequency, one step a second. A pure function of the time since its
/// start: every process that asks with the same parameters gets the same.
class oscillator {
public:
  explicit oscillator(const oscillator_parameters& parameters);

  /// By how many seconds it is ahead, `elapsed` after its start. From any
  /// thread; constant time when the times asked for lie close together.
  double error_s(std::chrono::nanoseconds elapsed) const;

private:
  /// The walk at the beginning of a second.
  struct position {
    std::int64_t second = 0;
    double frequency = 0; ///< ratio, in force during this second
    double phase_s = 0;
  };

  double increment(std::int64_t second) const;
  void move(position& p, std::int64_t second) const;
  position last() const;
  void remember(const position& p) const;

  oscillator_parameters parameters_;

  // The position asked for last, so that a reading takes a step or none. Odd
  // version = being written; fields are acquired and released, since fences are
  // beyond the thread sanitizer.
  mutable std::atomic<std::uint64_t> version_{0};
  mutable std::atomic<std::int64_t> second_{0};
  mutable std::atomic<double> frequency_{0};
  mutable std::atomic<double> phase_s_{0};
};

} // namespace concert::platform
