#pragma once

#include "config/config.hpp"
#include "tools/ntp_sim/scenario.hpp"

#include <filesystem>
#include <string>

namespace concert::sim {

/// The ntp.toml of the daemon in a scenario: one `[[source]]` for each server,
/// the poll limits, and over that what the scenario says. Positions of errors
/// are within the scenario's own text.
tl::expected<std::string, std::vector<config::diagnostic>>
daemon_file(const scenario& s, const std::filesystem::path& state_file);

/// The keys that all scenarios share and their values, as one line: what the
/// figures of a table were made with.
std::string default_configuration();

} // namespace concert::sim
