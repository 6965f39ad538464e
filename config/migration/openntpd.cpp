#include "config/migration/openntpd.hpp"

#include <algorithm>

namespace concert::config {

namespace {

constexpr std::size_t most_sources = 1000;
constexpr std::size_t most_listeners = 8;

void read_source(script& s, const directive& d, plan& result) {
  if (!is_host(d.word(0)) || result.sources.size() >= most_sources) {
    s.note(d, fate::lost, "this is neither a host name nor an address");
    return;
  }
  source_plan source;
  source.host = d.words[0];
  source.pool = d.name == "servers";
  source.iburst = true;
  s.note(d, fate::carried_over);
  for (std::size_t i = 1; i < d.words.size(); ++i) {
    if (d.word(i) == "trusted")
      s.note_part(d, "trusted", fate::not_needed, "there are no constraints");
    else if (d.word(i) == "weight")
      s.note_part(d, "weight", fate::lost,
                  "`prefer` marks the sources that others stand back for");
  }
  result.sources.push_back(std::move(source));
}

void read_listener(script& s, const directive& d, plan& result) {
  const auto address = d.word(0) == "on" ? d.word(1) : std::string_view{};
  if (address == "*") {
    result.listen
      = {{whole_family(true).network, {}}, {whole_family(false).network, {}}};
  } else if (const auto parsed = ntp::ip_address::parse(address);
             parsed && result.listen.size() < most_listeners) {
    result.listen.push_back({*parsed, {}});
  } else {
    s.note(d, fate::lost, "give the address to listen on");
    return;
  }
  s.note(d, fate::carried_over);
}

} // namespace

plan read_openntpd(script& s, std::string_view text, std::string_view name) {
  plan result;
  s.read(text, name, [&](const directive& d) {
    if (d.name == "server" || d.name == "servers")
      read_source(s, d, result);
    else if (d.name == "listen")
      read_listener(s, d, result);
    else if (d.name == "constraint" || d.name == "constraints")
      s.note(d, fate::lost,
             "times are not taken from web servers: use sources with NTS");
    else if (d.name == "sensor")
      s.note(d, fate::lost, "reference clocks are not supported yet");
    else
      s.note(d, fate::lost, "there is nothing of the kind");
  });
  for (const bool v4 : {true, false})
    if (!result.listen.empty())
      result.access.set(whole_family(v4), true);
  return result;
}

} // namespace concert::config
