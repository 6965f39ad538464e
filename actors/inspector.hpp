#pragma once

#include "actors/runtime.hpp"

#include <memory>

namespace concert::actors {

/// Answers `actors`, `interface_map` and `inject`, without asking any actor.
ctl::control_answer inspect(runtime& rt, const config::control_config& config,
                            const ctl::control_request& request);

/// All interfaces of `actors/interfaces.hpp`, out of their types.
std::vector<ctl::interface_status> interface_map();

} // namespace concert::actors
