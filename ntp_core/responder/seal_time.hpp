#pragma once

#include "ntp_core/responder/recent_minimum.hpp"

namespace concert::ntp {

/// How long the seals take that stand between the reading of the clock and the
/// sending of a group of replies (see `responder::stamp`). As with
/// `transmit_delay` a recent minimum: a transmit stamp may be a little early,
/// never late.
class seal_time {
public:
  /// No seal takes longer; what did was interrupted, or the clock was stepped.
  static constexpr auto longest = ntp_duration::from_seconds(100e-6);

  /// A group with so many seals, at least one, took `spent` to stamp. Negative
  /// times and those above `longest` for each are ignored.
  void on_group(std::size_t seals, ntp_duration spent);
  /// For a group with so many seals; zero before the first sample.
  ntp_duration of(std::size_t seals) const;

private:
  recent_minimum each_;
};

} // namespace concert::ntp
