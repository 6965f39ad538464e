#pragma once

#include "ctl/error.hpp"
#include "ctl/observation.hpp"
#include "ctl/options.hpp"

#include <string>

/// The results of the control protocol (docs/control.md) for people.
namespace concert::ctl {

/// What `result` says to `what`; `key` is what `get` was asked for.
/// @returns `errc::malformed`.
result<std::string> control_view(command what, const std::string& key,
                                 const std::string& result);

/// get, diff and source list as tables.
/// @returns `errc::malformed`.
result<std::string> control_csv(command what, const std::string& result);

/// What somebody should know before the clock is stepped.
std::string step_warning(const observation& o);

} // namespace concert::ctl
