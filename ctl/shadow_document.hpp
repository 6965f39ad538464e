#pragma once

#include "ctl/error.hpp"
#include "ntp_core/shadow/snapshot.hpp"

#include <string>
#include <string_view>

/// `shadow` of the observation document: what is seen of a clock that another
/// daemon steers.
namespace concert::ctl {

std::string shadow_json(const ntp::shadow_snapshot& shadow);

/// Reads it. Values that are absent or of a wrong type are 0.
/// @returns `errc::malformed`, also for `null`: the daemon steers the clock
/// itself.
result<ntp::shadow_snapshot> read_shadow(std::string_view json);

} // namespace concert::ctl
