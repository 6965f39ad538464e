#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/view/views.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace concert::ctl {

namespace {

using ntp::watched_span;

std::string hour_text(const watched_span& s) {
  const auto time = utc(ntp::ntp_timestamp::from_unix(s.since));
  // Without the seconds, which are 0.
  return time.size() > 16 ? time.substr(0, 16) : time;
}

std::string steps_text(std::uint64_t steps, double sum_s) {
  return steps == 0 ? "-" : fmt::format("{} ({})", steps, span(sum_s));
}

std::vector<std::string> cells(std::string title, const watched_span& s) {
  const bool known = s.watched_s > 0;
  const auto value = [&](double v) { return known ? span(v) : "-"; };
  return {std::move(title),
          age(s.watched_s),
          known ? slow_or_fast(s.mean_s) : "-",
          value(s.rms_s),
          value(s.largest_s),
          value(s.uncertainty_s),
          steps_text(s.steps, s.stepped_s),
          count(s.frequency_changes),
          steps_text(s.own_steps, s.own_stepped_s)};
}

/// Whether the difference is one. Beyond the bound it must be.
std::string_view verdict(const watched_span& total) {
  if (total.rms_s <= 2 * total.uncertainty_s)
    return "That is no more than what is not known: the two agree.\n";
  if (total.rms_s <= total.max_error_s)
    return "That is more than what is likely, but paths that differ there and "
           "back could explain it.\n";
  return "That is more than paths and servers can hide: the two differ.\n";
}

std::string sentence(const watched_span& total) {
  if (total.watched_s <= 0)
    return "Nothing is known yet: no majority of the sources has been "
           "heard.\n";
  std::string text = fmt::format(
    "The other daemon's clock was within {} of ours (RMS), at most {}; we know "
    "it to +/- {}, surely to {}.\n",
    span(total.rms_s), span(total.largest_s), span(total.uncertainty_s),
    span(total.max_error_s));
  text += verdict(total);
  text += total.own_steps == 0
            ? "We would not have stepped it"
            : fmt::format("We would have stepped it {} time{}, by {} in all",
                          total.own_steps, total.own_steps == 1 ? "" : "s",
                          span(total.own_stepped_s));
  return text
         + fmt::format("; it was stepped {} time{}, and its frequency, {} to "
                       "{}, was changed {} time{}.\n",
                       total.steps, total.steps == 1 ? "" : "s",
                       oscillator(total.lowest_frequency),
                       oscillator(total.highest_frequency),
                       total.frequency_changes,
                       total.frequency_changes == 1 ? "" : "s");
}

std::string csv_line(const watched_span& s) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                     s.since.count(), s.watched_s, s.looks, s.mean_s, s.rms_s,
                     s.largest_s, s.uncertainty_s, s.max_error_s, s.steps,
                     s.stepped_s, s.frequency_changes, s.lowest_frequency,
                     s.highest_frequency, s.own_steps, s.own_stepped_s);
}

} // namespace

std::string compare_view(const ntp::shadow_snapshot& shadow) {
  using align = table::align;
  table hours{{{"Hour (UTC)", align::left},
               {"Seen", align::right},
               {"Mean", align::right},
               {"RMS", align::right},
               {"Maximum", align::right},
               {"Known to", align::right},
               {"Steps", align::right},
               {"Freq. set", align::right},
               {"Our steps", align::right}}};
  for (const auto& hour : shadow.hours)
    hours.row(cells(hour_text(hour), hour));
  if (shadow.hours.size() > 1)
    hours.row(cells("all", shadow.total));
  return sentence(shadow.total) + '\n' + hours.text();
}

std::string compare_csv(const ntp::shadow_snapshot& shadow) {
  std::string text
    = "since,watched_seconds,looks,mean_offset,rms_offset,max_offset,"
      "uncertainty,max_error,steps,stepped,frequency_changes,"
      "lowest_frequency,highest_frequency,own_steps,own_stepped\n";
  for (const auto& hour : shadow.hours)
    text += csv_line(hour);
  return text;
}

} // namespace concert::ctl
