#include "config/keys.hpp"
#include "config/missing.hpp"

#include <algorithm>
#include <utility>

namespace concert::config {

namespace {

/// Names of the keys that differ and that only the start reads.
std::vector<std::string> restart_keys(const daemon_config& a,
                                      const daemon_config& b) {
  std::vector<std::string> result;
  for (const auto& key : scalar_keys()) {
    if (!key.at_runtime && key.text(a) != key.text(b))
      result.emplace_back(key.name);
  }
  return result;
}

/// Whether the same spawner goes on with what it has found out.
bool is_same_source(const source_config& a, const source_config& b) {
  return a.mode == b.mode && a.address == b.address
         && a.ntp_version == b.ntp_version && a.nts == b.nts;
}

/// Takes the pairs of sources that only change out of those that go and come.
void pair_modified(config_difference& d) {
  std::erase_if(d.removed_sources, [&](const source_config& before) {
    const auto after
      = std::find_if(d.added_sources.begin(), d.added_sources.end(),
                     [&](const source_config& candidate) {
                       return is_same_source(before, candidate);
                     });
    if (after == d.added_sources.end())
      return false;
    d.modified_sources.emplace_back(before, std::move(*after));
    d.added_sources.erase(after);
    return true;
  });
}

} // namespace

bool config_difference::empty() const {
  return removed_sources.empty() && added_sources.empty()
         && modified_sources.empty() && !observability_changed
         && !control_changed && !leap_seconds_file_changed
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
  pair_modified(result);
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
  result.observability_changed = from.observability != to.observability;
  result.control_changed = from.control != to.control;
  result.leap_seconds_file_changed
    = from.leap_seconds_file != to.leap_seconds_file;
  result.needs_restart = restart_keys(from, to);
  return result;
}

} // namespace concert::config
