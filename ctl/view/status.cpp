#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

namespace concert::ctl {

namespace {

std::string served_sentence(const observed_system& s) {
  if (s.stratum.value_or(16) >= 16)
    return "as unsynchronized (stratum 16)";
  return fmt::format("stratum {}, reference {}, root delay {}, dispersion {}",
                     *s.stratum, reference(s.reference_id, s.stratum),
                     span(s.root_delay_s), span(s.root_dispersion_s));
}

std::string daemon_sentence(const observed_program& p) {
  return fmt::format("version {}, up {}, clock reads {}",
                     p.version.empty() ? "-" : p.version, age(p.uptime_s),
                     utc(p.now));
}

std::string overview(const observation& o) {
  const observed_system& s = o.system;
  std::vector<std::vector<std::string>> lines{{"Clock", clock_sentence(s)}};
  if (is_measured(s))
    lines.push_back({"", "at most " + span(s.max_error_s) + " wrong"});
  if (const auto truth = truth_sentence(o.clock); !truth.empty())
    lines.push_back({"", truth});
  if (s.frequency && is_measured(s))
    lines.push_back({"Oscillator", fmt::format("{}, +/- {}, corrected",
                                               oscillator(s.frequency),
                                               ppm(s.frequency_uncertainty))});
  lines.push_back({"Served", served_sentence(s)});
  lines.push_back({"Daemon", daemon_sentence(o.program)});
  return labelled(lines);
}

std::string sources_title(const observation& o) {
  const observed_system& s = o.system;
  if (o.sources.empty())
    return {};
  if (!s.selected_sources || !s.required_sources)
    return "Sources\n";
  return fmt::format("Sources: {} of {} selected, {} must agree\n",
                     *s.selected_sources, o.sources.size(),
                     *s.required_sources);
}

} // namespace

std::string status_view(const observation& o) {
  std::string result = headline(o.system) + '\n';
  if (!o.system.state_reason.empty())
    result += wrapped(o.system.state_reason, 80, 0) + '\n';
  result += '\n' + overview(o) + '\n' + sources_title(o) + sources_view(o);
  if (!o.servers.empty())
    result += "\nServers\n" + servers_summary(o);
  if (!o.ke_servers.empty())
    result += "\nNTS key exchange\n" + nts_summary(o);
  return result;
}

} // namespace concert::ctl
