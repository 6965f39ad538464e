#pragma once

#include "ctl/error.hpp"
#include "ctl/options.hpp"

#include <filesystem>
#include <string>

namespace concert::ctl {

/// What a command leaves behind.
struct outcome {
  int code = 0;
  std::string out; ///< standard output
  std::string err; ///< standard error
};

/// Where the daemon listens.
struct socket_place {
  std::filesystem::path path;
  std::string origin; ///< " (path from FILE)"; empty when an option told it
};

/// Takes the place from the options, else from the configuration.
/// @returns `errc::bad_path` and a sentence when the configuration cannot tell.
result<socket_place> find_socket(const options& o);

/// Asks the daemon once; a failure's sentence tells where the path is from.
result<std::string> ask(const socket_place& place, int cancel = -1);

/// status, sources, tracking, servers, nts.
outcome run_view(const options& o);
/// validate.
outcome run_validate(const options& o);
/// check.
outcome run_check(const options& o);
/// wait-sync: asks once a second.
outcome run_wait_sync(const options& o);

} // namespace concert::ctl
