#pragma once

#include <string>
#include <string_view>

namespace concert::ctl {

/// Whether standard output is a terminal that shows colours, and its user has
/// not refused them (NO_COLOR, TERM=dumb).
bool colour_wanted();

/// A view's words for states, and the marks of its sources, in colours: green
/// for what is well, yellow for what wants attention, red for what is wrong.
std::string coloured(std::string_view view);

} // namespace concert::ctl
