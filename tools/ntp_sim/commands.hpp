#pragma once

#include "tools/ntp_sim/options.hpp"

namespace concert::sim {

/// How the program ends.
enum class exit_code : int {
  fine = 0,
  failed = 1, ///< a limit is broken, or a run failed
  usage = 2,  ///< the command line or a scenario cannot be understood
  interrupted = 130,
};

/// Does what was asked for, with output on stdout and complaints on stderr.
exit_code execute(const options& o);

} // namespace concert::sim
