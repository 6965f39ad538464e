#pragma once

#include "ntp_core/responder/recent_minimum.hpp"
#include "ntp_core/time/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace concert::ntp {

/// How long after the start of a batch's send loop its k-th reply leaves, as
/// d0 + k d1, learnt from the kernel's transmit stamps of a few. Each is a
/// recent minimum with a margin, never a mean: a transmit stamp that is too
/// late would make paths look shorter than they are, and might lie after the
/// arrival; one that is a little early only adds to the delay.
class transmit_delay {
public:
  /// Samples in each of the two windows that make "recent": after twice as many
  /// an old minimum is forgotten.
  static constexpr std::size_t window = recent_minimum::window;
  /// What is taken of the minima, in eighths: the least of some 64 samples is
  /// undercut by far more than one reply in 1,000, and a reply that the kernel
  /// stamps leaves later than others, as it first makes room for the report.
  static constexpr std::int64_t first_eighths = 4;
  static constexpr std::int64_t each_eighths = 7;
  /// Nothing that the kernel does with a reply takes longer; what comes later
  /// was stamped after a queue or belongs to another reply.
  static constexpr auto longest = ntp_duration::from_seconds(1e-3);

  /// The kernel stamped reply `slot` (from 0) of a batch so long after the
  /// start of its loop. Negative times and those above `longest` are ignored.
  void on_sample(std::size_t slot, ntp_duration after_start);
  /// What to add to the start of the loop for reply `slot`; nothing before the
  /// first samples.
  std::optional<ntp_duration> of(std::size_t slot) const;

private:
  recent_minimum first_; ///< d0
  recent_minimum each_;  ///< d1
};

} // namespace concert::ntp
