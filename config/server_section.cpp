#include "config/schema.hpp"

#include <chrono>
#include <map>

namespace concert::config {

namespace {

/// A slot of the rate limiter takes some tens of bytes.
constexpr std::int64_t most_rate_slots = 1 << 24;
constexpr std::int64_t day_in_milliseconds = 86'400'000;

constexpr std::string_view without_nts
  = "clients cannot be served: they would need NTS, which is not supported "
    "yet";

ntp::ip_prefix everybody(bool v4) {
  return {v4 ? ntp::ip_address{} : ntp::ip_address::v6({}), 0};
}

auto refusal() {
  return one_of<bool>({{"deny", true}, {"ignore", false}});
}

void read_filter(table_reader& server, std::string_view key,
                 filter_config& filter) {
  auto section
    = server.section(key, fmt::format("{} = {{ filter, action }}", key));
  if (!section.present())
    return;
  section.required("filter", filter.prefixes, array_of(prefix));
  section.optional("action", filter.deny, refusal());
  section.reject_unknown();
}

void read_require_nts(table_reader& section, std::optional<bool>& field) {
  const auto* node = section.find("require-nts");
  if (node == nullptr)
    return;
  if (const auto flag = node->value_exact<bool>()) {
    if (*flag)
      field = false;
  } else if (node->is_string()) {
    section.optional("require-nts", field, refusal());
  } else {
    section.error(node->source(), "require-nts",
                  fmt::format("expected a boolean, \"deny\" or \"ignore\", "
                              "found {}",
                              kind_of(*node)));
  }
  if (field)
    section.warning(node->source(), "require-nts", without_nts);
}

value_or_error<std::uint8_t> served_version(const toml::node& node) {
  if (node.value_exact<std::int64_t>() == 5)
    return wrong(node, "5 is not supported yet");
  return integer_within<std::uint8_t>(3, 4)(node);
}

server_config read_server(table_reader& section) {
  server_config server;
  server.allowlist.prefixes = {everybody(true), everybody(false)};
  section.required("listen", server.listen, listen_endpoint);
  read_filter(section, "denylist", server.denylist);
  read_filter(section, "allowlist", server.allowlist);
  section.optional("rate-limiting-cache-size", server.rate_limiting_cache_size,
                   integer_within<std::uint32_t>(0, most_rate_slots));
  std::int64_t cutoff_ms = 0;
  section.optional("rate-limiting-cutoff-ms", cutoff_ms,
                   integer_within<std::int64_t>(0, day_in_milliseconds));
  server.rate_limiting_cutoff = std::chrono::milliseconds{cutoff_ms};
  read_require_nts(section, server.require_nts);
  const auto* versions
    = section.optional("accept-ntp-versions", server.accept_ntp_versions,
                       array_of(served_version));
  if (versions != nullptr && server.accept_ntp_versions.empty())
    section.error(versions->source(), "accept-ntp-versions",
                  "must name a version");
  section.reject_unknown();
  return server;
}

} // namespace

std::vector<server_config> read_servers(table_reader& top) {
  std::vector<server_config> servers;
  std::map<ntp::endpoint, toml::source_region> taken;
  for (auto& section : top.sections("server")) {
    auto server = read_server(section);
    const auto* listen = section.find("listen");
    if (server.listen.port != 0) {
      const auto [first, is_new]
        = taken.try_emplace(server.listen, listen->source());
      if (!is_new)
        section.error(listen->source(), "listen",
                      fmt::format("{} is already used at {}",
                                  server.listen.to_string(),
                                  to_string(first->second)));
    }
    servers.push_back(std::move(server));
  }
  return servers;
}

} // namespace concert::config
