#include "exporter/metrics.hpp"

#include "exporter/chrony_names.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace concert::exporter {

namespace {

using enum metric_type;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Adds the sample if there is a value.
template <class T>
void add(exposition& text, const family& f, label_list labels,
         const std::optional<T>& value) {
  if (value)
    text.add(f, labels, *value);
}

/// For each of `names` whether it is `value`: one series is 1, so that a sum
/// counts. Nothing at all while `value` is not known.
void add_states(exposition& text, const family& f, std::string_view name,
                std::string_view address,
                std::initializer_list<std::string_view> names,
                std::string_view value) {
  if (value.empty())
    return;
  for (const auto state : names)
    text.add(f, {{"name", name}, {"address", address}, {"state", state}},
             std::uint64_t{state == value});
}

/// ntpd-rs's numbers.
std::optional<std::uint64_t> leap_number(std::string_view leap) {
  constexpr std::array<std::string_view, 5> names{
    "NoWarning", "Leap61", "Leap59", "Unknown", "Unsynchronized"};
  const auto* const found = std::find(names.begin(), names.end(), leap);
  if (found == names.end())
    return {};
  return static_cast<std::uint64_t>(found - names.begin());
}

std::optional<std::uint64_t> zero_or_one(std::optional<bool> value) {
  return value ? std::optional{std::uint64_t{*value}} : std::nullopt;
}

double poll_interval_s(std::int64_t poll) {
  return std::exp2(
    static_cast<double>(std::clamp<std::int64_t>(poll, -32, 32)));
}

void add_program(exposition& text, const reading& r) {
  const auto& program = r.observed->program;
  text.add({"ntp_build", info, "", "Which program the daemon is."},
           {{"version", program.version}, {"commit", program.build_commit}},
           std::uint64_t{1});
  if (!program.uptime_s)
    return;
  text.add(
    {"ntp_uptime_seconds", gauge, "seconds", "Time since the daemon started."},
    {{"version", program.version},
     {"build_commit", program.build_commit},
     {"build_commit_date", program.build_commit_date}},
    *program.uptime_s);
  text.add({"ntp_start_time_seconds", gauge, "seconds",
            "Unix time at which the daemon started."},
           {}, std::round(r.at_s - *program.uptime_s));
}

/// The clock itself.
void add_clock(exposition& text, const reading& r) {
  const auto& s = r.observed->system;
  add(text,
      {"ntp_system_synchronized", gauge, "",
       "Whether the clock follows a majority of its sources."},
      {}, zero_or_one(s.synchronized));
  add_states(text,
             {"ntp_system_state", gauge, "", "State of the synchronization."},
             {}, {},
             {"starting", "synchronized", "holdover", "unsynchronized", "panic",
              "contested", "offline"},
             s.state);
  add(text,
      {"ntp_system_offset_seconds", gauge, "seconds",
       "Agreed time less the clock; positive when the clock is slow."},
      {}, s.offset_s);
  add(text,
      {"ntp_system_estimated_error_seconds", gauge, "seconds",
       "Standard deviation of the agreed time's error."},
      {}, s.estimated_error_s);
  add(text,
      {"ntp_system_max_error_seconds", gauge, "seconds",
       "Bound of the clock's error."},
      {}, s.max_error_s);
  add(text,
      {"ntp_system_frequency_ratio", gauge, "ratio",
       "Correction of the frequency; positive makes the clock faster."},
      {}, s.frequency);
  add(text,
      {"ntp_system_frequency_uncertainty_ratio", gauge, "ratio",
       "Standard deviation of the frequency's error."},
      {}, s.frequency_uncertainty);
  if (s.last_update_age_s)
    text.add({"ntp_system_last_update_timestamp_seconds", gauge, "seconds",
              "Unix time of the last update of the clock."},
             {}, r.at_s - *s.last_update_age_s);
  add(text, {"ntp_system_steps", counter, "", "Steps of the clock."}, {},
      s.steps_total);
  add(text,
      {"ntp_system_stepped_seconds", counter, "seconds",
       "Sum of the sizes of all steps of the clock."},
      {}, s.accumulated_steps_s);
  add(text,
      {"ntp_system_holdover_seconds", gauge, "seconds",
       "Time in holdover so far."},
      {}, s.holdover_s);
  add(text,
      {"ntp_system_selected_sources", gauge, "",
       "Sources that the clock follows."},
      {}, s.selected_sources);
  add(text,
      {"ntp_system_required_sources", gauge, "", "Sources that must agree."},
      {}, s.required_sources);
}

/// What other NTP programs are told, and names that are ntpd-rs's alone.
void add_system(exposition& text, const reading& r) {
  const auto& s = r.observed->system;
  add(text,
      {"ntp_system_stratum", gauge, "",
       "Stratum of this machine; 16 is not synchronized."},
      {}, s.stratum);
  add(text,
      {"ntp_system_leap_indicator", gauge, "",
       "0 no warning, 1 a second is inserted, 2 one is left out, 3 "
       "unknown, 4 not synchronized."},
      {}, leap_number(s.leap));
  add(text,
      {"ntp_system_root_delay_seconds", gauge, "seconds",
       "Round trip to the reference."},
      {}, s.root_delay_s);
  add(text,
      {"ntp_system_root_dispersion_seconds", gauge, "seconds",
       "Dispersion at the reference, grown up to now."},
      {}, s.root_dispersion_s);
  add(text,
      {"ntp_system_accumulated_steps_seconds", gauge, "seconds",
       "As ntp_system_stepped_seconds_total, under ntpd-rs's name."},
      {}, s.accumulated_steps_s);
  if (s.accumulated_steps_s)
    text.add({"ntp_system_accumulated_steps_threshold_seconds", gauge,
              "seconds", "Limit of the sum of all steps; -1 is none."},
             {}, s.accumulated_steps_threshold_s.value_or(-1));
  std::optional<std::int64_t> shortest;
  for (const auto& source : r.observed->sources)
    if (source.poll)
      shortest = std::min(shortest.value_or(*source.poll), *source.poll);
  text.add({"ntp_system_poll_interval_seconds", gauge, "seconds",
            "Shortest poll interval of all sources; 16 without sources."},
           {}, poll_interval_s(shortest.value_or(4)));
}

using source = ctl::observed_source;

/// One family with a sample for each source that has a value.
void add_each(exposition& text, const reading& r, const family& f,
              const auto& value_of) {
  for (const auto& s : r.observed->sources)
    add(text, f, {{"name", s.name}, {"address", s.address}}, value_of(s));
}

void add_source_times(exposition& text, const reading& r) {
  add_each(text, r,
           {"ntp_source_offset_seconds", gauge, "seconds",
            "Time of the source less ours."},
           [](const source& s) { return s.offset_s; });
  add_each(text, r,
           {"ntp_source_uncertainty_seconds", gauge, "seconds",
            "Standard deviation of the offset."},
           [](const source& s) { return s.uncertainty_s; });
  add_each(
    text, r,
    {"ntp_source_delay_seconds", gauge, "seconds", "Round trip to the source."},
    [](const source& s) { return s.delay_s; });
  add_each(text, r,
           {"ntp_source_jitter_seconds", gauge, "seconds",
            "Mean excess of the round trip over its base."},
           [](const source& s) { return s.jitter_s; });
  add_each(text, r,
           {"ntp_source_root_delay_seconds", gauge, "seconds",
            "Root delay that the source reports."},
           [](const source& s) { return s.remote_delay_s; });
  add_each(text, r,
           {"ntp_source_root_dispersion_seconds", gauge, "seconds",
            "Root dispersion that the source reports."},
           [](const source& s) { return s.remote_uncertainty_s; });
  add_each(text, r,
           {"ntp_source_last_sample_age_seconds", gauge, "seconds",
            "Time since the last measurement."},
           [](const source& s) { return s.last_sample_age_s; });
  add_each(text, r,
           {"ntp_source_poll_interval_seconds", gauge, "seconds",
            "Time between polls."},
           [](const source& s) -> std::optional<double> {
             return s.poll ? std::optional{poll_interval_s(*s.poll)}
                           : std::nullopt;
           });
}

void add_source_states(exposition& text, const reading& r) {
  for (const auto& s : r.observed->sources)
    add_states(
      text, {"ntp_source_state", gauge, "", "What the source is used for."},
      s.name, s.address,
      {"selected", "candidate", "falseticker", "unreachable", "unusable"},
      s.state);
  add_each(text, r,
           {"ntp_source_reachability_ratio", gauge, "ratio",
            "Part of the last eight polls that was answered."},
           [](const source& s) -> std::optional<double> {
             if (!s.reachability)
               return {};
             return std::popcount(*s.reachability & 0xff) / 8.0;
           });
  add_each(text, r,
           {"ntp_source_unanswered_polls", gauge, "",
            "Unanswered polls in a row, at most 8."},
           [](const source& s) { return s.unanswered_polls; });
  add_each(text, r,
           {"ntp_source_stratum", gauge, "",
            "Stratum that the source reports; 0 before its first answer."},
           [](const source& s) { return s.stratum; });
  add_each(text, r,
           {"ntp_source_nts_cookies_available", gauge, "",
            "Cookies left, 0 to 8; only of sources with NTS."},
           [](const source& s) { return s.nts_cookies; });
}

void add_source_packets(exposition& text, const reading& r) {
  add_each(text, r,
           {"ntp_source_requests", counter, "", "Packets sent to the source."},
           [](const source& s) { return s.requests; });
  for (const auto& s : r.observed->sources)
    for (const auto& [result, packets] : s.packets)
      text.add({"ntp_source_packets", counter, "",
                "Packets from the source, by what became of them."},
               {{"name", s.name}, {"address", s.address}, {"result", result}},
               packets);
  for (const auto& s : r.observed->sources)
    for (const auto& [direction, kind] :
         {std::pair{"transmit", &s.transmit_stamps},
          std::pair{"receive", &s.receive_stamps}})
      if (!kind->empty())
        text.add({"ntp_source_timestamping", info, "",
                  "Who stamped the last packets."},
                 {{"name", s.name},
                  {"address", s.address},
                  {"direction", direction},
                  {"kind", *kind}},
                 std::uint64_t{1});
}

/// The families that ntpd-rs has for each server, by their keys in `stats`.
struct server_family {
  const char* key;
  family of;
};
constexpr std::array<server_family, 11> server_families{{
  {"received_packets",
   {"ntp_server_received_packets", counter, "", "All requests."}},
  {"accepted_packets",
   {"ntp_server_accepted_packets", counter, "",
    "Requests answered with the time."}},
  {"denied_packets",
   {"ntp_server_denied_packets", counter, "",
    "Requests answered with a refusal."}},
  {"ignored_packets",
   {"ntp_server_ignored_packets", counter, "", "Requests that got no answer."}},
  {"rate_limited_packets",
   {"ntp_server_rate_limited_packets", counter, "",
    "Requests beyond the rate that their address is allowed."}},
  {"response_send_errors",
   {"ntp_server_response_send_errors", counter, "",
    "Replies that the kernel refused."}},
  {"nts_received_packets",
   {"ntp_server_nts_received_packets", counter, "", "Requests with NTS."}},
  {"nts_accepted_packets",
   {"ntp_server_nts_accepted_packets", counter, "",
    "Requests with NTS answered with the time."}},
  {"nts_denied_packets",
   {"ntp_server_nts_denied_packets", counter, "",
    "Requests with NTS answered with a refusal."}},
  {"nts_rate_limited_packets",
   {"ntp_server_nts_rate_limited_packets", counter, "",
    "Requests with NTS beyond the rate that their address is allowed."}},
  {"nts_nak_packets",
   {"ntp_server_nts_nak_packets", counter, "",
    "Requests with NTS whose cookie could not be used."}},
}};

using server = ctl::observed_server;

void add_server_counters(exposition& text, const reading& r) {
  for (const auto& f : server_families)
    for (const server& s : r.observed->servers)
      if (const auto found = s.stats.find(f.key); found != s.stats.end())
        text.add(f.of,
                 {{"listen_address", s.address}, {"interface", s.interface}},
                 found->second);
  for (const server& s : r.observed->servers)
    for (const auto& c : s.counters)
      text.add({"ntp_server_requests", counter, "",
                "Requests by answer and reason; each counts once."},
               {{"listen_address", s.address},
                {"interface", s.interface},
                {"response", c.response},
                {"reason", c.reason}},
               c.packets);
  for (const server& s : r.observed->servers)
    add(text,
        {"ntp_server_queue_overflows", counter, "",
         "Requests lost in the kernel before the daemon saw them."},
        {{"listen_address", s.address}, {"interface", s.interface}},
        s.queue_overflows);
}

void add_servers(exposition& text, const reading& r) {
  for (const server& s : r.observed->servers)
    add(text,
        {"ntp_server_listening", gauge, "", "Whether the socket is open."},
        {{"listen_address", s.address}, {"interface", s.interface}},
        zero_or_one(s.listening));
  add_server_counters(text, r);
  for (const server& s : r.observed->servers) {
    constexpr family response_time{
      "ntp_server_response_duration_seconds", histogram, "seconds",
      "From the arrival of a request to the departure of its reply."};
    const label_list labels{{"listen_address", s.address},
                            {"interface", s.interface}};
    std::uint64_t so_far = 0;
    for (const auto& bucket : s.latency) {
      so_far += bucket.replies;
      if (bucket.limit_s)
        text.bucket(response_time, labels, *bucket.limit_s, so_far);
    }
    if (so_far > 0)
      text.bucket(response_time, labels, infinity, so_far);
  }
}

using ke_server = ctl::observed_ke_server;

/// Connections by how they ended.
void add_handshakes(exposition& text, const ke_server& s) {
  const auto row
    = [&](std::string_view result, const std::optional<std::uint64_t>& number) {
        add(text,
            {"ntp_ke_connections", counter, "",
             "Key exchange connections by how they ended."},
            {{"listen_address", s.address}, {"result", result}}, number);
      };
  row("exchange", s.exchanges);
  row("timed-out", s.timed_out);
  row("broken", s.broken);
  row("too-many", s.too_many);
  row("rate-limited", s.rate_limited);
  for (const auto& [reason, number] : s.refusals)
    row("refused-" + reason, number);
  for (const auto& [fault, number] : s.tls_failures)
    row("tls-" + fault, number);
}

void add_key_exchange(exposition& text, const reading& r) {
  for (const auto& s : r.observed->nts_sources)
    add(text,
        {"ntp_nts_source_exchanges", counter, "",
         "Key exchanges that gave keys."},
        {{"name", s.name}}, s.exchanges);
  for (const auto& s : r.observed->nts_sources)
    add(text,
        {"ntp_nts_source_failures", counter, "", "Key exchanges that failed."},
        {{"name", s.name}}, s.failures);
  for (const ke_server& s : r.observed->ke_servers)
    add_handshakes(text, s);
  for (const ke_server& s : r.observed->ke_servers)
    for (const auto& c : s.certificates)
      if (c.not_after)
        text.add({"ntp_ke_certificate_expiry_timestamp_seconds", gauge,
                  "seconds", "Unix time after which a certificate is void."},
                 {{"listen_address", s.address}, {"file", c.file}},
                 static_cast<double>(*c.not_after));
  if (r.observed->keyset)
    add(
      text,
      {"ntp_keyset_keys", gauge, "", "Keys that open cookies of this server."},
      {}, r.observed->keyset->keys);
}

/// Actors of one kind and name, as one: those of short life must not make ever
/// new series.
struct actor_sum {
  std::uint64_t instances = 0;
  std::uint64_t handled = 0;
  std::uint64_t restarts = 0;
  std::uint64_t mailbox = 0; ///< longest
  double handling_s = 0;     ///< longest
};
using actor_sums = std::map<std::pair<std::string, std::string>, actor_sum>;

/// More instances than this of one kind share one series.
constexpr std::size_t max_named_actors = 64;

actor_sums sum_up(const ctl::actors_status& status) {
  std::map<std::string, std::size_t> of_kind;
  for (const auto& actor : status.actors)
    ++of_kind[actor.kind];
  actor_sums sums;
  for (const auto& actor : status.actors) {
    const bool named = of_kind[actor.kind] <= max_named_actors;
    auto& sum = sums[{actor.kind, named ? actor.name : std::string{}}];
    ++sum.instances;
    sum.handled += actor.handled;
    sum.restarts += actor.restarts;
    sum.mailbox = std::max(sum.mailbox, actor.mailbox_depth);
    sum.handling_s = std::max(sum.handling_s, actor.handling_s);
  }
  return sums;
}

void add_actors(exposition& text, const ctl::actors_status& status) {
  const actor_sums sums = sum_up(status);
  const auto each = [&](const family& f, const auto& value_of) {
    for (const auto& [key, sum] : sums)
      text.add(f, {{"actor", key.first}, {"name", key.second}}, value_of(sum));
  };
  each({"ntp_actors", gauge, "", "Actors that are alive."},
       [](const actor_sum& s) { return s.instances; });
  each({"ntp_actor_messages", counter, "", "Messages that were handled."},
       [](const actor_sum& s) { return s.handled; });
  each({"ntp_actor_mailbox_messages", gauge, "", "Messages that wait."},
       [](const actor_sum& s) { return s.mailbox; });
  each({"ntp_actor_restarts", counter, "", "Restarts after failures."},
       [](const actor_sum& s) { return s.restarts; });
  each({"ntp_actor_handling_seconds", gauge, "seconds",
        "For how long the actor has been at its present message; 0 without "
        "one."},
       [](const actor_sum& s) { return s.handling_s; });
}

} // namespace

std::string metrics_text(const reading& r, text_format format,
                         bool chrony_names) {
  exposition text{format};
  text.add({"ntp_up", gauge, "", "Whether the daemon answers."}, {},
           std::uint64_t{r.observed.has_value()});
  if (r.observed) {
    add_program(text, r);
    add_clock(text, r);
    add_system(text, r);
    add_source_states(text, r);
    add_source_times(text, r);
    add_source_packets(text, r);
    add_servers(text, r);
    add_key_exchange(text, r);
  }
  if (r.actors)
    add_actors(text, *r.actors);
  if (chrony_names)
    add_chrony_names(text, r);
  return std::move(text).take();
}

} // namespace concert::exporter
