#include "config/migration/ntpd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <utility>

namespace concert::config {

namespace {

constexpr std::size_t most_sources = 1000;
constexpr std::size_t most_listeners = 8;
constexpr std::size_t most_certificates = 100;

constexpr std::string_view no_mode_6
  = "ntpq's and ntpdc's packets are never answered; ntp-ctl asks over a Unix "
    "socket";
constexpr std::string_view no_keys
  = "there are no symmetric keys: use NTS where it matters who answers";
constexpr std::string_view no_broadcast
  = "broadcast, multicast and manycast are not spoken: name the servers";
constexpr std::string_view own_algorithm
  = "Concert's algorithm has no such setting";
constexpr std::string_view no_statistics
  = "[observability] `measurement-log-path` and `tracking-log-path` write JSON "
    "lines; logrotate divides them into files";
constexpr std::string_view no_reference
  = "reference clocks are not supported yet: leave them to the daemon that has "
    "them, on another machine or port, and name it as a [[source]]";

struct foreign_directive {
  std::string_view name;
  fate what;
  std::string_view text;
};

constexpr auto foreign_directives = std::to_array<foreign_directive>({
  {"automax", fate::not_needed, no_keys},
  {"broadcast", fate::lost, no_broadcast},
  {"broadcastclient", fate::lost, no_broadcast},
  {"broadcastdelay", fate::not_needed, no_broadcast},
  {"calldelay", fate::not_needed, own_algorithm},
  {"controlkey", fate::not_needed, no_mode_6},
  {"crypto", fate::lost, "Autokey is insecure and not spoken: use NTS"},
  {"dscp", fate::lost, "packets leave without a mark: set it by nftables"},
  {"keys", fate::not_needed,
   "there are no symmetric keys; where a source has one, its line says so"},
  {"keysdir", fate::not_needed, no_keys},
  {"leapsmearinterval", fate::lost, "the time served is never smeared"},
  {"logconfig", fate::not_needed,
   "[observability] `log-level` says how much is logged"},
  {"manycastclient", fate::lost, no_broadcast},
  {"manycastserver", fate::lost, no_broadcast},
  {"mru", fate::not_needed,
   "`client-table-size` says how many clients are remembered"},
  {"multicastclient", fate::lost, no_broadcast},
  {"pidfile", fate::not_needed, "systemd knows the process"},
  {"pollskewlist", fate::not_needed, own_algorithm},
  {"refclock", fate::lost, no_reference},
  {"requestkey", fate::not_needed, no_mode_6},
  {"reset", fate::not_needed, "counters begin at 0 with the daemon"},
  {"revoke", fate::not_needed, no_keys},
  {"rlimit", fate::not_needed, "the service's unit limits resources"},
  {"saveconfigdir", fate::not_needed, "`ntp-ctl persist` keeps changes"},
  {"setvar", fate::not_needed, no_mode_6},
  {"simulate", fate::lost, "ntp-sim simulates, with files of its own"},
  {"statistics", fate::changed, no_statistics},
  {"filegen", fate::not_needed, no_statistics},
  {"statsdir", fate::not_needed, no_statistics},
  {"trap", fate::lost, "no traps are sent: use the metrics' alert rules"},
  {"trustedkey", fate::not_needed, no_keys},
  {"ttl", fate::not_needed, no_broadcast},
  {"unpeer", fate::lost, "leave the source out instead"},
});

constexpr auto foreign_options = std::to_array<foreign_option>({
  {"aead", 1, fate::not_needed, "all ciphers that Concert knows are offered"},
  {"ask", 1, fate::lost, "a key exchange names its server itself"},
  {"autokey", 0, fate::lost, "Autokey is insecure and not spoken: use NTS"},
  {"bias", 1, fate::lost, "set `offset` instead; mind its sign"},
  {"burst", 0, fate::not_needed, own_algorithm},
  {"cert", 1, fate::lost, "clients show no certificate"},
  {"expire", 1, fate::lost, "keys are exchanged anew when cookies run out"},
  {"key", 1, fate::lost,
   "there are no symmetric keys: this source is asked without authentication; "
   "use NTS if the server has it"},
  {"mode", 1, fate::lost, no_reference},
  {"noval", 0, fate::lost, "certificates are always checked"},
  {"preempt", 0, fate::not_needed, own_algorithm},
  {"require", 1, fate::lost, "a key exchange names its server itself"},
  {"true", 0, fate::lost,
   "no source survives against a majority; see `prefer`"},
  {"ttl", 1, fate::not_needed, no_broadcast},
});

/// The number of leading ones of a mask such as 255.255.0.0.
std::optional<int> mask_length(std::string_view text) {
  const auto mask = ntp::ip_address::parse(text);
  if (!mask)
    return std::nullopt;
  const int octets = mask->is_v4() ? 4 : 16;
  int length = 0;
  for (int i = 0; i < octets; ++i) {
    const int ones
      = std::countl_one(mask->octets()[static_cast<std::size_t>(i)]);
    length += ones;
    if (ones < 8)
      break;
  }
  return length;
}

/// 127.127.t.u, by which ntpd means a reference clock; its type.
std::optional<int> reference_type(std::string_view host) {
  const auto address = ntp::ip_address::parse(host);
  if (!address || !address->is_v4())
    return std::nullopt;
  const auto& o = address->octets();
  return o[0] == 127 && o[1] == 127 ? std::optional<int>{o[2]} : std::nullopt;
}
constexpr int local_clock = 1;

class ntpd_reader : directive_reader {
public:
  explicit ntpd_reader(script& s) : directive_reader(s) {}

  plan read(std::string_view text, std::string_view name) {
    plan_.top.set_text("on-panic", "exit");
    plan_.access.set(whole_family(true), true);
    plan_.access.set(whole_family(false), true);
    script_.read(text, name, use_);
    finish();
    return std::move(plan_);
  }

private:
  using member = void (ntpd_reader::*)(const directive&);
  static const std::map<std::string_view, member>& members();

  void use(const directive& d);
  void on_include(const directive& d);
  void on_source(const directive& d);
  void on_source_option(const directive& d, std::size_t& i,
                        source_plan& source);
  bool take_number(std::string_view name, std::string_view text,
                   source_plan& source);
  void on_fudge(const directive& d);
  void on_local_clock(const directive& d, std::int64_t stratum);
  void on_restrict(const directive& d);
  void on_restrict_flags(const directive& d, const ntp::ip_prefix& range,
                         std::size_t first_flag);
  void on_discard(const directive& d);
  void on_interface(const directive& d);
  void on_driftfile(const directive& d);
  void on_leapfile(const directive& d);
  void on_logfile(const directive& d);
  void on_tinker(const directive& d);
  void on_tos(const directive& d);
  void on_switch(const directive& d);
  void on_nts(const directive& d);

  void finish();

  script::handler use_ = [this](const directive& d) { use(d); };
  plan plan_;
  std::vector<std::string> authorities_; ///< of all sources with NTS
  rate_plan rate_;
  bool rate_limited_ = false;
  bool kiss_ = false;
  bool serves_keys_ = false;
  bool only_listed_ = false; ///< `interface ignore wildcard` or the like
};

void ntpd_reader::on_include(const directive& d) {
  if (d.words.empty())
    return bad_value(d);
  script_.include(d, d.word(0), use_);
}

bool ntpd_reader::take_number(std::string_view name, std::string_view text,
                              source_plan& source) {
  const auto n = to_integer(text);
  if (!n)
    return false;
  if (name == "minpoll")
    source.min_poll = n;
  else if (name == "maxpoll")
    source.max_poll = n;
  else if (*n == 3 || *n == 4)
    source.version = *n;
  else
    return false;
  return true;
}

void ntpd_reader::on_source_option(const directive& d, std::size_t& i,
                                   source_plan& source) {
  const auto name = d.word(i);
  const std::pair<std::string_view, bool*> flags[]
    = {{"iburst", &source.iburst},
       {"prefer", &source.prefer},
       {"noselect", &source.noselect},
       {"xleave", &source.interleaved},
       {"nts", &source.nts}};
  for (const auto& [known, field] : flags)
    if (name == known) {
      *field = true;
      return;
    }
  if (name == "minpoll" || name == "maxpoll" || name == "version") {
    const auto value = d.word(++i);
    if (!take_number(name, value, source))
      script_.note_part(d, fmt::format("{} {}", name, value), fate::lost,
                        "the value is none that Concert takes");
    return;
  }
  if (name == "ca") {
    if (const auto file = d.word(++i); !file.empty())
      source.authorities.assign(1, std::string{file});
    script_.note_part(d, name, fate::changed,
                      "the system's authorities are trusted as well");
    return;
  }
  const auto* found
    = std::find_if(foreign_options.begin(), foreign_options.end(),
                   [&](const auto& o) { return o.name == name; });
  if (found == foreign_options.end())
    return script_.note_part(d, name, fate::lost, "an unknown option");
  i += found->values;
  script_.note_part(d, found->name, found->what, std::string{found->text});
}

void ntpd_reader::on_source(const directive& d) {
  std::size_t i = 0;
  const bool family = d.word(0) == "-4" || d.word(0) == "-6";
  if (family)
    script_.note_part(d, d.word(i++), fate::lost,
                      "give the address to have only one family");
  std::string_view host = d.word(i);
  if (const auto type = reference_type(host)) {
    if (*type == local_clock)
      on_local_clock(d, 5);
    else
      lost(d, std::string{no_reference});
    return;
  }
  source_plan source;
  // ntpsec: the port of the key exchange may follow the name.
  if (const auto colon = host.find(':');
      colon != std::string_view::npos
      && host.find(':', colon + 1) == std::string_view::npos)
    if (const auto port = to_integer(host.substr(colon + 1));
        port && *port > 0 && *port <= 65535) {
      source.ke_port = static_cast<std::uint16_t>(*port);
      source.port = source.ke_port;
      host = host.substr(0, colon);
    }
  if (!is_host(host))
    return lost(d, "this is neither a host name nor an address");
  if (plan_.sources.size() >= most_sources)
    return lost(d, "there are too many sources");
  source.host = host;
  source.pool = d.name == "pool";
  for (++i; i < d.words.size(); ++i)
    on_source_option(d, i, source);
  if (source.nts)
    source.port = 123;
  else
    source.ke_port = 4460;
  if (d.name == "peer") {
    plan_.answers_peers = true;
    changed(d, "it is asked as a server; the other side must ask this machine, "
               "and not rely on peering");
  } else if (source.nts && source.pool) {
    changed(d, "with NTS the name stands for one source; write one [[source]] "
               "for each server to have several");
  } else {
    carried(d,
            source.pool ? "4 of the pool are asked at a time (`count`)" : "");
  }
  plan_.sources.push_back(std::move(source));
}

/// ntpd counts that clock as a source, and serves one stratum more.
void ntpd_reader::on_local_clock(const directive& d, std::int64_t stratum) {
  const auto served = std::clamp<std::int64_t>(stratum, 0, 14) + 1;
  plan_.synchronization.set("local-stratum", toml_integer(served));
  changed(d, fmt::format("without a source stratum {} is served; sources of "
                         "that stratum and above are not followed",
                         served));
}

void ntpd_reader::on_fudge(const directive& d) {
  if (reference_type(d.word(0)) != local_clock)
    return lost(d, std::string{no_reference});
  for (std::size_t i = 1; i + 1 < d.words.size(); ++i)
    if (d.word(i) == "stratum")
      if (const auto stratum = to_integer(d.word(i + 1)))
        return on_local_clock(d, *stratum);
  script_.note(d, fate::not_needed, {});
}

void ntpd_reader::on_restrict(const directive& d) {
  std::size_t i = 0;
  std::optional<bool> v4;
  if (d.word(0) == "-4" || d.word(0) == "-6")
    v4 = d.word(i++) == "-4";
  const auto who = d.word(i++);
  if (who == "source")
    return script_.note(d, fate::not_needed,
                        "sources are never answered but by their own rules");
  if (who == "default") {
    for (const bool family : {true, false})
      if (v4.value_or(family) == family)
        on_restrict_flags(d, whole_family(family), i);
    return;
  }
  auto range = parse_range(who);
  if (!range || who.find_first_of(".:") == std::string_view::npos)
    return lost(d, "only addresses and ranges of them can be told, not names");
  if (d.word(i) == "mask") {
    const auto length = mask_length(d.word(i + 1));
    if (!length)
      return bad_value(d);
    range = ntp::ip_prefix::parse(
      fmt::format("{}/{}", range->network.to_string(), *length));
    if (!range)
      return bad_value(d);
    i += 2;
  }
  on_restrict_flags(d, *range, i);
}

void ntpd_reader::on_restrict_flags(const directive& d,
                                    const ntp::ip_prefix& range,
                                    std::size_t first_flag) {
  const auto has = [&](std::string_view flag) {
    return std::find(d.words.begin()
                       + static_cast<std::ptrdiff_t>(
                         std::min(first_flag, d.words.size())),
                     d.words.end(), flag)
           != d.words.end();
  };
  const bool lifted = d.name == "unrestrict";
  const bool refuses
    = !lifted && (has("ignore") || has("noserve") || has("notrust"));
  if (!lifted || has("ignore") || has("noserve") || has("notrust"))
    if (!plan_.access.set(range, !refuses))
      return lost(d, "there are too many ranges");
  if (has("mssntp"))
    script_.note_part(d, "mssntp", fate::lost, "MS-SNTP is not spoken");
  if (has("limited") && range.length == 0) {
    rate_limited_ = !lifted;
    kiss_ = kiss_ || has("kod");
  } else if (has("limited") && !lifted) {
    script_.note_part(d, "limited", fate::changed,
                      "the rate limit holds for all clients or for none");
  }
  carried(d, has("noquery") || has("nomodify") ? std::string{no_mode_6}
                                               : std::string{});
}

void ntpd_reader::on_discard(const directive& d) {
  for (std::size_t i = 0; i + 1 < d.words.size(); i += 2) {
    const auto value = to_integer(d.word(i + 1));
    if (!value)
      return bad_value(d);
    const auto bounded
      = static_cast<int>(std::clamp<std::int64_t>(*value, 0, 16));
    // ntpd counts in powers of two, ntpsec (`limit`) in seconds.
    if (d.word(i) == "average")
      rate_.spacing_s = d.name == "discard"
                          ? std::ldexp(1.0, bounded)
                          : static_cast<double>(std::max(bounded, 1));
    else if (d.word(i) == "burst")
      rate_.burst = *value;
  }
  changed(d, "a client's mean spacing counts, and quick polls at its start "
             "pass (`rate-limiting-burst`)");
}

void ntpd_reader::on_interface(const directive& d) {
  const auto action = d.word(0);
  const auto what = d.word(1);
  if (action != "listen") {
    only_listed_ |= what == "wildcard" || what == "all" || what == "ipv4"
                    || what == "ipv6";
    if (what == "ipv4" || what == "ipv6")
      plan_.access.set_all(whole_family(what == "ipv4"), false);
    return changed(d, "Concert listens where [[server]] says, and nowhere "
                      "else");
  }
  const auto listen
    = [&](const ntp::ip_address& address, std::string_view interface) {
        if (plan_.listen.size() < most_listeners)
          plan_.listen.push_back({address, std::string{interface}});
      };
  if (const auto address = ntp::ip_address::parse(what)) {
    listen(*address, {});
  } else if (what == "wildcard" || what == "all" || what == "ipv4"
             || what == "ipv6") {
    for (const bool v4 : {true, false})
      if (what != (v4 ? "ipv6" : "ipv4"))
        listen(whole_family(v4).network, {});
  } else if (is_interface(what)) {
    for (const bool v4 : {true, false})
      listen(whole_family(v4).network, what);
  } else {
    return bad_value(d);
  }
  carried(d);
}

void ntpd_reader::on_driftfile(const directive& d) {
  script_.note(d, fate::not_needed,
               "the state file is /var/lib/concert/state; the frequency is "
               "taken from the kernel at the first start");
}

void ntpd_reader::on_leapfile(const directive& d) {
  if (d.words.empty())
    return bad_value(d);
  plan_.top.set_text("leap-seconds-file", d.words[0]);
  carried(d);
}

void ntpd_reader::on_logfile(const directive& d) {
  script_.note(d, fate::not_needed,
               "the log goes to the journal; [observability] `log-path` names "
               "a file instead");
}

void ntpd_reader::on_tinker(const directive& d) {
  for (std::size_t i = 0; i < d.words.size(); i += 2) {
    const auto name = d.word(i);
    const auto value = to_number(d.word(i + 1));
    if (name == "panic" && value && *value >= 0) {
      auto& keys = plan_.synchronization;
      if (*value == 0) {
        keys.set_text("single-step-panic-threshold", "inf");
        keys.set_text("startup-step-panic-threshold", "inf");
      } else {
        keys.set("single-step-panic-threshold", toml_number(*value));
      }
      script_.note_part(d, "tinker panic", fate::carried_over, {});
    } else if (name == "step" || name == "stepback" || name == "stepfwd") {
      script_.note_part(d, fmt::format("tinker {}", name), fate::changed,
                        "the clock is stepped if it is more than 10 ms off at "
                        "the start, later if more than 0.5 s");
    } else {
      script_.note_part(d, fmt::format("tinker {}", name), fate::not_needed,
                        std::string{own_algorithm});
    }
  }
}

void ntpd_reader::on_tos(const directive& d) {
  for (std::size_t i = 0; i < d.words.size(); i += 2) {
    const auto name = d.word(i);
    const auto value = to_integer(d.word(i + 1));
    if (name == "minsane" && value && *value >= 0 && *value <= 1000) {
      plan_.synchronization.set(
        "minimum-agreeing-sources",
        toml_integer(std::max<std::int64_t>(*value, 1)));
      script_.note_part(d, "tos minsane", fate::carried_over, {});
    } else if (name == "orphan" && value) {
      if (*value < 16)
        on_local_clock(d, *value);
    } else if (name == "maxclock" || name == "minclock") {
      script_.note_part(d, fmt::format("tos {}", name), fate::not_needed,
                        "`count` of a pool says how many are asked");
    } else {
      script_.note_part(d, fmt::format("tos {}", name), fate::not_needed,
                        std::string{own_algorithm});
    }
  }
}

void ntpd_reader::on_switch(const directive& d) {
  for (const auto& what : d.words) {
    const auto part = fmt::format("{} {}", d.name, what);
    if (what == "ntp" && d.name == "disable")
      script_.note_part(d, part, fate::lost,
                        "start the daemon with --no-adjust, or with [clock] "
                        "kind = \"read-only\"");
    else if (what == "stats")
      script_.note_part(d, part, fate::not_needed, std::string{no_statistics});
    else
      script_.note_part(d, part, fate::not_needed, {});
  }
}

void ntpd_reader::on_nts(const directive& d) {
  for (std::size_t i = 0; i < d.words.size(); ++i) {
    const auto name = d.word(i);
    if (name == "enable" || name == "disable") {
      serves_keys_ = name == "enable";
      script_.note_part(d, fmt::format("nts {}", name), fate::carried_over, {});
      continue;
    }
    const auto value = std::string{d.word(++i)};
    const auto part = fmt::format("nts {} {}", name, value);
    const bool room = plan_.certificates.size() < most_certificates
                      && plan_.private_keys.size() < most_certificates;
    if (!value.empty() && name == "cert" && room) {
      plan_.certificates.assign(1, value);
      script_.note_part(d, part, fate::carried_over, {});
    } else if (!value.empty() && name == "key" && room) {
      plan_.private_keys.assign(1, value);
      script_.note_part(d, part, fate::carried_over,
                        "Concert's user must be able to read it");
    } else if (name == "cookie") {
      plan_.keyset.set_text("key-storage-path", "/var/lib/concert/nts-keys");
      script_.note_part(d, part, fate::changed,
                        "keys are kept in /var/lib/concert/nts-keys; present "
                        "cookies become void");
    } else if (!value.empty() && name == "ca") {
      authorities_.assign(1, value);
      script_.note_part(d, part, fate::changed,
                        "the system's authorities are trusted as well");
    } else {
      script_.note_part(d, part, fate::not_needed,
                        "TLS 1.3 with the ciphers that it prescribes");
    }
  }
}

const std::map<std::string_view, ntpd_reader::member>& ntpd_reader::members() {
  using r = ntpd_reader;
  static const std::map<std::string_view, member> result{
    {"includefile", &r::on_include},
    {"server", &r::on_source},
    {"pool", &r::on_source},
    {"peer", &r::on_source},
    {"fudge", &r::on_fudge},
    {"restrict", &r::on_restrict},
    {"unrestrict", &r::on_restrict},
    {"discard", &r::on_discard},
    {"limit", &r::on_discard},
    {"interface", &r::on_interface},
    {"nic", &r::on_interface},
    {"driftfile", &r::on_driftfile},
    {"leapfile", &r::on_leapfile},
    {"logfile", &r::on_logfile},
    {"tinker", &r::on_tinker},
    {"tos", &r::on_tos},
    {"enable", &r::on_switch},
    {"disable", &r::on_switch},
    {"nts", &r::on_nts},
  };
  return result;
}

void ntpd_reader::use(const directive& d) {
  if (const auto found = members().find(d.name); found != members().end())
    return (this->*found->second)(d);
  const auto* foreign
    = std::find_if(foreign_directives.begin(), foreign_directives.end(),
                   [&](const auto& f) { return f.name == d.name; });
  // Only the name: what follows may be a password.
  if (foreign == foreign_directives.end())
    script_.note_part(d, d.name, fate::lost, "an unknown directive");
  else
    script_.note_part(d, d.name, foreign->what, std::string{foreign->text});
}

/// What depends on more than one directive.
void ntpd_reader::finish() {
  if (rate_limited_) {
    rate_.leak = 16;
    rate_.kiss = kiss_ ? 4 : 0;
    plan_.rate = rate_;
  }
  if (!serves_keys_) {
    plan_.certificates.clear();
    plan_.private_keys.clear();
  }
  for (auto& source : plan_.sources)
    if (source.nts && source.authorities.empty())
      source.authorities = authorities_;
  if (!plan_.synchronization.has("minimum-agreeing-sources")
      && !plan_.sources.empty()) {
    plan_.synchronization.set("minimum-agreeing-sources", toml_integer(1));
    plan_.synchronization.comment("As ntpd without `tos minsane`. Without this "
                                  "line a majority of the sources,");
    plan_.synchronization.comment("at most 3, must agree, which is safer.");
  }
  // Told not to listen anywhere, and nowhere else.
  if (only_listed_ && plan_.listen.empty())
    plan_.port = 0;
}

} // namespace

plan read_ntpd(script& s, std::string_view text, std::string_view name) {
  return ntpd_reader{s}.read(text, name);
}

} // namespace concert::config
