#include "config/keys.hpp"
#include "config/missing.hpp"
#include "config/value_text.hpp"

#include <algorithm>

namespace concert::config {

namespace {

/// The keys of one entry of an array of tables, with their values as text.
using entry_text = std::vector<std::pair<std::string_view, std::string>>;

/// `[…]`, or how many there are where they fill more than a line.
template <class List, class Writer>
std::string list_text(const List& list, const Writer& write) {
  constexpr std::size_t most = 16;
  if (list.size() > most)
    return string_text(fmt::format("({} of them)", list.size()));
  std::string result;
  for (const auto& item : list)
    result += (result.empty() ? "" : ", ") + write(item);
  return "[" + result + "]";
}

std::string aeads_text(const aead_list& aeads) {
  return list_text(aeads, [](ntp::aead_id id) {
    return text_of(static_cast<std::uint16_t>(id));
  });
}

constexpr auto write_value = [](const auto& value) { return text_of(value); };
constexpr auto write_quoted
  = [](const auto& value) { return string_text(value.to_string()); };

std::string filter_text(const filter_config& filter) {
  return fmt::format("{{ filter = {}, action = {} }}",
                     list_text(filter.prefixes, write_quoted),
                     text_of(filter.deny, action_words()));
}

std::string require_nts_text(const std::optional<bool>& required) {
  return required ? text_of(*required, action_words()) : "false";
}

entry_text keys_of(const source_config& s) {
  return {
    {"mode", text_of(s.mode, source_mode_words())},
    {"address", string_text(s.address.to_string())},
    {"count", text_of(s.count)},
    {"ignore", list_text(s.ignore, write_quoted)},
    {"ntp-version", text_of(s.ntp_version)},
    {"certificate-authority",
     list_text(s.nts.certificate_authorities, write_value)},
    {"certificate-time-check", text_of(s.nts.time_check, time_check_words())},
    {"aeads", aeads_text(s.nts.aeads)},
    {"minpoll", text_of(s.min_poll)},
    {"maxpoll", text_of(s.max_poll)},
    {"initial-poll-interval", text_of(s.initial_poll)},
    {"iburst", text_of(s.iburst)},
    {"prefer", text_of(s.prefer)},
    {"noselect", text_of(s.noselect)},
    {"interleaved", text_of(s.interleaved)},
    {"offset", text_of(s.offset_s)},
    {"offline", text_of(s.offline)},
  };
}

entry_text keys_of(const server_config& s) {
  return {
    {"listen", string_text(s.listen.to_string())},
    {"interface", s.interface.empty() ? "" : string_text(s.interface)},
    {"dispatch", text_of(s.dispatch, dispatch_words())},
    {"receive-buffer", text_of(s.receive_buffer)},
    {"send-buffer", text_of(s.send_buffer)},
    {"denylist", filter_text(s.denylist)},
    {"allowlist", filter_text(s.allowlist)},
    {"filter-order", text_of(s.filter_order, filter_order_words())},
    {"rate-limiting-cache-size", text_of(s.rate_limiting_cache_size)},
    {"rate-limiting-cutoff-ms", text_of(s.rate_limiting_cutoff)},
    {"rate-limiting-burst", text_of(s.rate_limiting_burst)},
    {"rate-limiting-leak", text_of(s.rate_limiting_leak)},
    {"rate-limiting-kiss", text_of(s.rate_limiting_kiss)},
    {"interleaved", text_of(s.interleaved)},
    {"client-table-size", text_of(s.client_table_size)},
    {"answer-symmetric-active", text_of(s.answer_symmetric_active)},
    {"require-nts", require_nts_text(s.require_nts)},
    {"accept-ntp-versions", list_text(s.accept_ntp_versions, write_value)},
  };
}

entry_text keys_of(const nts_ke_server_config& s) {
  const auto pair = [](const certificate_pair& p) {
    return fmt::format(
      "{{ certificate-chain-path = {}, private-key-path = {} }}",
      text_of(p.chain), text_of(p.private_key));
  };
  return {
    {"listen", string_text(s.listen.to_string())},
    {"certificates", list_text(s.certificates, pair)},
    {"key-exchange-timeout-ms", text_of(s.key_exchange_timeout)},
    {"concurrent-connections", text_of(s.concurrent_connections)},
    {"longlived-connections", text_of(s.longlived_connections)},
    {"rate-limiting-cutoff-ms", text_of(s.rate_limiting_cutoff)},
    {"rate-limiting-burst", text_of(s.rate_limiting_burst)},
    {"ntp-server", s.ntp_server.empty() ? "" : string_text(s.ntp_server)},
    {"ntp-port", text_of(s.ntp_port)},
    {"aeads", aeads_text(s.aeads)},
  };
}

template <class Entry>
bool has_other_secrets(const Entry&, const Entry&) {
  return false;
}

bool has_other_secrets(const nts_ke_server_config& a,
                       const nts_ke_server_config& b) {
  return a.pool_tokens != b.pool_tokens;
}

std::string name_of(const source_config& s) {
  return "source " + s.address.to_string();
}

std::string name_of(const server_config& s) {
  auto name = "server " + s.listen.to_string();
  return s.interface.empty() ? name : name + " " + s.interface;
}

std::string name_of(const nts_ke_server_config& s) {
  return "nts-ke-server " + s.listen.to_string();
}

/// As an inline table of the keys that `other` has otherwise.
std::string unlike(const entry_text& keys, const entry_text& other) {
  std::string result;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& [key, value] = keys[i];
    if (value != other[i].second)
      result += fmt::format("{}{} = {}", result.empty() ? "" : ", ", key,
                            value.empty() ? "\"\"" : value);
  }
  return "{ " + result + " }";
}

template <class Entry>
changed_key modified(const Entry& from, const Entry& to) {
  const auto before = keys_of(from);
  const auto after = keys_of(to);
  changed_key change{name_of(from), unlike(before, after),
                     unlike(after, before)};
  if (before == after && has_other_secrets(from, to))
    change.from = change.to
      = "{ accepted-pool-authentication-tokens = \"(secret)\" }";
  return change;
}

/// An entry that is new or gone: what it says beyond the defaults.
template <class Entry>
std::string whole(const Entry& entry) {
  return unlike(keys_of(entry), keys_of(Entry{}));
}

template <class Entry>
void compare(const std::vector<Entry>& from, const std::vector<Entry>& to,
             std::vector<changed_key>& result) {
  auto added = missing(to, from);
  for (const auto& gone : missing(from, to)) {
    const auto successor
      = std::find_if(added.begin(), added.end(), [&](const Entry& candidate) {
          return name_of(candidate) == name_of(gone);
        });
    if (successor == added.end()) {
      result.push_back({name_of(gone), whole(gone), ""});
      continue;
    }
    result.push_back(modified(gone, *successor));
    added.erase(successor);
  }
  for (const auto& entry : added)
    result.push_back({name_of(entry), "", whole(entry)});
}

} // namespace

std::vector<changed_key> changed_keys(const daemon_config& from,
                                      const daemon_config& to) {
  std::vector<changed_key> result;
  for (const auto& key : scalar_keys()) {
    auto before = key.text(from);
    auto after = key.text(to);
    if (before != after)
      result.push_back(
        {std::string{key.name}, std::move(before), std::move(after)});
  }
  compare(from.sources, to.sources, result);
  compare(from.servers, to.servers, result);
  compare(from.nts_ke_servers, to.nts_ke_servers, result);
  return result;
}

} // namespace concert::config
