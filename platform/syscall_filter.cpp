#include "platform/privileges.hpp"
#include "platform/sanitizers.hpp"

#include <seccomp.h>

#include <memory>

namespace concert::platform {

namespace {

using filter = std::unique_ptr<void, decltype(&seccomp_release)>;

/// Whoever tries to become another program has taken us over.
constexpr const char* fatal[] = {"execve", "execveat"};

/// No need of ours; a library that probes for one gets an ordinary error. The
/// clock is set by adjtimex alone.
constexpr const char* refused[] = {
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "mount",
  "umount2",
  "pivot_root",
  "move_mount",
  "open_tree",
  "fsopen",
  "fsmount",
  "chroot",
  "init_module",
  "finit_module",
  "delete_module",
  "kexec_load",
  "kexec_file_load",
  "bpf",
  "perf_event_open",
  "keyctl",
  "add_key",
  "request_key",
  "reboot",
  "swapon",
  "swapoff",
  "settimeofday",
  "clock_settime",
  "setns",
  "unshare",
  "userfaultfd",
  "iopl",
  "ioperm",
  "acct",
  "quotactl",
  "sethostname",
  "setdomainname",
  "personality",
};

/// 0 or a negative error number.
int add(scmp_filter_ctx context, std::uint32_t action, const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR)
    return 0; // not on this architecture
  return seccomp_rule_add(context, action, number, 0);
}

} // namespace

result<void> load_syscall_filter() {
  if (address_sanitizer || thread_sanitizer)
    return {};
  const filter context{seccomp_init(SCMP_ACT_ALLOW), &seccomp_release};
  if (!context)
    return tl::unexpected(
      error{errc::unavailable, "this system has no seccomp filters"});
  int code = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (const char* name : fatal)
    if (code == 0)
      code = add(context.get(), SCMP_ACT_KILL_PROCESS, name);
  for (const char* name : refused)
    if (code == 0)
      code = add(context.get(), SCMP_ACT_ERRNO(EPERM), name);
  if (code == 0)
    code = seccomp_load(context.get());
  if (code != 0)
    return tl::unexpected(
      system_error("cannot load the filter of system calls", -code));
  return {};
}

} // namespace concert::platform
