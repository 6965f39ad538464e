#include "config/config.hpp"

#include <cstddef>

namespace concert::config {

namespace {

/// The members of `from` that `other` lacks, each as often as it lacks it. Each
/// search starts where the last one ended: equal lists take linear time.
template <class T>
std::vector<T> missing(const std::vector<T>& from,
                       const std::vector<T>& other) {
  std::vector<T> result;
  std::vector<bool> used(other.size());
  std::size_t next = 0;
  const auto take = [&](const T& item) {
    for (std::size_t i = 0; i < other.size(); ++i) {
      const auto at = (next + i) % other.size();
      if (!used[at] && other[at] == item) {
        used[at] = true;
        next = at + 1;
        return true;
      }
    }
    return false;
  };
  for (const auto& item : from) {
    if (!take(item))
      result.push_back(item);
  }
  return result;
}

/// Names of the keys that differ and that only the start reads.
std::vector<std::string> restart_keys(const daemon_config& a,
                                      const daemon_config& b) {
  std::vector<std::string> result;
  const auto compare = [&](const char* key, const auto& x, const auto& y) {
    if (x != y)
      result.emplace_back(key);
  };
  compare("clock.kind", a.clock.kind, b.clock.kind);
  compare("clock.initial-offset", a.clock.initial_offset_s,
          b.clock.initial_offset_s);
  compare("clock.frequency-error", a.clock.frequency_error,
          b.clock.frequency_error);
  compare("clock.wander", a.clock.wander, b.clock.wander);
  compare("clock.seed", a.clock.seed, b.clock.seed);
  compare("clock.path", a.clock.path, b.clock.path);
  compare("observability.observation-path", a.observability.observation_path,
          b.observability.observation_path);
  compare("observability.observation-permissions",
          a.observability.observation_permissions,
          b.observability.observation_permissions);
  compare("observability.top-clients", a.observability.top_clients,
          b.observability.top_clients);
  compare("state-file", a.state_file, b.state_file);
  compare("user", a.user, b.user);
  compare("server-workers", a.server_workers, b.server_workers);
  compare("pin-workers", a.pin_workers, b.pin_workers);
  return result;
}

} // namespace

bool config_difference::empty() const {
  return removed_sources.empty() && added_sources.empty()
         && removed_servers.empty() && added_servers.empty()
         && removed_nts_ke_servers.empty() && added_nts_ke_servers.empty()
         && !keyset_changed && !steering_changed && !log_changed
         && needs_restart.empty();
}

config_difference difference(const daemon_config& from,
                             const daemon_config& to) {
  config_difference result;
  result.removed_sources = missing(from.sources, to.sources);
  result.added_sources = missing(to.sources, from.sources);
  result.removed_servers = missing(from.servers, to.servers);
  result.added_servers = missing(to.servers, from.servers);
  result.removed_nts_ke_servers
    = missing(from.nts_ke_servers, to.nts_ke_servers);
  result.added_nts_ke_servers = missing(to.nts_ke_servers, from.nts_ke_servers);
  result.keyset_changed = from.keyset != to.keyset;
  result.steering_changed = from.steering != to.steering;
  result.log_changed
    = from.observability.level != to.observability.level
      || from.observability.log_path != to.observability.log_path;
  result.needs_restart = restart_keys(from, to);
  return result;
}

} // namespace concert::config
