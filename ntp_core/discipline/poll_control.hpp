#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace concert::ntp {

/// Chooses how often one source is asked (algorithm.md §4.9): rarely enough
/// that the clock's wander between two polls is about as large as what is not
/// known anyway.
class poll_control {
public:
  /// Limits in log2 s; starts at the lower one.
  poll_control(std::int8_t min_poll, std::int8_t max_poll)
    : min_(min_poll),
      max_(std::max(min_poll, max_poll)),
      poll_(min_poll) {}

  /// After a sample: `growth_s` is what the wander adds over one interval,
  /// `deviation_s` how sure the offset is, `tolerance` (k there) how much of
  /// the one against the other is accepted.
  void update(double growth_s, double deviation_s, double tolerance) {
    if (growth_s < 0.5 * tolerance * deviation_s)
      ++votes_;
    else if (growth_s > 1.5 * tolerance * deviation_s)
      votes_ -= 2;
    else
      votes_ -= votes_ > 0 ? 1 : (votes_ < 0 ? -1 : 0);
    if (std::abs(votes_) < enough)
      return;
    poll_ = static_cast<std::int8_t>(
      std::clamp<int>(poll_ + (votes_ > 0 ? 1 : -1), min_, max_));
    votes_ = 0;
  }

  /// Other limits, log2 s: what was learnt stays within them.
  void set_limits(std::int8_t min_poll, std::int8_t max_poll) {
    min_ = min_poll;
    max_ = std::max(min_poll, max_poll);
    poll_ = std::clamp(poll_, min_, max_);
  }

  /// Something happened: learn fast.
  void reset() {
    poll_ = min_;
    votes_ = 0;
  }

  /// The wish, log2 s.
  std::int8_t poll() const { return poll_; }

private:
  static constexpr int enough = 4;

  std::int8_t min_;
  std::int8_t max_;
  std::int8_t poll_;
  int votes_ = 0;
};

} // namespace concert::ntp
