#include "ctl/status.hpp"

#include "ctl/json_writer.hpp"
#include "ctl/nts_document.hpp"
#include "ctl/shadow_document.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace concert::ctl {

namespace {

/// What ntpd-rs writes where no sample has been taken: readers of its format
/// expect a number.
constexpr double unknown_span_s = 2147483648.0;

std::string_view leap_name(ntp::leap_indicator leap) {
  switch (leap) {
    case ntp::leap_indicator::none:
      return "NoWarning";
    case ntp::leap_indicator::insert_second:
      return "Leap61";
    case ntp::leap_indicator::delete_second:
      return "Leap59";
    case ntp::leap_indicator::unsynchronized:
      return "Unsynchronized";
  }
  return "Unknown";
}

std::optional<std::string_view>
stamp_name(std::optional<ntp::stamp_kind> kind) {
  if (!kind)
    return {};
  return to_string(*kind);
}

double log2_seconds(std::int8_t exponent) {
  return std::exp2(exponent);
}

std::optional<double> age_s(const daemon_status& status,
                            std::optional<ntp::mono_time> then) {
  if (!then)
    return {};
  return ntp::seconds_of(status.mono_now - *then);
}

/// The wall clock's reading at a monotonic instant, as the clock is now.
ntp::ntp_timestamp wall_at(const daemon_status& status,
                           std::optional<ntp::mono_time> then) {
  if (!then)
    return {};
  return status.now
         - ntp::ntp_duration::from_nanoseconds(status.mono_now - *then);
}

void write_program(json_writer& out, const daemon_status& status) {
  out.field("version", status.version);
  out.field("build_commit", status.build_commit);
  out.field("build_commit_date", status.build_commit_date);
  out.field("uptime_seconds", status.uptime_s);
  out.field("now", status.now);
}

/// The keys of ntpd-rs.
void write_served(json_writer& out, const ntp::system_snapshot& system) {
  const ntp::served_time& served = system.served;
  out.field("stratum", served.stratum);
  out.field("reference_id", served.reference_id);
  out.field("precision", log2_seconds(served.precision));
  out.field("root_delay", served.root_delay.seconds());
  out.field("root_variance_base_time", served.wall_base);
  out.field("root_variance_base", served.variance_base);
  out.field("root_variance_linear", served.variance_linear);
  out.field("root_variance_quadratic", served.variance_quadratic);
  out.field("root_variance_cubic", served.variance_cubic);
  out.field("leap_indicator", leap_name(served.leap));
  out.field("accumulated_steps", system.accumulated_steps_s);
  out.field("accumulated_steps_threshold",
            system.accumulated_steps_threshold_s);
}

/// Before the clock is known there is nothing that an error could be made of.
void write_budget(json_writer& out, const ntp::system_snapshot& system) {
  if (!system.last_update) {
    out.field("error_budget", nullptr);
    return;
  }
  out.object("error_budget", [&] {
    out.field("measurement", system.budget.measurement_s);
    out.field("asymmetry", system.budget.asymmetry_s);
    out.field("wander", system.budget.wander_s);
    out.field("server", system.budget.server_s);
    out.field("disagreement", system.budget.disagreement_s);
    out.field("unslewed", system.budget.unslewed_s);
  });
}

void write_system(json_writer& out, const daemon_status& status) {
  const ntp::system_snapshot& system = status.system;
  write_served(out, system);
  out.field("state", to_string(system.state));
  out.field("state_reason", system.state_reason);
  out.field("state_since_seconds", age_s(status, system.state_since));
  out.field("synchronized", system.synchronized);
  out.field("offset", system.offset_s);
  out.field("frequency", system.frequency);
  out.field("frequency_uncertainty", system.frequency_uncertainty);
  out.field("wander", system.wander);
  out.field("estimated_error", system.estimated_error_s);
  write_budget(out, system);
  out.field("stability", system.stability_s);
  out.field("max_error", system.max_error_s);
  out.field("reference_time", system.served.reference_time);
  out.field("last_update_age", age_s(status, system.last_update));
  out.field("steps_total", system.steps_total);
  out.field("last_step", system.last_step_s);
  out.field("holdover_seconds", system.holdover_s);
  out.field("selected_sources", system.selected_sources);
  out.field("required_sources", system.required_sources);
}

/// The keys of ntpd-rs.
void write_measured(json_writer& out, const daemon_status& status,
                    const source_status& source) {
  const ntp::source_snapshot& view = source.view;
  const bool measured = view.offset_s.has_value();
  out.field("offset", view.offset_s.value_or(0));
  out.field("uncertainty", measured ? view.uncertainty_s : unknown_span_s);
  out.field("delay", measured ? view.delay_s : unknown_span_s);
  out.field("remote_delay", source.association.root_delay.seconds());
  out.field("remote_uncertainty", source.association.root_dispersion.seconds());
  out.field("last_update", wall_at(status, view.last_sample));
  out.field("unanswered_polls", source.association.unanswered_polls);
  out.field("poll_interval", source.association.poll);
  out.field("nts_cookies", source.association.nts
                             ? std::optional{source.association.nts->cookies}
                             : std::nullopt);
  out.field("name", source.name);
  out.field("address", source.address.to_string());
  out.field("id", view.id.value);
}

void write_association(json_writer& out, const daemon_status& status,
                       const ntp::association_snapshot& association) {
  const bool answered = association.stratum != 0;
  out.field("reachability", association.reachability);
  out.field("stratum", association.stratum);
  out.field("reference_id", association.reference_id);
  out.field("leap", answered ? leap_name(association.leap) : "Unknown");
  out.field("ntp_version", association.version);
  out.object("timestamping", [&] {
    out.field("transmit", stamp_name(association.transmit_stamp));
    out.field("receive", stamp_name(association.receive_stamp));
  });
  out.field("last_answer_age", age_s(status, association.last_answer));
  out.field("requests", association.requests);
  out.object("packets", [&] {
    for (std::size_t i = 0; i < ntp::packet_verdict_count; ++i)
      if (association.packets[i] != 0)
        out.field(
          std::string{to_string(static_cast<ntp::packet_verdict>(i))}.c_str(),
          association.packets[i]);
  });
  out.field("interleaved_answers", association.interleaved_answers);
  out.field("last_verdict", to_string(association.last_verdict));
  out.field("burst_tokens", association.burst_tokens);
}

void write_tests(json_writer& out, const ntp::source_snapshot& view) {
  out.array("tests", [&] {
    for (const ntp::source_test& test : view.tests)
      out.object([&] {
        out.field("name", test.name);
        out.field("passed", test.passed);
        out.field("value", test.value);
        out.field("limit", test.limit);
        out.field("unit", test.unit);
        out.field("text", test.text);
      });
  });
}

void write_source(json_writer& out, const daemon_status& status,
                  const source_status& source, bool with_tests) {
  write_measured(out, status, source);
  out.field("state", to_string(source.view.state));
  out.field("state_reason", source.view.state_reason);
  out.field("jitter", source.view.jitter_s);
  out.field("asymmetry", source.view.asymmetry_s);
  out.field("frequency", source.view.frequency_ppm * 1e-6);
  out.field("samples", source.view.samples);
  out.field("last_sample_age", age_s(status, source.view.last_sample));
  out.field("desired_poll", source.view.desired_poll);
  write_association(out, status, source.association);
  if (with_tests)
    write_tests(out, source.view);
}

/// Calls `use(response, reason, packets)` for each pair.
void for_each_pair(const ntp::server_counters& counters, const auto& use) {
  for (std::size_t p = 0; p < ntp::response_count; ++p)
    for (std::size_t q = 0; q < ntp::reason_count; ++q) {
      const auto what = static_cast<ntp::response>(p);
      const auto why = static_cast<ntp::reason>(q);
      use(what, why, counters.at(what, why));
    }
}

/// Whether requests with this reason had NTS fields.
bool is_nts(ntp::reason why) {
  return why == ntp::reason::nts || why == ntp::reason::nts_interleaved
         || why == ntp::reason::nts_cookie || why == ntp::reason::nts_forged;
}

/// ntpd-rs's counters, each a sum of pairs. What is not accepted, denied or
/// rate-limited stands under "ignored".
void write_stats(json_writer& out, const ntp::server_counters& counters) {
  std::uint64_t received = 0;
  std::uint64_t accepted = 0;
  std::uint64_t denied = 0;
  std::uint64_t limited = 0;
  std::uint64_t send_errors = 0;
  std::uint64_t with_nts = 0;
  std::uint64_t nts_accepted = 0;
  std::uint64_t nts_refused = 0;
  for_each_pair(counters, [&](auto what, auto why, std::uint64_t packets) {
    received += packets;
    if (why == ntp::reason::send_error)
      send_errors += packets;
    if (is_nts(why))
      with_nts += packets;
    if (is_nts(why) && what == ntp::response::answered)
      nts_accepted += packets;
    if (what == ntp::response::kiss_nts)
      nts_refused += packets;
    if (what == ntp::response::answered)
      accepted += packets;
    else if (what == ntp::response::kiss_deny)
      denied += packets;
    else if (what == ntp::response::kiss_rate || why == ntp::reason::rate)
      limited += packets;
  });
  out.field("received_packets", received);
  out.field("accepted_packets", accepted);
  out.field("denied_packets", denied);
  out.field("ignored_packets", received - accepted - denied - limited);
  out.field("rate_limited_packets", limited);
  out.field("response_send_errors", send_errors);
  out.field("nts_received_packets", with_nts);
  out.field("nts_accepted_packets", nts_accepted);
  // Kisses do not tell whether their requests were authentic.
  for (const char* key : {"nts_denied_packets", "nts_rate_limited_packets"})
    out.field(key, 0U);
  out.field("nts_nak_packets", nts_refused);
}

void write_counters(json_writer& out, const ntp::server_counters& counters) {
  out.array("counters", [&] {
    for_each_pair(counters, [&](auto what, auto why, std::uint64_t packets) {
      if (packets != 0)
        out.object([&] {
          out.field("response", to_string(what));
          out.field("reason", to_string(why));
          out.field("packets", packets);
        });
    });
  });
  out.array("versions", [&] {
    for (const std::uint64_t requests : counters.versions)
      out.value(requests);
  });
  out.field("queue_overflows", counters.queue_overflows);
}

/// A limit that is infinite becomes null, as do quantiles of nothing.
void write_latency(json_writer& out, const ntp::latency_histogram& latency) {
  const auto quantile = [&](double q) {
    return latency.total() == 0 ? std::nullopt
                                : std::optional{latency.quantile_s(q)};
  };
  out.field("p50", quantile(0.5));
  out.field("p99", quantile(0.99));
  out.array("buckets", [&] {
    for (std::size_t i = 0; i < latency.buckets.size(); ++i)
      if (latency.buckets[i] != 0)
        out.object([&] {
          out.field("limit", ntp::latency_histogram::limit_s(i));
          out.field("replies", latency.buckets[i]);
        });
  });
}

void write_server(json_writer& out, const server_status& server) {
  out.field("address", server.address.to_string());
  out.object("stats", [&] { write_stats(out, server.counters); });
  out.field("interface", server.interface);
  out.field("listening", server.listening);
  out.field("problem", server.problem);
  write_counters(out, server.counters);
  out.object("latency", [&] { write_latency(out, server.counters.latency); });
  out.field("transmit_delay", server.transmit_delay_s);
  out.array("top_clients", [&] {
    for (const ntp::client_count& client : server.top_clients)
      out.object([&] {
        out.field("address", client.client.to_string());
        out.field("requests", client.requests);
      });
  });
}

/// Puts `,"key":[…]` after a document, with as many of the elements as leave
/// it within `limit`. Each is written once, none after the first that does not
/// fit. Says whether all did.
bool append_list(std::string& document, std::string_view key, std::size_t limit,
                 std::size_t count,
                 const std::function<std::string(std::size_t)>& element) {
  document += ",\"" + std::string{key} + "\":[";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = element(i);
    if (document.size() + text.size() + 1 > limit) {
      document += ']';
      return false;
    }
    if (i > 0)
      document += ',';
    document += text;
  }
  document += ']';
  return true;
}

/// Puts `sources` and `nts_sources` after a document. Their elements are taken
/// in turn until one does not fit, so that both are cut alike. Says whether
/// all did.
bool append_sources(std::string& document, const daemon_status& status,
                    std::size_t limit, bool with_tests) {
  std::string sources = ",\"sources\":[";
  std::string nts_sources = ",\"nts_sources\":[";
  const auto add = [&](std::string& list, const std::string& element) {
    const std::size_t used
      = document.size() + sources.size() + nts_sources.size();
    if (used + element.size() + 1 > limit)
      return false;
    if (list.back() != '[')
      list += ',';
    list += element;
    return true;
  };
  const std::size_t n
    = std::max(status.sources.size(), status.nts_sources.size());
  bool all = true;
  for (std::size_t i = 0; all && i < n; ++i) {
    if (i < status.sources.size())
      all = add(sources, json_object([&](json_writer& out) {
                  write_source(out, status, status.sources[i], with_tests);
                }));
    if (all && i < status.nts_sources.size())
      all = add(nts_sources, json_object([&](json_writer& out) {
                  write_nts_source(out, status.nts_sources[i]);
                }));
  }
  document += sources + ']' + nts_sources + ']';
  return all;
}

} // namespace

std::string to_json(const daemon_status& status, std::size_t limit) {
  std::string document
    = "{\"program\":"
      + json_object([&](json_writer& out) { write_program(out, status); })
      + ",\"system\":"
      + json_object([&](json_writer& out) { write_system(out, status); })
      + ",\"clock\":" + json_object([&](json_writer& out) {
          out.field("kind", status.clock.kind);
          out.field("true_error", status.clock.true_error_s);
        });
  if (status.shadow)
    document += ",\"shadow\":" + shadow_json(*status.shadow);
  document += ",\"keyset\":"
              + (status.keyset ? json_object(
                   [&](json_writer& out) { write_keyset(out, *status.keyset); })
                               : "null");
  // The lists' keys, the brackets and `truncated` must fit as well.
  constexpr std::size_t tail = 128;
  const std::size_t room = limit > tail ? limit - tail : 0;
  const bool all_servers = append_list(
    document, "servers", room, status.servers.size(), [&](std::size_t i) {
      return json_object(
        [&](json_writer& out) { write_server(out, status.servers[i]); });
    });
  const bool all_ke_servers
    = append_list(document, "nts_ke_servers", room,
                  status.nts_ke_servers.size(), [&](std::size_t i) {
                    return json_object([&](json_writer& out) {
                      write_nts_ke_server(out, status.nts_ke_servers[i]);
                    });
                  });
  // The tests go first where there is not room enough.
  const std::size_t before = document.size();
  bool all_sources = append_sources(document, status, room, true);
  if (!all_sources) {
    document.resize(before);
    all_sources = append_sources(document, status, room, false);
  }
  document += all_servers && all_ke_servers && all_sources
                ? ",\"truncated\":false}"
                : ",\"truncated\":true}";
  return document;
}

std::string frame(std::string_view document) {
  std::string result;
  result.reserve(8 + document.size());
  for (int shift = 56; shift >= 0; shift -= 8)
    result += static_cast<char>(
      static_cast<std::uint64_t>(document.size()) >> shift & 0xff);
  return result += document;
}

} // namespace concert::ctl
