#include "exporter/page.hpp"

#include "ctl/format.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>

namespace concert::exporter {

namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// One row; each cell is text.
std::string row(std::string_view tag,
                std::initializer_list<std::string_view> cells) {
  std::string text = "<tr>";
  for (const auto cell : cells)
    fmt::format_to(std::back_inserter(text), "<{0}>{1}</{0}>", tag,
                   escaped(cell));
  return text + "</tr>\n";
}

std::string system_table(const ctl::observation& o) {
  const auto& s = o.system;
  std::string text = "<table class=\"facts\">\n";
  text += row("td", {"Clock", ctl::slow_or_fast(s.offset_s)});
  text += row("td", {"Estimated error", ctl::span(s.estimated_error_s)});
  text += row("td", {"Error bound", ctl::span(s.max_error_s)});
  text += row("td", {"Oscillator", ctl::oscillator(s.frequency)});
  text += row("td", {"Stratum", ctl::count(s.stratum)});
  text += row("td", {"Last update", ctl::age(s.last_update_age_s)});
  text += row("td", {"Steps", ctl::count(s.steps_total)});
  text += row("td", {"Daemon runs for", ctl::age(o.program.uptime_s)});
  return text + "</table>\n";
}

std::string source_table(const ctl::observation& o) {
  if (o.sources.empty())
    return "<p>There are no sources.</p>\n";
  std::string text = "<table>\n";
  text += row("th", {"Source", "Address", "State", "Time", "Uncertainty",
                     "Delay", "Last sample", "Why"});
  for (const auto& s : o.sources)
    text += row("td",
                {s.name, s.address, s.state, ctl::ahead_or_behind(s.offset_s),
                 ctl::span(s.uncertainty_s), ctl::span(s.delay_s),
                 ctl::age(s.last_sample_age_s), s.state_reason});
  return text + "</table>\n";
}

std::string now_section(const reading& r, std::string_view problem) {
  if (!r.observed)
    return fmt::format("<p class=\"state bad\">The daemon does not answer: "
                       "{}</p>\n",
                       escaped(problem));
  const auto& s = r.observed->system;
  return fmt::format("<p class=\"state {}\">{}: {}</p>\n{}{}",
                     s.synchronized.value_or(false) ? "good" : "bad",
                     escaped(s.state), escaped(s.state_reason),
                     system_table(*r.observed), source_table(*r.observed));
}

} // namespace

std::string page_html(const reading& r, std::string_view problem) {
  return fmt::format(R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Concert: the clock of this machine</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="dygraph.min.css">
<link rel="stylesheet" href="page.css">
<script defer src="dygraph.min.js"></script>
<script defer src="page.js"></script>
</head>
<body>
<h1>The clock of this machine</h1>
<section id="now">
{}</section>
<section id="plots" hidden>
<h2>Offset of the clock, within its estimated error</h2>
<div id="offset" class="plot"></div>
<h2>Error bound</h2>
<div id="bound" class="plot"></div>
<h2>Offsets of the sources</h2>
<div id="sources" class="plot"></div>
</section>
<footer>
<a href="metrics">metrics</a> ·
<a href="status.json">status.json</a> ·
<a href="history.json">history.json</a> ·
plots by <a href="dygraph.min.js">dygraphs</a> (MIT licence)
</footer>
</body>
</html>
)",
                     now_section(r, problem));
}

} // namespace concert::exporter
