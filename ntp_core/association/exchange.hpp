#pragma once

#include "ntp_core/association/measurement.hpp"

#include <optional>

namespace concert::ntp {

/// A request of an association, and what is known of it so far.
struct exchange {
  ntp_timestamp origin; ///< random transmit stamp of the request
  mono_time started;
  mono_time window_end; ///< no answer is taken from here on
  std::int8_t poll = 6; ///< log2 s, in force when it was made
  bool paid = false;    ///< cost a token
  bool dropped = false; ///< to be closed at the next deadline
  std::optional<mono_time> sent_at;
  local_stamp daemon_t1;
  local_stamp t1; ///< the best so far
  /// A good answer that waits for the transmit stamp until `stamp_deadline`.
  std::optional<measurement> answer;
  mono_time stamp_deadline;
};

} // namespace concert::ntp
