#include "config/schema.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace concert::config {

namespace {

/// A remembered client takes some tens of bytes.
constexpr std::int64_t most_clients = 1 << 24;
constexpr std::int64_t most_buffer = 256 << 20;
constexpr std::int64_t day_in_milliseconds = 86'400'000;

ntp::ip_prefix everybody(bool v4) {
  return {v4 ? ntp::ip_address{} : ntp::ip_address::v6({}), 0};
}

auto refusal() {
  return one_of(action_words());
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
}

value_or_error<std::uint8_t> served_version(const toml::node& node) {
  if (node.value_exact<std::int64_t>() == 5)
    return wrong(node, "5 is not supported yet");
  return integer_within<std::uint8_t>(3, 4)(node);
}

void note_no_nts_version(table_reader& section, const server_config& server) {
  const auto& accepted = server.accept_ntp_versions;
  if (server.require_nts && !accepted.empty()
      && std::find(accepted.begin(), accepted.end(), 4) == accepted.end())
    section.warning(section.find("accept-ntp-versions")->source(),
                    "accept-ntp-versions",
                    "nobody can be served: `require-nts` needs version 4");
}

/// Where and how the packets come in.
void read_sockets(table_reader& section, server_config& server) {
  section.required("listen", server.listen, listen_or(default_ntp_port));
  section.optional("interface", server.interface, interface_name);
  section.optional("dispatch", server.dispatch, one_of(dispatch_words()));
  section.optional("receive-buffer", server.receive_buffer,
                   integer_within<std::uint32_t>(0, most_buffer));
  section.optional("send-buffer", server.send_buffer,
                   integer_within<std::uint32_t>(0, most_buffer));
}

/// Who is served, and which packets.
void read_policy(table_reader& section, server_config& server) {
  server.allowlist.prefixes = {everybody(true), everybody(false)};
  read_filter(section, "denylist", server.denylist);
  read_filter(section, "allowlist", server.allowlist);
  section.optional("filter-order", server.filter_order,
                   one_of(filter_order_words()));
  read_require_nts(section, server.require_nts);
  const auto* versions
    = section.optional("accept-ntp-versions", server.accept_ntp_versions,
                       array_of(served_version));
  if (versions != nullptr && server.accept_ntp_versions.empty())
    section.error(versions->source(), "accept-ntp-versions",
                  "must name a version");
  note_no_nts_version(section, server);
  section.optional("answer-symmetric-active", server.answer_symmetric_active,
                   boolean);
}

bool limits_rates(const server_config& server) {
  return server.rate_limiting_cache_size > 0
         && server.rate_limiting_cutoff.count() > 0;
}

void read_rate_limit(table_reader& section, server_config& server) {
  const toml::node* const given[]
    = {section.optional("rate-limiting-cache-size",
                        server.rate_limiting_cache_size,
                        integer_within<std::uint32_t>(0, most_clients)),
       section.optional("rate-limiting-cutoff-ms", server.rate_limiting_cutoff,
                        milliseconds_within(0, day_in_milliseconds)),
       section.optional("rate-limiting-burst", server.rate_limiting_burst,
                        integer_within<std::uint32_t>(1, 1000)),
       section.optional("rate-limiting-leak", server.rate_limiting_leak,
                        integer_within<std::uint32_t>(1, 16)),
       section.optional("rate-limiting-kiss", server.rate_limiting_kiss,
                        integer_within<std::uint32_t>(0, 1'000'000))};
  if (limits_rates(server))
    return;
  for (const auto* node : given) {
    if (node != nullptr && node->value_exact<std::int64_t>() != 0)
      section.found().warning(
        node->source(), "has no effect: there is no rate limit unless both "
                        "`rate-limiting-cache-size` and "
                        "`rate-limiting-cutoff-ms` are above 0");
  }
}

/// What is remembered of clients. Warns where it cannot be of use.
void read_client_state(table_reader& section, server_config& server) {
  section.optional("client-table-size", server.client_table_size,
                   integer_within<std::uint32_t>(0, most_clients));
  const auto* node
    = section.optional("interleaved", server.interleaved, boolean);
  const bool asked_for = node != nullptr && server.interleaved;
  if (asked_for && server.client_table_size == 0)
    section.warning(node->source(), "interleaved",
                    "has no effect: `client-table-size` is 0");
  if (server.dispatch != dispatch_kind::receive_queue)
    return;
  const auto place = section.find("dispatch")->source();
  if (limits_rates(server))
    section.warning(place, "dispatch",
                    "one client's packets may reach several workers, and each "
                    "keeps its own rates: \"client-address\" makes the rate "
                    "limit exact");
  if (asked_for)
    section.warning(place, "dispatch",
                    "one client's packets may reach several workers, and each "
                    "remembers its own answers: \"client-address\" makes "
                    "interleaved mode reliable");
}

/// Warns about lists that leave nobody of the family that `listen` has.
void note_nobody(table_reader& section, const server_config& server) {
  const bool v4 = server.listen.address.is_v4();
  const auto of_family
    = [v4](const auto& prefix) { return prefix.network.is_v4() == v4; };
  const auto is_everybody = [&](const auto& prefix) {
    return of_family(prefix) && prefix.length == 0;
  };
  const auto& denied = server.denylist.prefixes;
  const auto& allowed = server.allowlist.prefixes;
  const bool exceptions
    = server.filter_order == ntp::access_order::longest_match
      && std::any_of(allowed.begin(), allowed.end(), [&](const auto& prefix) {
           return of_family(prefix) && prefix.length > 0;
         });
  const auto warn = [&](std::string_view key, std::string_view what) {
    if (const auto* node = section.find(key))
      section.warning(node->source(), key,
                      fmt::format("{} IPv{} address: nobody can be served on "
                                  "{}",
                                  what, v4 ? 4 : 6, server.listen.to_string()));
  };
  if (std::none_of(allowed.begin(), allowed.end(), of_family))
    warn("allowlist", "holds no");
  else if (!exceptions
           && std::any_of(denied.begin(), denied.end(), is_everybody))
    warn("denylist", "holds every");
}

server_config read_server(table_reader& section) {
  server_config server;
  read_sockets(section, server);
  read_policy(section, server);
  read_rate_limit(section, server);
  read_client_state(section, server);
  note_nobody(section, server);
  section.reject_unknown();
  return server;
}

/// The `[[server]]`s so far, by address and interface.
using places
  = std::map<std::pair<ntp::endpoint, std::string>, toml::source_region>;

/// The entry that takes the same packets: on the same interface, or where one
/// of the two takes those of all.
places::const_iterator rival(const places& taken, const server_config& server) {
  const auto first = taken.lower_bound({server.listen, ""});
  const bool same_address
    = first != taken.end() && first->first.first == server.listen;
  if (same_address && (server.interface.empty() || first->first.second.empty()))
    return first;
  return taken.find({server.listen, server.interface});
}

} // namespace

std::vector<server_config> read_servers(table_reader& top) {
  std::vector<server_config> servers;
  places taken;
  for (auto& section : top.sections("server")) {
    auto server = read_server(section);
    if (server.listen.port != 0) {
      const auto place = section.find("listen")->source();
      const auto other = rival(taken, server);
      if (other == taken.end())
        taken.emplace(std::pair{server.listen, server.interface}, place);
      else
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
