#pragma once

#include "tests/platform/support.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace concert::platform::testing {

/// Whether `body` returns true in a child process that is killed at its first
/// system call.
template <class Body>
bool without_system_calls(Body body) {
  return in_child([&] {
           if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
             return 2;
           const bool good = body();
           // Not _exit, which ends all threads and is not allowed either.
           syscall(SYS_exit, good ? 0 : 1);
           return 3;
         })
         == 0;
}

} // namespace concert::platform::testing
