#include "platform/privileges.hpp"

#include <cap-ng.h>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

namespace concert::platform {

namespace {

struct identity {
  uid_t uid;
  gid_t gid;
};

result<identity> find_user(const std::string& user) {
  errno = 0;
  if (const passwd* found = getpwnam(user.c_str()))
    return identity{found->pw_uid, found->pw_gid};
  return tl::unexpected(error{errc::invalid, "cannot switch to user '" + user
                                               + "': there is none"});
}

/// Notes the capabilities to keep in libcap-ng; those that we lack cannot be
/// kept. True if the bounding set may be emptied.
bool choose(std::span<const unsigned> capabilities) {
  capng_get_caps_process();
  std::vector<unsigned> kept;
  for (const unsigned c : capabilities)
    if (capng_have_capability(CAPNG_PERMITTED, c))
      kept.push_back(c);
  const bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
  capng_clear(CAPNG_SELECT_ALL);
  for (const unsigned c : kept)
    capng_update(CAPNG_ADD,
                 static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                 c);
  return bounds;
}

} // namespace

result<void> keep_only(const std::string& user,
                       std::span<const unsigned> capabilities) {
  const auto fail = [](const std::string& what, int number) {
    return tl::unexpected(
      system_error("cannot drop privileges: " + what, number));
  };
  std::optional<identity> target;
  if (!user.empty() && geteuid() == 0) {
    const auto found = find_user(user);
    if (!found)
      return tl::unexpected(found.error());
    target = *found;
    if (initgroups(user.c_str(), found->gid) != 0)
      return fail("groups of '" + user + "'", errno);
  }
  const bool bounds = choose(capabilities);
  if (target) {
    const int code = capng_change_id(
      static_cast<int>(target->uid), static_cast<int>(target->gid),
      bounds ? CAPNG_CLEAR_BOUNDING : CAPNG_NO_FLAG);
    if (code != 0)
      return fail("switch to '" + user + "', step " + std::to_string(-code),
                  errno);
  } else if (capng_apply(bounds ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0) {
    return fail("capabilities", errno);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail("no_new_privs", errno);
  return {};
}

result<void> drop_privileges(const std::string& user, bool adjust_clock) {
  std::vector<unsigned> kept{CAP_NET_BIND_SERVICE};
  if (adjust_clock)
    kept.push_back(CAP_SYS_TIME);
  return keep_only(user, kept);
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace concert::platform
