#pragma once

#include "ntp_core/time/random.hpp"

#include <chrono>

namespace concert::ntp {

/// How long a client waits between two key exchanges with one server (RFC 8915
/// §4.2): 10 s · 1.5^(n−1) after the n-th one, at most 5 days, each ±10 % so
/// that clients that lost their server together do not come back together.
///
/// An exchange that gives keys which then do not work is as bad as one that
/// fails: n starts again only when an NTP answer was good with the keys of the
/// last exchange.
class ke_backoff {
public:
  /// An exchange starts. The next one may start this much later.
  std::chrono::nanoseconds on_attempt(random_source& random);
  /// The exchange gave keys.
  void on_keys() { have_keys_ = true; }
  /// An NTP answer was authentic with the newest keys.
  void on_good_answer();

  /// Exchanges since the last good answer with new keys.
  unsigned attempts() const { return attempts_; }

private:
  unsigned attempts_ = 0;
  bool have_keys_ = false; ///< from the last exchange
};

} // namespace concert::ntp
