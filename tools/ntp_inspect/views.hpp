#pragma once

#include "ctl/actors_document.hpp"

#include <string>
#include <vector>

/// The inspector's documents as text.
namespace concert::inspect {

/// From this on an actor that handles one message counts as stuck, s.
inline constexpr double stuck_after_s = 1;
bool is_stuck(const ctl::actor_status& a);

/// "source 192.0.2.1:123", or the kind alone.
std::string label(const ctl::actor_status& a);

std::string list_text(const ctl::actors_status& status);
/// Each actor under the one that started it.
std::string tree_text(const ctl::actors_status& status);
std::string show_text(const ctl::actors_status& status);
std::string map_text(const std::vector<ctl::interface_status>& interfaces);
/// One line with its newline.
std::string trace_text(const ctl::traced_message& message);

} // namespace concert::inspect
