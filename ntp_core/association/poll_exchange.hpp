#pragma once

#include "ntp_core/association/measurement.hpp"

#include <optional>

namespace concert::ntp {

/// A request of an association, and what is known of it so far.
struct poll_exchange {
  ntp_timestamp origin; ///< random transmit stamp of the request
  /// Random receive stamp of an interleaved request; unknown in a basic one.
  ntp_timestamp receive;
  mono_time started;
  mono_time window_end; ///< no answer is taken from here on
  std::int8_t poll = 6; ///< log2 s, in force when it was made
  bool paid = false;    ///< cost a token
  bool dropped = false; ///< to be closed at the next deadline
  bool refused = false; ///< somebody said so, without proof (NTSN)
  std::optional<mono_time> sent_at;
  local_stamp daemon_t1;
  local_stamp t1; ///< the best so far
  /// A good answer that waits for the transmit stamp until `stamp_deadline`.
  std::optional<measurement> answer;
  bool interleaved = false; ///< `answer` is: its T3 is the last exchange's
  mono_time stamp_deadline;

  /// Whether an answer with this origin stamp is basic (RFC 5905 §8).
  bool is_basic(ntp_timestamp quoted) const { return quoted == origin; }
  /// Whether it is interleaved (RFC 9769 §2); only if that was asked for.
  bool is_interleaved(ntp_timestamp quoted) const {
    return !receive.is_unknown() && quoted == receive;
  }
};

} // namespace concert::ntp
