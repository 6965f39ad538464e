#pragma once

#include "ctl/options.hpp"

namespace concert::ctl {

/// Shows the daemon's state again and again, until the count is reached or a
/// signal ends it; a daemon that is away or hangs is shown as such.
/// @returns the exit code: `unreachable` when the last question got no answer.
int run_watch(const options& o);

} // namespace concert::ctl
