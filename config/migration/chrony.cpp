#include "config/migration/chrony.hpp"

#include "config/migration/chrony_source.hpp"
#include "ntp_core/nts/ke_server_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

namespace concert::config {

namespace {

constexpr std::size_t most_sources = 1000;
constexpr std::size_t most_certificates = 100;
constexpr std::size_t most_authorities = 10;
/// Memory that chrony takes for one client with its time stamps, octets.
constexpr std::int64_t octets_a_client = 128;

constexpr std::string_view by_itself = "Concert finds that out by itself";
constexpr std::string_view own_algorithm
  = "Concert's algorithm has no such setting";
constexpr std::string_view no_tcp_control
  = "ntp-ctl asks over Unix sockets only, so that there is nothing to open";
constexpr std::string_view no_reference
  = "reference clocks are not supported yet: leave them to the daemon that has "
    "them, on another machine or port, and name it as a [[source]]";

struct foreign_directive {
  std::string_view name;
  fate what;
  std::string_view text;
};

constexpr auto foreign_directives = std::to_array<foreign_directive>({
  {"acquisitionport", fate::lost,
   "each request leaves from a port of its own, chosen at random"},
  {"bindacqaddress", fate::lost, "the routes choose the address"},
  {"bindacqdevice", fate::lost, "the routes choose the interface"},
  {"bindcmdaddress", fate::not_needed, no_tcp_control},
  {"bindcmddevice", fate::not_needed, no_tcp_control},
  {"broadcast", fate::lost, "broadcast is not spoken: let clients ask"},
  {"clockprecision", fate::not_needed, by_itself},
  {"cmdallow", fate::lost,
   "ntp-ctl asks over Unix sockets only: use ssh for other machines"},
  {"cmddeny", fate::not_needed, no_tcp_control},
  {"cmdport", fate::not_needed, no_tcp_control},
  {"cmdratelimit", fate::not_needed, no_tcp_control},
  {"commandkey", fate::not_needed, no_tcp_control},
  {"corrtimeratio", fate::not_needed, own_algorithm},
  {"dscp", fate::lost, "packets leave without a mark: set it by nftables"},
  {"dumpdir", fate::not_needed, "the state file keeps what outlasts a restart"},
  {"dumponexit", fate::not_needed,
   "the state file keeps what outlasts a restart"},
  {"fallbackdrift", fate::not_needed, own_algorithm},
  {"generatecommandkey", fate::not_needed, no_tcp_control},
  {"hwclockfile", fate::not_needed, "the kernel keeps the RTC right"},
  {"hwtimestamp", fate::lost,
   "stamps are the kernel's so far, not those of the card"},
  {"hwtstimeout", fate::not_needed, "stamps are the kernel's"},
  {"keyfile", fate::not_needed,
   "there are no symmetric keys; where a source has one, its line says so"},
  {"linux_freq_scale", fate::not_needed, by_itself},
  {"linux_hz", fate::not_needed, by_itself},
  {"lock_all", fate::not_needed,
   "stamps are the kernel's, so that a late daemon measures as well"},
  {"logbanner", fate::not_needed, "measurement logs are JSON lines"},
  {"logchange", fate::not_needed,
   "steps are always logged, and the state when it changes"},
  {"mailonchange", fate::lost,
   "no mail is sent: use `ntp-ctl check` or the metrics' alert rules"},
  {"manual", fate::lost, "time cannot be typed in"},
  {"maxclockerror", fate::not_needed, own_algorithm},
  {"maxdistance", fate::not_needed,
   "sources whose error is too large to say anything have no vote"},
  {"maxdrift", fate::not_needed, own_algorithm},
  {"maxjitter", fate::not_needed, own_algorithm},
  {"maxsamples", fate::not_needed, own_algorithm},
  {"maxstratum", fate::lost,
   "only `local-stratum` limits it: sources below that are followed"},
  {"maxtxbuffers", fate::not_needed, "stamps are the kernel's"},
  {"maxupdateskew", fate::not_needed, own_algorithm},
  {"minsamples", fate::not_needed, own_algorithm},
  {"minstratum", fate::lost, "a source's stratum is taken as it is"},
  {"nosystemcert", fate::lost,
   "`certificate-authority` adds to the system's authorities; sources with "
   "NTS trust those as well"},
  {"ntpsigndsocket", fate::lost, "MS-SNTP is not spoken: leave it to chronyd"},
  {"ntsrefresh", fate::not_needed,
   "keys are exchanged anew when cookies run out"},
  {"opencommands", fate::not_needed, no_tcp_control},
  {"pidfile", fate::not_needed, "systemd knows the process"},
  {"ptpdomain", fate::lost, "NTP over PTP is not spoken"},
  {"ptpport", fate::lost, "NTP over PTP is not spoken"},
  {"refclock", fate::lost, no_reference},
  {"refresh", fate::not_needed,
   "names are resolved again when a source falls silent"},
  {"reselectdist", fate::not_needed, own_algorithm},
  {"rtcautotrim", fate::lost, "the RTC is set by the kernel only"},
  {"rtcdevice", fate::lost, "the RTC is set by the kernel only"},
  {"rtcfile", fate::lost, "the RTC is set by the kernel only"},
  {"rtconutc", fate::not_needed, "the kernel knows"},
  {"rtcsync", fate::carried_over,
   "always so: while synchronized, the kernel sets the RTC"},
  {"sched_priority", fate::not_needed,
   "stamps are the kernel's, so that a late daemon measures as well"},
  {"smoothtime", fate::lost, "the time served is never smoothed or smeared"},
  {"stratumweight", fate::not_needed, own_algorithm},
  {"tempcomp", fate::lost,
   "temperatures are not read: the wander is learnt instead"},
  {"user", fate::not_needed,
   "the service's unit says as which user Concert runs"},
});

std::string directory_pattern(std::string_view directory,
                              std::string_view suffix) {
  return fmt::format("{}{}*{}", directory, directory.ends_with('/') ? "" : "/",
                     suffix);
}

class chrony_reader : directive_reader {
public:
  explicit chrony_reader(script& s) : directive_reader(s) {}

  plan read(std::string_view text, std::string_view name) {
    script_.read(text, name, use_);
    finish();
    return std::move(plan_);
  }

private:
  using member = void (chrony_reader::*)(const directive&);
  static const std::map<std::string_view, member>& members();

  void use(const directive& d);
  // -- files ------------------------------------------------------------------
  void on_include(const directive& d);
  void on_directory(const directive& d);
  // -- sources ----------------------------------------------------------------
  void on_source(const directive& d);
  void on_minsources(const directive& d);
  void on_authselectmode(const directive& d);
  void on_combinelimit(const directive& d);
  void on_initstepslew(const directive& d);
  void on_aeads(const directive& d);
  void on_trusted_certificates(const directive& d);
  void on_no_certificate_time(const directive& d);
  void on_nts_directory(const directive& d);
  // -- the clock --------------------------------------------------------------
  void on_makestep(const directive& d);
  void on_maxchange(const directive& d);
  void on_maxslewrate(const directive& d);
  void on_driftfile(const directive& d);
  void on_leap_list(const directive& d);
  void on_leap_zone(const directive& d);
  void on_leap_mode(const directive& d);
  // -- service ----------------------------------------------------------------
  void on_access(const directive& d);
  void on_local(const directive& d);
  void on_port(const directive& d);
  void on_bind_address(const directive& d);
  void on_bind_device(const directive& d);
  void on_rate_limit(const directive& d);
  void on_client_log(const directive& d);
  void on_no_client_log(const directive& d);
  void on_certificate(const directive& d);
  void on_nts_rate_limit(const directive& d);
  void on_nts_number(const directive& d);
  void on_nts_name(const directive& d);
  void on_rotation(const directive& d);
  // -- logs -------------------------------------------------------------------
  void on_log_directory(const directive& d);
  void on_log(const directive& d);

  void finish();

  script::handler use_ = [this](const directive& d) { use(d); };
  plan plan_;
  std::vector<chrony_source> sources_;
  std::map<std::int64_t, std::vector<std::string>> authorities_; ///< by set
  std::string auth_mode_ = "mix";
  std::string interface_;
  std::int64_t processes_ = 1;
  std::int64_t connections_ = 100;
};

/// The values of words such as "interval 3 burst 8"; wrong ones are left out.
std::map<std::string_view, std::int64_t> named_integers(const directive& d) {
  std::map<std::string_view, std::int64_t> result;
  for (std::size_t i = 0; i + 1 < d.words.size(); i += 2)
    if (const auto value = to_integer(d.word(i + 1)))
      result[d.word(i)] = *value;
  return result;
}

std::int64_t value_or(const std::map<std::string_view, std::int64_t>& values,
                      std::string_view name, std::int64_t fallback) {
  const auto found = values.find(name);
  return found == values.end() ? fallback : found->second;
}

void chrony_reader::on_include(const directive& d) {
  script_.include(d, d.word(0), use_);
}

void chrony_reader::on_directory(const directive& d) {
  const auto suffix = d.name == "confdir" ? ".conf" : ".sources";
  for (const auto& directory : d.words)
    script_.include(d, directory_pattern(directory, suffix), use_);
}

void chrony_reader::on_source(const directive& d) {
  if (sources_.size() >= most_sources) {
    lost(d, "there are too many sources");
    return;
  }
  auto source = read_chrony_source(script_, d);
  if (!source)
    return;
  plan_.answers_peers |= d.name == "peer";
  sources_.push_back(std::move(*source));
}

void chrony_reader::on_minsources(const directive& d) {
  const auto n = to_integer(d.word(0));
  if (!n || *n < 1 || *n > 1000)
    return bad_value(d);
  plan_.synchronization.set("minimum-agreeing-sources", toml_integer(*n));
  carried(d);
}

void chrony_reader::on_authselectmode(const directive& d) {
  auth_mode_ = d.word(0);
  if (auth_mode_ == "require")
    carried(d, "sources without NTS are watched only (`noselect`)");
  else if (auth_mode_ == "ignore")
    carried(d);
  else
    changed(d, "sources with NTS and without it have equal votes: mark those "
               "without as `noselect` if they are not to vote");
}

void chrony_reader::on_combinelimit(const directive& d) {
  const auto ratio = to_number(d.word(0));
  if (!ratio || *ratio != 0)
    return script_.note(d, fate::not_needed, std::string{own_algorithm});
  plan_.synchronization.set("combine-limit", toml_integer(1));
  carried(d);
}

void chrony_reader::on_initstepslew(const directive& d) {
  changed(d, "at the start the clock is stepped if it is more than 10 ms off, "
             "by the [[source]] entries");
}

void chrony_reader::on_aeads(const directive& d) {
  std::vector<std::string> known;
  for (const auto& word : d.words)
    if (const auto id = to_integer(word);
        id && ((*id >= 15 && *id <= 17) || *id == 30)
        && std::find(known.begin(), known.end(), toml_integer(*id))
             == known.end())
      known.push_back(toml_integer(*id));
  if (known.empty())
    return bad_value(d);
  plan_.aeads = toml_list(known);
  carried(d);
}

void chrony_reader::on_trusted_certificates(const directive& d) {
  const auto set = d.words.size() > 1 ? to_integer(d.word(0)) : 0;
  const auto path = d.words.empty() ? std::string{} : d.words.back();
  if (!set || path.empty())
    return bad_value(d);
  auto& files = authorities_[*set];
  if (files.size() >= most_authorities)
    return lost(d, "there are too many authorities");
  files.push_back(path);
  changed(d, "the system's authorities are trusted as well. It must be a "
             "file, not a directory");
}

void chrony_reader::on_no_certificate_time(const directive& d) {
  if (to_integer(d.word(0)).value_or(0) <= 0)
    return carried(d);
  plan_.after_first_sync = true;
  changed(d, "times in certificates count once the clock has been set "
             "(`certificate-time-check`)");
}

void chrony_reader::on_nts_directory(const directive& d) {
  plan_.keyset.set_text("key-storage-path", "/var/lib/concert/nts-keys");
  changed(d, "a server's keys are kept in /var/lib/concert/nts-keys; clients "
             "exchange keys again after a restart. Present cookies become "
             "void");
}

void chrony_reader::on_makestep(const directive& d) {
  const auto threshold = to_number(d.word(0));
  const auto times = to_integer(d.word(1));
  if (!threshold || !times)
    return bad_value(d);
  plan_.synchronization.set_text("startup-step-panic-threshold", "inf");
  // `maxchange` limits these steps, wherever it stands.
  if (*times < 0 && !plan_.synchronization.has("single-step-panic-threshold"))
    plan_.synchronization.set_text("single-step-panic-threshold", "inf");
  changed(d, fmt::format(
               "at the start the clock is stepped once if it is more than "
               "10 ms off; later if more than 0.5 s, after three samples of a "
               "majority, at most once an hour and {}",
               *times < 0 ? "however far"
                          : "up to 1000 s: `single-step-panic-threshold` "
                            "says how far"));
}

void chrony_reader::on_maxchange(const directive& d) {
  const auto threshold = to_number(d.word(0));
  const auto ignored = to_integer(d.word(2));
  if (!threshold || !ignored || *threshold < 0)
    return bad_value(d);
  plan_.synchronization.set("single-step-panic-threshold",
                            toml_number(*threshold));
  if (*ignored >= 0)
    plan_.top.set_text("on-panic", "exit");
  changed(d, "the limit holds once the clock has been set; larger offsets are "
             "not ignored some times first");
}

void chrony_reader::on_maxslewrate(const directive& d) {
  const auto ppm = to_number(d.word(0));
  if (!ppm || *ppm <= 0)
    return bad_value(d);
  plan_.algorithm.set("slew-maximum-frequency-offset",
                      toml_number(std::clamp(*ppm * 1e-6, 1e-6, 1e-3)));
  if (*ppm > 1000)
    changed(d, "slews are at most 1000 ppm fast");
  else
    carried(d);
}

void chrony_reader::on_driftfile(const directive& d) {
  script_.note(d, fate::not_needed,
               "the state file is /var/lib/concert/state; the frequency is "
               "taken from the kernel at the first start");
}

void chrony_reader::on_leap_list(const directive& d) {
  if (d.words.empty())
    return bad_value(d);
  plan_.top.set_text("leap-seconds-file", d.words[0]);
  carried(d);
}

void chrony_reader::on_leap_zone(const directive& d) {
  if (!plan_.top.has("leap-seconds-file"))
    plan_.top.set_text("leap-seconds-file",
                       "/usr/share/zoneinfo/leap-seconds.list");
  changed(d, "leap seconds are read from a list, which the package tzdata "
             "brings along with the time zones");
}

void chrony_reader::on_leap_mode(const directive& d) {
  if (d.word(0) == "system")
    carried(d);
  else
    lost(d, "the kernel inserts a leap second; it is neither slewed nor "
            "ignored");
}

void chrony_reader::on_access(const directive& d) {
  const bool allowed = d.name == "allow";
  const bool all = d.word(0) == "all";
  const auto range = d.word(all ? 1 : 0);
  bool taken = true;
  const auto set = [&](const ntp::ip_prefix& r) {
    taken
      &= all ? plan_.access.set_all(r, allowed) : plan_.access.set(r, allowed);
  };
  if (range.empty()) {
    set(whole_family(true));
    set(whole_family(false));
  } else if (const auto parsed = parse_range(range)) {
    set(*parsed);
  } else {
    return lost(d, "only addresses and ranges of them can be told, not names");
  }
  if (taken)
    carried(d);
  else
    lost(d, "there are too many ranges");
}

void chrony_reader::on_local(const directive& d) {
  std::int64_t stratum = 10;
  bool more = false;
  for (std::size_t i = 0; i < d.words.size(); ++i) {
    if (d.word(i) == "stratum")
      stratum = to_integer(d.word(++i)).value_or(stratum);
    else
      more = true;
  }
  stratum = std::clamp<std::int64_t>(stratum, 1, 15);
  plan_.synchronization.set("local-stratum", toml_integer(stratum));
  changed(d, fmt::format(
               "without a source stratum {} is served; sources of "
               "that stratum and above are not followed{}",
               stratum, more ? ". The other options have no counterpart" : ""));
}

void chrony_reader::on_port(const directive& d) {
  const auto port = to_integer(d.word(0));
  if (!port || *port < 0 || *port > 65535)
    return bad_value(d);
  plan_.port = static_cast<std::uint16_t>(*port);
  carried(d);
}

void chrony_reader::on_bind_address(const directive& d) {
  const auto address = ntp::ip_address::parse(d.word(0));
  if (!address)
    return bad_value(d);
  std::erase_if(plan_.listen, [&](const auto& place) {
    return place.address.is_v4() == address->is_v4();
  });
  plan_.listen.push_back({*address, {}});
  carried(d);
}

void chrony_reader::on_bind_device(const directive& d) {
  if (!is_interface(d.word(0)))
    return bad_value(d);
  interface_ = d.word(0);
  carried(d);
}

void chrony_reader::on_rate_limit(const directive& d) {
  const auto given = named_integers(d);
  const auto power = [](std::int64_t exponent, std::int64_t low,
                        std::int64_t high) {
    return std::ldexp(1.0, static_cast<int>(std::clamp(exponent, low, high)));
  };
  rate_plan rate;
  rate.spacing_s = power(value_or(given, "interval", 3), -19, 12);
  rate.burst = value_or(given, "burst", 8);
  rate.leak = std::llround(power(value_or(given, "leak", 2), 1, 4));
  const auto kiss = value_or(given, "kod", 0);
  rate.kiss = kiss > 0 ? std::llround(power(kiss, 1, 4)) : 0;
  plan_.rate = rate;
  carried(d, "one client is an IPv4 address or an IPv6 /64; each worker counts "
             "for itself");
}

void chrony_reader::on_client_log(const directive& d) {
  const auto octets = to_integer(d.word(0));
  if (!octets || *octets < 1)
    return bad_value(d);
  plan_.clients = std::max<std::int64_t>(*octets / octets_a_client, 1);
  changed(d, fmt::format("room for {} clients a worker", plan_.clients));
}

void chrony_reader::on_no_client_log(const directive& d) {
  plan_.interleaved = false;
  carried(d, "without interleaved mode, as there");
}

void chrony_reader::on_certificate(const directive& d) {
  if (d.words.empty())
    return bad_value(d);
  auto& files
    = d.name == "ntsservercert" ? plan_.certificates : plan_.private_keys;
  if (files.size() >= most_certificates)
    return lost(d, "there are too many certificates");
  files.push_back(d.words[0]);
  carried(d, "Concert's user must be able to read it");
}

void chrony_reader::on_nts_rate_limit(const directive& d) {
  const auto given = named_integers(d);
  const auto interval
    = std::clamp<std::int64_t>(value_or(given, "interval", 6), -10, 12);
  plan_.ke.set(
    "rate-limiting-cutoff-ms",
    toml_integer(std::max(
      std::llround(std::ldexp(1000.0, static_cast<int>(interval))), 1LL)));
  plan_.ke.set("rate-limiting-burst", toml_integer(std::clamp<std::int64_t>(
                                        value_or(given, "burst", 8), 1, 1000)));
  changed(d, "connections beyond the limit are all refused; none leak through");
}

void chrony_reader::on_nts_number(const directive& d) {
  const auto n = to_integer(d.word(0));
  if (!n || *n < 0 || *n > 65535)
    return bad_value(d);
  if (d.name == "ntsport") {
    if (*n == 0)
      return bad_value(d);
    plan_.ke_port = static_cast<std::uint16_t>(*n);
    return carried(d);
  }
  (d.name == "ntsprocesses" ? processes_ : connections_)
    = std::clamp<std::int64_t>(*n, 1, 1000);
  plan_.ke.set(
    "concurrent-connections",
    toml_integer(std::min<std::int64_t>(
      std::max<std::int64_t>(processes_ * connections_, 1), 65'536)));
  changed(d, "`concurrent-connections` holds for all together");
}

void chrony_reader::on_nts_name(const directive& d) {
  if (!ntp::is_ke_server_name(d.word(0)))
    return bad_value(d);
  plan_.ke.set_text("ntp-server", d.word(0));
  carried(d);
}

void chrony_reader::on_rotation(const directive& d) {
  const auto s = to_integer(d.word(0));
  if (!s || *s < 0)
    return bad_value(d);
  if (*s == 0)
    return lost(d, "keys that are made elsewhere cannot be read: servers that "
                   "share them take a `cluster-secret-file`");
  plan_.keyset.set(
    "key-rotation-interval",
    toml_integer(std::clamp<std::int64_t>(*s, 60, 1'000'000'000)));
  carried(d);
}

void chrony_reader::on_log_directory(const directive& d) {
  script_.note(d, fate::not_needed,
               "measurement logs have paths of their own in [observability]");
}

void chrony_reader::on_log(const directive& d) {
  std::vector<std::string> without;
  for (const auto& what : d.words) {
    if (what == "measurements" || what == "rawmeasurements"
        || what == "statistics")
      plan_.observability.set_text("measurement-log-path",
                                   "/var/log/concert/measurements.jsonl");
    else if (what == "tracking")
      plan_.observability.set_text("tracking-log-path",
                                   "/var/log/concert/tracking.jsonl");
    else
      without.push_back(what);
  }
  std::string text = "JSON lines in /var/log/concert, which must exist";
  for (const auto& what : without)
    script_.note_part(d, what, fate::lost, "there is no such log");
  if (without.size() < d.words.size())
    changed(d, std::move(text));
}

const std::map<std::string_view, chrony_reader::member>&
chrony_reader::members() {
  using r = chrony_reader;
  static const std::map<std::string_view, member> result{
    {"include", &r::on_include},
    {"confdir", &r::on_directory},
    {"sourcedir", &r::on_directory},
    {"server", &r::on_source},
    {"pool", &r::on_source},
    {"peer", &r::on_source},
    {"minsources", &r::on_minsources},
    {"authselectmode", &r::on_authselectmode},
    {"combinelimit", &r::on_combinelimit},
    {"initstepslew", &r::on_initstepslew},
    {"ntsaeads", &r::on_aeads},
    {"ntstrustedcerts", &r::on_trusted_certificates},
    {"nocerttimecheck", &r::on_no_certificate_time},
    {"ntsdumpdir", &r::on_nts_directory},
    {"ntscachedir", &r::on_nts_directory},
    {"makestep", &r::on_makestep},
    {"maxchange", &r::on_maxchange},
    {"maxslewrate", &r::on_maxslewrate},
    {"driftfile", &r::on_driftfile},
    {"leapseclist", &r::on_leap_list},
    {"leapsectz", &r::on_leap_zone},
    {"leapsecmode", &r::on_leap_mode},
    {"allow", &r::on_access},
    {"deny", &r::on_access},
    {"local", &r::on_local},
    {"port", &r::on_port},
    {"bindaddress", &r::on_bind_address},
    {"binddevice", &r::on_bind_device},
    {"ratelimit", &r::on_rate_limit},
    {"clientloglimit", &r::on_client_log},
    {"noclientlog", &r::on_no_client_log},
    {"ntsservercert", &r::on_certificate},
    {"ntsserverkey", &r::on_certificate},
    {"ntsratelimit", &r::on_nts_rate_limit},
    {"ntsport", &r::on_nts_number},
    {"ntsprocesses", &r::on_nts_number},
    {"maxntsconnections", &r::on_nts_number},
    {"ntsntpserver", &r::on_nts_name},
    {"ntsrotate", &r::on_rotation},
    {"logdir", &r::on_log_directory},
    {"log", &r::on_log},
  };
  return result;
}

void chrony_reader::use(const directive& d) {
  if (const auto found = members().find(d.name); found != members().end())
    return (this->*found->second)(d);
  const auto* foreign
    = std::find_if(foreign_directives.begin(), foreign_directives.end(),
                   [&](const auto& f) { return f.name == d.name; });
  if (foreign == foreign_directives.end())
    lost(d, "an unknown directive");
  else
    script_.note(d, foreign->what, std::string{foreign->text});
}

/// What depends on more than one directive.
void chrony_reader::finish() {
  for (auto& [source, set] : sources_) {
    if (source.nts)
      source.authorities = authorities_[set];
    else if (auth_mode_ == "require")
      source.noselect = true;
    plan_.sources.push_back(std::move(source));
  }
  if (!plan_.synchronization.has("minimum-agreeing-sources")
      && !plan_.sources.empty()) {
    plan_.synchronization.set("minimum-agreeing-sources", toml_integer(1));
    plan_.synchronization.comment("As chronyd without `minsources`. Without "
                                  "this line a majority of the sources,");
    plan_.synchronization.comment("at most 3, must agree, which is safer.");
  }
  if (!plan_.synchronization.has("startup-step-panic-threshold")
      && !plan_.sources.empty()) {
    plan_.synchronization.comment("Without `makestep` chronyd steps never. "
                                  "Concert does, once at the start");
    plan_.synchronization.comment("if more than 10 ms off, later if more than "
                                  "0.5 s.");
  }
  for (const bool v4 : {true, false})
    if (std::none_of(
          plan_.listen.begin(), plan_.listen.end(),
          [&](const auto& place) { return place.address.is_v4() == v4; }))
      plan_.listen.push_back({whole_family(v4).network, {}});
  for (auto& place : plan_.listen)
    place.interface = interface_;
}

} // namespace

plan read_chrony(script& s, std::string_view text, std::string_view name) {
  return chrony_reader{s}.read(text, name);
}

} // namespace concert::config
