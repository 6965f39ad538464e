#include "tools/ntp_once/report.hpp"

#include "ctl/format.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace concert::once {

namespace {

/// What the steering says of the clock holds the clock's own offset; less that,
/// it is what it says of the servers' time.
verdict verdict_of(const ntp::system_snapshot& s) {
  verdict v;
  v.agreed = s.last_update && s.selected_sources >= s.required_sources;
  v.offset_s = s.offset_s;
  const double offset = std::abs(s.offset_s);
  v.max_error_s = std::max(0.0, s.max_error_s - offset);
  v.estimated_error_s = std::sqrt(std::max(
    0.0, (s.estimated_error_s - offset) * (s.estimated_error_s + offset)));
  return v;
}

char mark(ntp::source_state s) {
  switch (s) {
    case ntp::source_state::selected:
      return '*';
    case ntp::source_state::candidate:
      return '+';
    case ntp::source_state::falseticker:
      return 'x';
    case ntp::source_state::unreachable:
      return '?';
    case ntp::source_state::unusable:
      break;
  }
  return '!';
}

std::string leap_words(ntp::leap_indicator leap) {
  switch (leap) {
    case ntp::leap_indicator::none:
      return "no leap second";
    case ntp::leap_indicator::insert_second:
      return "a second will be inserted today";
    case ntp::leap_indicator::delete_second:
      return "a second will be left out today";
    case ntp::leap_indicator::unsynchronized:
      break;
  }
  return "not synchronized";
}

std::string stamp_words(const ntp::association_snapshot& a) {
  const auto name = [](std::optional<ntp::stamp_kind> kind) {
    return !kind                                ? "-"
           : *kind == ntp::stamp_kind::hardware ? "hardware"
           : *kind == ntp::stamp_kind::kernel   ? "kernel"
                                                : "own";
  };
  return fmt::format("{}/{} stamps", name(a.transmit_stamp),
                     name(a.receive_stamp));
}

/// "kiss-rate 2, malformed 1": what came and was of no use.
std::string refused_packets(const ntp::association_snapshot& a) {
  std::string list;
  for (std::size_t i = 1; i < ntp::packet_verdict_count; ++i)
    if (a.packets[i] != 0)
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ",
                          to_string(static_cast<ntp::packet_verdict>(i)),
                          a.packets[i]);
  return list;
}

std::string root_distance(const ctl::source_status& s) {
  if (!s.view.offset_s)
    return "-";
  return ctl::span((s.association.root_delay.seconds() + s.view.delay_s) / 2
                   + s.association.root_dispersion.seconds());
}

/// The lines under a server.
std::string explanation(const ctl::source_status& s,
                        const std::string& trouble) {
  constexpr std::size_t indent = 4;
  constexpr std::size_t columns = 80 - indent;
  const auto& a = s.association;
  const auto line = [&](const std::string& text) {
    return std::string(indent, ' ') + ctl::wrapped(text, columns, indent);
  };
  auto asked = fmt::format("{}: {} of {} requests", s.address.to_string(),
                           s.view.samples, a.requests);
  if (a.stratum != 0)
    asked += fmt::format(", reference {}, {}, {}",
                         ctl::reference(a.reference_id, a.stratum),
                         leap_words(a.leap), stamp_words(a));
  if (a.interleaved_answers != 0)
    asked += fmt::format(", {} answers interleaved", a.interleaved_answers);
  auto lines = line(asked);
  if (const auto refused = refused_packets(a); !refused.empty())
    lines += '\n' + line("not used: " + refused);
  if (!trouble.empty())
    lines += '\n' + line(ctl::printable(trouble));
  if (s.view.state != ntp::source_state::selected)
    lines += '\n'
             + line(fmt::format("{}: {}", to_string(s.view.state),
                                s.view.state_reason));
  return lines;
}

std::string verdict_sentence(const outcome& o) {
  const auto& s = o.status.system;
  const auto& v = o.all;
  if (!v.agreed)
    return "No verdict: " + s.state_reason + ".\n";
  return fmt::format(
    "{} of {} servers agree: this clock is {} (offset {:+.9f} s) "
    "+/- {}, which is wrong by {} at most.\n",
    s.selected_sources, o.status.sources.size(), ctl::slow_or_fast(v.offset_s),
    v.offset_s, ctl::span(v.estimated_error_s), ctl::span(v.max_error_s));
}

} // namespace

outcome outcome_of(const client_loop& loop, const platform::clock& clock) {
  const auto now = clock.read();
  outcome o;
  auto& status = o.status;
  status.version = CONCERT_VERSION;
  status.now = now.wall;
  status.mono_now = now.mono;
  status.system = loop.steering().snapshot(now);
  status.clock = {std::string{clock.kind()}, clock.true_error_s()};
  auto views = loop.steering().sources(now);
  for (const auto& s : loop.sources()) {
    const auto view
      = std::find_if(views.begin(), views.end(),
                     [&](const auto& v) { return v.id == s.registration.id; });
    status.sources.push_back(
      {s.registration.name, s.registration.address,
       s.machine.snapshot(now.mono),
       view == views.end() ? ntp::source_snapshot{} : std::move(*view)});
    o.troubles.push_back(s.trouble);
  }
  o.all = verdict_of(status.system);
  return o;
}

std::string plain_text(const outcome& o) {
  constexpr auto to_right = ctl::table::align::right;
  constexpr std::size_t name_columns = 24;
  ctl::table t{{{""},
                {"server"},
                {"st", to_right},
                {"by it, this clock is", to_right},
                {"+/-", to_right},
                {"delay", to_right},
                {"distance", to_right}},
               1};
  for (std::size_t i = 0; i < o.status.sources.size(); ++i) {
    const auto& s = o.status.sources[i];
    const bool measured = s.view.offset_s.has_value();
    const auto if_measured
      = [&](double v) { return measured ? ctl::span(v) : std::string{"-"}; };
    t.row(
      {std::string{mark(s.view.state)},
       ctl::shortened(ctl::printable(s.name), name_columns),
       s.association.stratum == 0 ? "-" : std::to_string(s.association.stratum),
       ctl::slow_or_fast(s.view.offset_s), if_measured(s.view.uncertainty_s),
       if_measured(s.view.delay_s), root_distance(s)});
    t.note(explanation(s, o.troubles[i]));
  }
  return t.text()
         + "* agrees  + not judged  x falseticker  ? no answer  ! unusable\n"
         + ctl::wrapped(verdict_sentence(o), 80, 0);
}

std::string json_text(const outcome& o) {
  const auto& v = o.all;
  const auto measured = ctl::json_object([&](ctl::json_writer& out) {
    const auto if_agreed = [&](double value) {
      return v.agreed ? std::optional{value} : std::nullopt;
    };
    out.field("agreed", v.agreed);
    out.field("offset", if_agreed(v.offset_s));
    out.field("estimated_error", if_agreed(v.estimated_error_s));
    out.field("max_error", if_agreed(v.max_error_s));
  });
  return "{\"measured\":" + measured + ',' + ctl::to_json(o.status).substr(1)
         + '\n';
}

} // namespace concert::once
