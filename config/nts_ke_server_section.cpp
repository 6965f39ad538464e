#include "config/schema.hpp"
#include "ntp_core/nts/ke_server_name.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace concert::config {

namespace {

constexpr std::int64_t most_connections = 65'536;

certificate_pair read_certificate(table_reader& section) {
  certificate_pair pair;
  section.required("certificate-chain-path", pair.chain, path);
  section.required("private-key-path", pair.private_key, path);
  return pair;
}

void read_certificates(table_reader& section, nts_ke_server_config& server) {
  server.certificates.push_back(read_certificate(section));
  for (auto& further : section.sections("certificates")) {
    server.certificates.push_back(read_certificate(further));
    further.reject_unknown();
  }
}

void read_longlived(table_reader& section, nts_ke_server_config& server) {
  const auto most = server.concurrent_connections;
  server.longlived_connections = most / 10;
  const auto* node
    = section.optional("longlived-connections", server.longlived_connections,
                       integer_within<std::uint32_t>(0, most_connections));
  if (server.longlived_connections <= most)
    return;
  section.warning(node->source(), "longlived-connections",
                  fmt::format("{} is more than `concurrent-connections` "
                              "allows; {} is used",
                              server.longlived_connections, most));
  server.longlived_connections = most;
}

void read_rate_limit(table_reader& section, nts_ke_server_config& server) {
  section.optional("rate-limiting-cutoff-ms", server.rate_limiting_cutoff,
                   milliseconds_within(0, 86'400'000));
  const auto* burst
    = section.optional("rate-limiting-burst", server.rate_limiting_burst,
                       integer_within<std::uint32_t>(1, 1000));
  if (burst != nullptr && server.rate_limiting_cutoff.count() == 0)
    section.warning(burst->source(), "rate-limiting-burst",
                    "has no effect: `rate-limiting-cutoff-ms` is 0");
}

/// What one client, and all together, may take.
void read_limits(table_reader& section, nts_ke_server_config& server) {
  section.optional("key-exchange-timeout-ms", server.key_exchange_timeout,
                   milliseconds_within(100, 60'000));
  section.optional("concurrent-connections", server.concurrent_connections,
                   integer_within<std::uint32_t>(1, most_connections));
  read_longlived(section, server);
  read_rate_limit(section, server);
}

value_or_error<std::string> server_name(const toml::node& node) {
  auto name = text(node);
  if (name && !ntp::is_ke_server_name(*name))
    return wrong(node,
                 fmt::format("expected a domain name or an IP address without "
                             "port, found \"{}\"",
                             printable(*name)));
  return name;
}

/// Cookies are for version 4 so far. The list is ntpd-rs's.
value_or_error<std::uint8_t> key_version(const toml::node& node) {
  const auto version = node.value_exact<std::int64_t>();
  if (version == 3)
    return wrong(node, "3 has no NTS");
  if (version == 5)
    return wrong(node, "5 is not supported yet");
  return integer_within<std::uint8_t>(4, 4)(node);
}

/// What clients are told, and who counts as a pool.
void read_answers(table_reader& section, nts_ke_server_config& server) {
  section.optional("ntp-server", server.ntp_server, server_name);
  section.optional("ntp-port", server.ntp_port,
                   integer_within<std::uint16_t>(1, 65'535));
  section.optional("aeads", server.aeads, aeads);
  section.optional("accepted-pool-authentication-tokens", server.pool_tokens,
                   array_of(text));
  std::vector<std::uint8_t> versions;
  const auto* node
    = section.optional("accept-ntp-versions", versions, array_of(key_version));
  if (node != nullptr && versions.empty())
    section.error(node->source(), "accept-ntp-versions", "must name a version");
}

nts_ke_server_config read_server(table_reader& section) {
  nts_ke_server_config server;
  section.required("listen", server.listen, listen_or(default_nts_ke_port));
  read_certificates(section, server);
  read_limits(section, server);
  read_answers(section, server);
  section.reject_unknown();
  return server;
}

} // namespace

std::vector<nts_ke_server_config> read_nts_ke_servers(table_reader& top) {
  std::vector<nts_ke_server_config> servers;
  std::map<ntp::endpoint, toml::source_region> taken;
  for (auto& section : top.sections("nts-ke-server")) {
    auto server = read_server(section);
    if (server.listen.port != 0) {
      const auto place = section.find("listen")->source();
      const auto [other, added] = taken.emplace(server.listen, place);
      if (!added)
        section.error(place, "listen",
                      fmt::format("{} is already used at {}",
                                  server.listen.to_string(),
                                  to_string(other->second)));
    }
    servers.push_back(std::move(server));
  }
  return servers;
}

} // namespace concert::config
