#pragma once

#include "ctl/status.hpp"
#include "tools/ntp_once/client_loop.hpp"

#include <string>
#include <vector>

namespace concert::once {

/// What all servers together say of the clock.
struct verdict {
  bool agreed = false; ///< a majority does; else the rest says nothing
  double offset_s = 0; ///< remote − local; positive: the clock is slow
  double estimated_error_s = 0; ///< of `offset_s`, one standard deviation
  double max_error_s = 0;       ///< of `offset_s`
};

/// The state of a loop at one moment.
struct outcome {
  ctl::daemon_status status; ///< as the daemon would show it
  verdict all;
  std::vector<std::string> troubles; ///< why polls failed here, by source
};

outcome outcome_of(const client_loop& loop, const platform::clock& clock);

/// For people.
std::string plain_text(const outcome& o);
/// The observation document with one key more, `measured`.
std::string json_text(const outcome& o);

} // namespace concert::once
