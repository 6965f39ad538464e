#include "config/migration/chrony_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace concert::config {

namespace {

constexpr std::string_view own_filter
  = "the estimator weighs samples by what it learns of the path";
constexpr std::string_view no_keys
  = "there are no symmetric keys: this source is asked without "
    "authentication; use NTS if the server has it";

constexpr auto foreign_options = std::to_array<foreign_option>({
  {"asymmetry", 1, fate::not_needed, own_filter},
  {"auto_offline", 0, fate::not_needed,
   "without a route to it a source is not asked"},
  {"burst", 0, fate::not_needed, own_filter},
  {"copy", 0, fate::lost, "a source's identity cannot be taken over"},
  {"extfield", 1, fate::lost, "extension fields of chrony are not spoken"},
  {"filter", 1, fate::not_needed, own_filter},
  {"ipv4", 0, fate::lost, "give the IPv4 address to have it alone"},
  {"ipv6", 0, fate::lost, "give the IPv6 address to have it alone"},
  {"key", 1, fate::lost, no_keys},
  {"maxdelay", 1, fate::not_needed, own_filter},
  {"maxdelaydevratio", 1, fate::not_needed, own_filter},
  {"maxdelayquant", 1, fate::not_needed, own_filter},
  {"maxdelayratio", 1, fate::not_needed, own_filter},
  {"maxsamples", 1, fate::not_needed, own_filter},
  {"maxunreach", 1, fate::not_needed,
   "members of a pool that are silent are replaced"},
  {"mindelay", 1, fate::not_needed, own_filter},
  {"minsamples", 1, fate::not_needed, own_filter},
  {"minstratum", 1, fate::lost, "a source's stratum is taken as it is"},
  {"polltarget", 1, fate::not_needed,
   "the interval follows from what is gained by asking"},
  {"presend", 1, fate::lost, "no packets are sent in advance"},
  {"require", 0, fate::lost,
   "no source is necessary; `minimum-agreeing-sources` says how many must "
   "agree"},
  {"trust", 0, fate::lost,
   "no source outvotes the others; mark those as `noselect` that are not to "
   "vote, and this one as `prefer`"},
});

/// One option with what follows it. False: it has no value, or a wrong one.
bool take_option(chrony_source& s, std::string_view name,
                 std::optional<std::int64_t> integer,
                 std::optional<double> number) {
  const auto into = [&](auto& field, std::int64_t low, std::int64_t high) {
    if (integer && *integer >= low && *integer <= high)
      field = static_cast<std::remove_reference_t<decltype(field)>>(*integer);
    return integer && *integer >= low && *integer <= high;
  };
  auto& source = s.source;
  if (name == "minpoll")
    return source.min_poll = integer, integer.has_value();
  if (name == "maxpoll")
    return source.max_poll = integer, integer.has_value();
  if (name == "port")
    return into(source.port, 1, 65535);
  if (name == "ntsport")
    return into(source.ke_port, 1, 65535);
  if (name == "version")
    return into(source.version, 3, 4);
  if (name == "maxsources")
    return into(source.count, 1, 64);
  if (name == "certset")
    return into(s.certset, 0, 0xffffffff);
  source.offset_s = std::clamp(number.value_or(0), -3600.0, 3600.0);
  return number && *number >= -3600 && *number <= 3600;
}

constexpr std::string_view options_with_value[]
  = {"minpoll", "maxpoll",    "port",    "ntsport",
     "version", "maxsources", "certset", "offset"};

bool take_flag(source_plan& source, std::string_view name) {
  const std::pair<std::string_view, bool*> flags[]
    = {{"iburst", &source.iburst},      {"prefer", &source.prefer},
       {"noselect", &source.noselect},  {"offline", &source.offline},
       {"xleave", &source.interleaved}, {"nts", &source.nts}};
  for (const auto& [known, field] : flags)
    if (name == known)
      return *field = true;
  return false;
}

void read_option(script& s, const directive& d, std::size_t& i,
                 chrony_source& result) {
  const auto name = d.word(i);
  if (take_flag(result.source, name))
    return;
  if (std::find(std::begin(options_with_value), std::end(options_with_value),
                name)
      != std::end(options_with_value)) {
    const auto value = d.word(++i);
    if (!take_option(result, name, to_integer(value), to_number(value)))
      s.note_part(d, fmt::format("{} {}", name, value), fate::lost,
                  "the value is none that Concert takes");
    return;
  }
  const auto* found
    = std::find_if(foreign_options.begin(), foreign_options.end(),
                   [&](const auto& o) { return o.name == name; });
  if (found == foreign_options.end()) {
    s.note_part(d, name, fate::lost, "an unknown option");
    return;
  }
  i += found->values;
  s.note_part(d, found->name, found->what, std::string{found->text});
}

/// What the line as a whole became.
void note_source(script& s, const directive& d, chrony_source& result) {
  auto& source = result.source;
  if (d.name == "peer")
    s.note(d, fate::changed,
           "it is asked as a server; the other side must ask this machine, "
           "and not rely on peering");
  else if (source.nts && source.pool)
    s.note(d, fate::changed,
           "with NTS the name stands for one source; write one [[source]] "
           "for each server to have several");
  else
    s.note(d, fate::carried_over);
  const auto out_of_range = [](std::optional<std::int64_t> poll) {
    return poll && (*poll < 0 || *poll > 17);
  };
  if (out_of_range(source.min_poll) || out_of_range(source.max_poll))
    s.note_part(d, "minpoll, maxpoll", fate::changed,
                "polls are 1 s (0) to 36 h (17) apart");
  if (source.nts && source.port != 123)
    s.note_part(d, "port", fate::lost,
                "with NTS the server says itself on which port it is asked");
  if (source.nts && source.version != 4)
    s.note_part(d, "version", fate::changed, "NTS has version 4 only");
}

} // namespace

std::optional<chrony_source> read_chrony_source(script& s, const directive& d) {
  chrony_source result;
  if (!is_host(d.word(0))) {
    s.note(d, fate::lost, "this is neither a host name nor an address");
    return std::nullopt;
  }
  result.source.host = d.words[0];
  result.source.pool = d.name == "pool";
  for (std::size_t i = 1; i < d.words.size(); ++i)
    read_option(s, d, i, result);
  note_source(s, d, result);
  return result;
}

} // namespace concert::config
