#pragma once

#include "ntp_core/association/measurement.hpp"

#include <cstdint>
#include <optional>

namespace concert::ntp {

/// The client's side of interleaved mode (RFC 9769 §2): remembers the last
/// answered exchange, whose answer's true transmit stamp comes with the next
/// answer.
///
/// That next answer completes the remembered exchange: T1, T2 and T4 are this
/// exchange's own, T3 comes a poll later. The other choice takes T1 and T2 of
/// the newest request with T3 and T4 of the answer before it. Such a sample
/// would be half as old, but spans a poll instead of a round trip: the error of
/// the oscillator's frequency over a poll (640 us for 10 ppm and 64 s) would
/// pass for delay, and queueing of two moments for that of one path. As a poll
/// is always much longer than a round trip here, there is no case for it.
///
/// An exchange makes one measurement at most. A basic answer makes it at once,
/// and a later T3 adds nothing then: to wait for one would cost the sample if
/// the next packet is lost. An interleaved answer has no T3 of its own, so that
/// its exchange is measured a poll later, or never if the next answer is lost
/// or basic.
class interleaving {
public:
  /// In a row, after which the remembered exchange is given up.
  static constexpr int most_misses = 4;

  explicit interleaving(bool wanted) : wanted_(wanted) {}

  /// What the next request must quote to be answered with the missing stamp;
  /// unknown: only a basic one can be asked.
  ntp_timestamp origin() const;
  /// The remembered exchange with the T3 that an interleaved answer brings, for
  /// its checks. Only after a request with `origin`.
  measurement completed(ntp_timestamp t3) const;
  /// The same if it has made no measurement yet.
  std::optional<measurement> news(ntp_timestamp t3) const;

  /// An exchange ended with a good answer; remembers it instead of the last.
  /// `measured`: it was basic, and has made its measurement.
  void on_exchange(const measurement& exchange, bool measured);
  /// A poll ended without one.
  void on_miss();
  void forget();

private:
  bool wanted_;
  std::optional<measurement> last_;
  bool measured_ = false;
  int misses_ = 0;
};

} // namespace concert::ntp
