#pragma once

#include "platform/error.hpp"

#include <span>
#include <string>

namespace concert::platform {

/// Switches to `user` (if given and we are root) and keeps only CAP_SYS_TIME
/// (when `adjust_clock`) and CAP_NET_BIND_SERVICE, in all sets, for this and
/// every later thread; sets no_new_privs. Must run before the first thread.
/// `invalid` when the user does not exist.
result<void> drop_privileges(const std::string& user, bool adjust_clock);

/// The same with these capabilities (CAP_…), as far as we have them.
result<void> keep_only(const std::string& user,
                       std::span<const unsigned> capabilities);

/// Loads a seccomp filter for all threads against system calls that a time
/// daemon never makes: exec kills the process, others (ptrace, mounts,
/// modules…) fail with EPERM. Nothing happens in sanitizer builds.
result<void> load_syscall_filter();

/// Raises the limit of open files to the hard limit.
void raise_file_limit();

} // namespace concert::platform
