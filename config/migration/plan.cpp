#include "config/migration/plan.hpp"

#include "config/host_port.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace concert::config {

namespace {

/// Lowest and highest poll exponent that we know.
constexpr std::int64_t shortest_poll = 0;
constexpr std::int64_t longest_poll = 17;
constexpr std::int64_t usual_count = 4;
constexpr std::int64_t most_clients = 1 << 24;
/// What chrony remembers of its clients by default.
constexpr std::int64_t usual_clients = 4096;
constexpr double longest_spacing_s = 86'400;

std::string address_of(const source_plan& source) {
  const auto port = source.nts ? source.ke_port : source.port;
  const auto usual = source.nts ? default_nts_ke_port : default_ntp_port;
  return port == usual ? source.host : host_port{source.host, port}.to_string();
}

void set_polls(draft_table& table, const source_plan& source) {
  const auto bounded = [](std::optional<std::int64_t> poll) {
    return std::clamp(poll.value_or(0), shortest_poll, longest_poll);
  };
  const auto min = bounded(source.min_poll);
  if (source.min_poll)
    table.set("minpoll", toml_integer(min));
  if (source.max_poll)
    table.set("maxpoll",
              toml_integer(source.min_poll
                             ? std::max(min, bounded(source.max_poll))
                             : bounded(source.max_poll)));
}

std::string list_of(const std::vector<std::string>& texts) {
  std::vector<std::string> values(texts.size());
  std::transform(texts.begin(), texts.end(), values.begin(),
                 [](const auto& text) { return toml_string(text); });
  return toml_list(values);
}

draft_table table_of(const source_plan& source, const plan& all) {
  draft_table table;
  const bool pool = source.pool && !source.nts;
  table.set_text("mode", source.nts ? "nts" : pool ? "pool" : "server");
  table.set_text("address", address_of(source));
  if (pool && source.count != usual_count)
    table.set("count", toml_integer(source.count));
  if (source.version == 3 && !source.nts)
    table.set("ntp-version", toml_integer(3));
  set_polls(table, source);
  if (!source.iburst)
    table.set("iburst", false);
  if (source.prefer)
    table.set("prefer", true);
  if (source.noselect)
    table.set("noselect", true);
  if (source.offline)
    table.set("offline", true);
  if (source.interleaved)
    table.set("interleaved", true);
  if (source.offset_s != 0)
    table.set("offset", toml_number(source.offset_s));
  if (!source.nts)
    return table;
  if (!source.authorities.empty())
    table.set("certificate-authority", list_of(source.authorities));
  if (all.after_first_sync)
    table.set_text("certificate-time-check", "after-first-sync");
  if (!all.aeads.empty())
    table.set("aeads", all.aeads);
  return table;
}

std::string filter(const std::vector<ntp::ip_prefix>& ranges) {
  std::vector<std::string> values(ranges.size());
  std::transform(ranges.begin(), ranges.end(), values.begin(),
                 [](const auto& r) { return toml_string(r.to_string()); });
  return fmt::format("{{ filter = {}, action = \"ignore\" }}",
                     toml_list(values));
}

void set_access(draft_table& table, const plan& all, bool v4) {
  const auto allowed = all.access.ranges(v4, true);
  const auto denied = all.access.ranges(v4, false);
  if (std::find(allowed.begin(), allowed.end(), whole_family(v4))
      == allowed.end())
    table.set("allowlist", filter(allowed));
  if (denied.empty())
    return;
  table.set("denylist", filter(denied));
  if (table.has("allowlist") || allowed.size() > 1)
    table.set_text("filter-order", "longest-match");
}

void set_rate(draft_table& table, const plan& all) {
  const auto& rate = *all.rate;
  const auto spacing_ms
    = std::clamp(rate.spacing_s, 0.001, longest_spacing_s) * 1000;
  table.set("rate-limiting-cache-size",
            toml_integer(all.clients > 0 ? std::min(all.clients, most_clients)
                                         : usual_clients));
  table.set("rate-limiting-cutoff-ms", toml_integer(std::llround(spacing_ms)));
  table.set("rate-limiting-burst",
            toml_integer(std::clamp<std::int64_t>(rate.burst, 1, 1000)));
  table.set("rate-limiting-leak",
            toml_integer(std::clamp<std::int64_t>(rate.leak, 1, 16)));
  table.set("rate-limiting-kiss",
            toml_integer(std::clamp<std::int64_t>(rate.kiss, 0, 1'000'000)));
}

draft_table table_of(const listen_plan& place, const plan& all) {
  draft_table table;
  table.set_text("listen", ntp::endpoint{place.address, all.port}.to_string());
  if (!place.interface.empty())
    table.set_text("interface", place.interface);
  set_access(table, all, place.address.is_v4());
  if (all.rate)
    set_rate(table, all);
  if (!all.interleaved) {
    table.set("interleaved", false);
    table.set("client-table-size", toml_integer(0));
  } else if (all.clients > 0) {
    table.set("client-table-size",
              toml_integer(std::min(all.clients, most_clients)));
  }
  if (all.answers_peers)
    table.set("answer-symmetric-active", true);
  return table;
}

/// Where to serve, each place once; whoever asks for all interfaces of an
/// address gets them.
std::vector<listen_plan> places(const plan& all) {
  std::vector<listen_plan> wanted = all.listen;
  if (wanted.empty())
    wanted
      = {{whole_family(true).network, {}}, {whole_family(false).network, {}}};
  std::erase_if(wanted, [&](const auto& place) {
    return all.port == 0 || !all.access.serves(place.address.is_v4());
  });
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const auto& a, const auto& b) {
                     return a.interface.empty() && !b.interface.empty();
                   });
  std::vector<listen_plan> result;
  std::set<std::pair<ntp::ip_address, std::string>> taken;
  for (const auto& place : wanted)
    if (!taken.contains({place.address, {}})
        && taken.emplace(place.address, place.interface).second)
      result.push_back(place);
  return result;
}

/// `[[nts-ke-server]]` for each address that time is served on.
std::string key_servers(const plan& all) {
  const auto pairs = std::min(all.certificates.size(), all.private_keys.size());
  if (pairs == 0)
    return {};
  std::string result;
  std::set<ntp::ip_address> taken;
  for (const auto& place : places(all)) {
    if (!taken.insert(place.address).second)
      continue;
    draft_table table;
    table.set_text("listen",
                   ntp::endpoint{place.address, all.ke_port}.to_string());
    table.set_text("certificate-chain-path", all.certificates[0]);
    table.set_text("private-key-path", all.private_keys[0]);
    std::vector<std::string> further;
    for (std::size_t i = 1; i < pairs; ++i)
      further.push_back(fmt::format("{{ certificate-chain-path = {}, "
                                    "private-key-path = {} }}",
                                    toml_string(all.certificates[i]),
                                    toml_string(all.private_keys[i])));
    if (!further.empty())
      table.set("certificates", toml_list(further));
    if (!all.aeads.empty())
      table.set("aeads", all.aeads);
    if (all.port != default_ntp_port)
      table.set("ntp-port", toml_integer(all.port));
    std::string text = table.text("[[nts-ke-server]]");
    text.pop_back();
    result += text + all.ke.text("");
  }
  return result;
}

} // namespace

bool is_host(std::string_view name) {
  const bool v6 = name.find(':') != std::string_view::npos;
  return v6 ? ntp::ip_address::parse(name).has_value()
            : parse_host_port(name).has_value();
}

bool is_interface(std::string_view name) {
  constexpr std::size_t longest = 15;
  return !name.empty() && name.size() <= longest && name != "." && name != ".."
         && std::all_of(name.begin(), name.end(), [](unsigned char c) {
              return c > ' ' && c < 0x7f && c != '/' && c != ':';
            });
}

std::string plan::toml(std::string_view heading) const {
  std::string result = fmt::format("# {}\n\n", heading);
  const auto add = [&](const draft_table& table, std::string_view header) {
    if (!table.empty())
      result += table.text(header);
  };
  add(top, "");
  add(synchronization, "[synchronization]");
  add(algorithm, "[synchronization.algorithm]");
  add(observability, "[observability]");
  for (const auto& source : sources)
    add(table_of(source, *this), "[[source]]");
  for (const auto& place : places(*this))
    add(table_of(place, *this), "[[server]]");
  const auto keys = key_servers(*this);
  if (!keys.empty())
    add(keyset, "[keyset]");
  result += keys;
  while (result.ends_with("\n\n"))
    result.pop_back();
  return result;
}

} // namespace concert::config
