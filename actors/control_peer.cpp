#include "actors/control_peer.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

namespace concert::actors {

namespace {

std::vector<gid_t> groups_of(int fd) {
  std::vector<gid_t> groups(64);
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const int code
      = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
    const bool too_small = code != 0 && errno == ERANGE;
    groups.resize(code == 0 || too_small ? size / sizeof(gid_t) : 0);
    if (!too_small)
      return groups;
  }
  return {};
}

} // namespace

platform::result<gid_t> group_of(const config::control_config& config) {
  if (!config.group)
    return getegid();
  std::array<char, 16384> text{};
  group entry{};
  group* found = nullptr;
  const int number = getgrnam_r(config.group->c_str(), &entry, text.data(),
                                text.size(), &found);
  if (number != 0)
    return tl::unexpected{
      platform::system_error("cannot look up group " + *config.group, number)};
  if (found == nullptr)
    return tl::unexpected{platform::error{
      platform::errc::unavailable, "there is no group " + *config.group}};
  return found->gr_gid;
}

std::optional<control_peer> peer_of(int fd, gid_t group) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return {};
  control_peer peer{who.uid, who.gid, who.pid, false};
  const auto groups = groups_of(fd);
  peer.has_rights
    = who.uid == 0 || who.uid == geteuid() || who.gid == group
      || std::find(groups.begin(), groups.end(), group) != groups.end();
  return peer;
}

} // namespace concert::actors
