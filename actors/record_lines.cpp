#include "actors/record_lines.hpp"

#include "ctl/json_writer.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace concert::actors {

namespace {

/// The moment as text with all nine digits, and as an integer: a double would
/// round both.
void write_time(ctl::json_writer& out, ntp::ntp_timestamp when,
                std::chrono::nanoseconds pivot) {
  const auto unix_time = when.to_unix(pivot);
  const auto s = std::chrono::floor<std::chrono::seconds>(unix_time);
  out.field("time", std::string_view{fmt::format(
                      "{:%Y-%m-%dT%H:%M:%S}.{:09}Z",
                      fmt::gmtime(static_cast<std::time_t>(s.count())),
                      (unix_time - s).count())});
  out.field("unix_ns", unix_time.count());
}

} // namespace

std::string measurement_line(const measurement_taken& m,
                             std::chrono::nanoseconds unix_time) {
  return ctl::json_object([&](ctl::json_writer& out) {
    const auto& s = m.sample;
    write_time(out, m.now, unix_time);
    out.field("source", m.source);
    out.field("address", std::string_view{m.address.to_string()});
    out.field("offset", s.offset().seconds());
    out.field("delay", s.delay().seconds());
    out.field("sent_stamp", to_string(s.t1.kind));
    out.field("received_stamp", to_string(s.t4.kind));
    out.field("poll", m.association.poll);
    out.field("reach", m.association.reachability);
    out.field("stratum", s.stratum);
    out.field("root_delay", s.root_delay.seconds());
    out.field("root_dispersion", s.root_dispersion.seconds());
    out.field("state", to_string(m.view.state));
    out.field("source_offset", m.view.offset_s);
    out.field("uncertainty", m.view.uncertainty_s);
    out.field("base_delay", m.view.delay_s);
    out.field("samples", m.view.samples);
  });
}

std::string tracking_line(const clock_updated& u,
                          std::chrono::nanoseconds unix_time) {
  return ctl::json_object([&](ctl::json_writer& out) {
    const auto& s = u.system;
    write_time(out, u.now, unix_time);
    out.field("state", to_string(s.state));
    out.field("synchronized", s.synchronized);
    out.field("offset", s.offset_s);
    out.field("frequency_ppm", s.frequency * 1e6);
    out.field("frequency_uncertainty_ppm", s.frequency_uncertainty * 1e6);
    out.field("estimated_error", s.estimated_error_s);
    out.field("max_error", s.max_error_s);
    out.field("stability", s.stability_s);
    out.field("wander", s.wander);
    out.field("stratum", s.served.stratum);
    out.field("selected_sources", s.selected_sources);
    out.field("steps", s.steps_total);
    if (u.true_error_s)
      out.field("true_error", *u.true_error_s);
  });
}

} // namespace concert::actors
