#pragma once

#include "config/config.hpp"

#include <tl/expected.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace concert::actors {

/// A time daemon that runs on this machine, and whose clock is watched.
struct shadowed_daemon {
  std::vector<config::source_config> sources;
};

/// Reads the daemon's configuration, chrony's or ntpd's, and logs what is made
/// of it. With an empty path the first of the usual places that is there.
/// @returns a sentence when there is none, or nothing to ask in it.
tl::expected<shadowed_daemon, std::string>
find_shadowed(const std::filesystem::path& path);

/// Makes `config` one that asks the daemon's sources and only watches: it
/// serves nobody, steers nothing, and writes no state.
void make_shadow(config::daemon_config& config, const shadowed_daemon& daemon);

} // namespace concert::actors
