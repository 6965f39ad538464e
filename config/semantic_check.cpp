#include "config/semantic_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace concert::config {

namespace {

/// Sources that can take part in the selection.
std::uint32_t selectable_sources(const daemon_config& config) {
  std::uint32_t count = 0;
  for (const auto& source : config.sources) {
    if (!source.noselect)
      count += is_pool(source.mode) ? source.count : 1;
  }
  return count;
}

std::optional<std::string> without_sources(const daemon_config& config) {
  if (config.servers.empty())
    return "no [[source]] is configured: the clock will not be corrected";
  if (config.steering.local_stratum == 16)
    return "no [[source]] is configured and `local-stratum` is 16: clients of "
           "the [[server]] will be told that it is not synchronised";
  return std::nullopt;
}

std::optional<std::string> impossible(const daemon_config& config) {
  const auto count = selectable_sources(config);
  if (count == 0)
    return "synchronisation is impossible as configured: every [[source]] is "
           "marked `noselect`";
  const auto wanted = config.steering.minimum_agreeing_sources.value_or(1);
  if (count < wanted)
    return fmt::format("synchronisation is impossible as configured: "
                       "`minimum-agreeing-sources` is {}, but only {} {} be "
                       "selected",
                       wanted, count,
                       count == 1 ? "source can" : "sources can");
  if (config.steering.local_stratum == 1)
    return "synchronisation is impossible as configured: `local-stratum` is 1, "
           "and no source has a stratum below that";
  return std::nullopt;
}

void note_repeated_servers(const daemon_config& config,
                           std::vector<std::string>& result) {
  std::set<std::pair<std::string, std::uint16_t>> seen;
  for (const auto& source : config.sources) {
    const auto& [host, port] = source.address;
    if (!is_pool(source.mode) && !seen.emplace(host, port).second)
      result.push_back(
        fmt::format("{} is configured as a source more than once: it has more "
                    "than one vote",
                    source.address.to_string()));
  }
}

void note_uncounted_clients(const daemon_config& config,
                            std::vector<std::string>& result) {
  if (config.observability.top_clients == 0)
    return;
  for (const auto& server : config.servers) {
    if (server.client_table_size == 0)
      result.push_back(
        fmt::format("`top-clients` has no effect for the [[server]] on {}: its "
                    "`client-table-size` is 0",
                    server.listen.to_string()));
  }
}

/// Whether clients that got cookies from `ke` find time where it sends them.
bool is_served(const nts_ke_server_config& ke, const daemon_config& config) {
  const auto serves = [&](const server_config& server) {
    const auto& versions = server.accept_ntp_versions;
    return server.listen.port == ke.ntp_port
           && server.listen.address.is_v4() == ke.listen.address.is_v4()
           && std::find(versions.begin(), versions.end(), 4) != versions.end();
  };
  return !ke.ntp_server.empty()
         || std::any_of(config.servers.begin(), config.servers.end(), serves);
}

void note_unserved_clients(const daemon_config& config,
                           std::vector<std::string>& result) {
  for (const auto& ke : config.nts_ke_servers) {
    if (!is_served(ke, config))
      result.push_back(fmt::format(
        "the [[nts-ke-server]] on {} sends its clients to port {}, where no "
        "[[server]] serves version 4 over IPv{}",
        ke.listen.to_string(), ke.ntp_port, ke.listen.address.is_v4() ? 4 : 6));
  }
}

void note_unreachable_cookies(const daemon_config& config,
                              std::vector<std::string>& result) {
  if (!config.nts_ke_servers.empty() || config.keyset.cluster_secret_file)
    return;
  for (const auto& server : config.servers) {
    if (server.require_nts)
      result.push_back(fmt::format(
        "nobody can be served on {}: `require-nts` is set, but there is "
        "neither a [[nts-ke-server]] nor a `cluster-secret-file`, and so no "
        "cookie that it accepts",
        server.listen.to_string()));
  }
}

} // namespace

std::vector<std::string> semantic_warnings(const daemon_config& config) {
  std::vector<std::string> result;
  const auto first
    = config.sources.empty() ? without_sources(config) : impossible(config);
  if (first)
    result.push_back(*first);
  note_repeated_servers(config, result);
  note_uncounted_clients(config, result);
  note_unserved_clients(config, result);
  note_unreachable_cookies(config, result);
  return result;
}

} // namespace concert::config
