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

/// The same for the control socket.
result<socket_place> find_control_socket(const options& o);

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
/// why: each test of a source with its value and limit.
outcome run_why(const options& o);
/// compare: the clock of the daemon that we watch, hour by hour.
outcome run_compare(const options& o);
/// doctor: what on this machine stands in the way of good time.
outcome run_doctor(const options& o);
/// migrate: our configuration out of chrony's or ntpd's.
outcome run_migrate(const options& o);
/// Everything that goes through the control socket.
outcome run_control(const options& o);

} // namespace concert::ctl
