#pragma once

#include "tools/ntp_inspect/options.hpp"

namespace concert::inspect {

/// Does what the command line says, on standard output; the exit code.
int run(const options& o);

} // namespace concert::inspect
