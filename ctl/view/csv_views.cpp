#include "ctl/view/csv_views.hpp"

#include "ctl/csv.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <concepts>
#include <optional>

namespace concert::ctl {

namespace {

/// Absent values and what is no finite number are empty.
template <class T>
std::string cell(const T& v) {
  if constexpr (std::floating_point<T>)
    return std::isfinite(v) ? fmt::format("{}", v) : "";
  else if constexpr (std::integral<T>)
    return fmt::format("{}", v);
  else
    return v ? cell(*v) : "";
}

} // namespace

std::string sources_csv(const observation& o) {
  csv table{{"name", "address", "id", "state", "state_reason", "stratum",
             "poll_interval", "reachability", "unanswered_polls",
             "last_sample_age", "offset", "uncertainty", "delay", "jitter",
             "nts_cookies"}};
  for (const observed_source& s : o.sources)
    table.row({s.name, s.address, cell(s.id), s.state, s.state_reason,
               cell(s.stratum), cell(s.poll), cell(s.reachability),
               cell(s.unanswered_polls), cell(s.last_sample_age_s),
               cell(s.offset_s), cell(s.uncertainty_s), cell(s.delay_s),
               cell(s.jitter_s), cell(s.nts_cookies)});
  return table.text();
}

std::string tracking_csv(const observation& o) {
  csv table{{"state",
             "state_reason",
             "state_since_seconds",
             "synchronized",
             "stratum",
             "leap_indicator",
             "root_delay",
             "root_dispersion",
             "offset",
             "frequency",
             "frequency_uncertainty",
             "estimated_error",
             "stability",
             "max_error",
             "last_update_age",
             "steps_total",
             "last_step",
             "holdover_seconds",
             "selected_sources",
             "required_sources"}};
  const observed_system& s = o.system;
  table.row({s.state,
             s.state_reason,
             cell(s.state_since_s),
             cell(s.synchronized),
             cell(s.stratum),
             s.leap,
             cell(s.root_delay_s),
             cell(s.root_dispersion_s),
             cell(s.offset_s),
             cell(s.frequency),
             cell(s.frequency_uncertainty),
             cell(s.estimated_error_s),
             cell(s.stability_s),
             cell(s.max_error_s),
             cell(s.last_update_age_s),
             cell(s.steps_total),
             cell(s.last_step_s),
             cell(s.holdover_s),
             cell(s.selected_sources),
             cell(s.required_sources)});
  return table.text();
}

std::string servers_csv(const observation& o) {
  constexpr std::array counted{
    "received_packets",     "accepted_packets",     "denied_packets",
    "ignored_packets",      "rate_limited_packets", "response_send_errors",
    "nts_received_packets", "nts_accepted_packets", "nts_nak_packets"};
  std::vector<std::string_view> header{"address", "interface", "listening",
                                       "problem"};
  header.insert(header.end(), counted.begin(), counted.end());
  header.insert(header.end(), {"queue_overflows", "latency_p50", "latency_p99",
                               "transmit_delay"});
  csv table{header};
  for (const observed_server& s : o.servers) {
    std::vector<std::string> row{s.address, s.interface, cell(s.listening),
                                 s.problem};
    for (const char* key : counted) {
      const auto found = s.stats.find(key);
      row.push_back(found == s.stats.end() ? "" : cell(found->second));
    }
    row.insert(row.end(), {cell(s.queue_overflows), cell(s.latency_p50_s),
                           cell(s.latency_p99_s), cell(s.transmit_delay_s)});
    table.row(row);
  }
  return table.text();
}

std::string nts_csv(const observation& o) {
  csv table{{"name", "address", "server", "aead", "cookies", "cookie_length",
             "exchanging", "exchanges", "failures", "last_exchange_age",
             "problem", "next_exchange"}};
  for (const observed_nts_source& s : o.nts_sources)
    table.row({s.name, s.address, s.server, s.aead, cell(s.cookies),
               cell(s.cookie_length), cell(s.exchanging), cell(s.exchanges),
               cell(s.failures), cell(s.last_exchange_age_s), s.problem,
               cell(s.next_exchange_s)});
  return table.text();
}

} // namespace concert::ctl
