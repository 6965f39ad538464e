#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

namespace concert::ctl {

namespace {

std::string leap_words(const std::string& name) {
  if (name == "NoWarning")
    return "no leap second near";
  if (name == "Leap61")
    return "a second will be inserted at the end of this day";
  if (name == "Leap59")
    return "a second will be left out at the end of this day";
  return name == "Unsynchronized" ? "not synchronized" : "unknown";
}

std::string steps(const observed_system& s) {
  if (s.steps_total.value_or(0) == 0)
    return count(s.steps_total);
  return fmt::format("{}, the last {} {}", *s.steps_total, span(s.last_step_s),
                     s.last_step_s.value_or(0) < 0 ? "back" : "forward");
}

std::string ago(std::optional<double> seconds) {
  return seconds ? age(seconds) + " ago" : "never";
}

std::string agreeing(const observed_system& s) {
  return fmt::format("{} selected, {} must agree", count(s.selected_sources),
                     count(s.required_sources));
}

} // namespace

std::string tracking_view(const observation& o) {
  const observed_system& s = o.system;
  std::vector<std::vector<std::string>> lines{
    {"State", headline(s)},
    {"Reason", s.state_reason.empty() ? "-" : s.state_reason},
    {"Reference ID", fmt::format("{:08X} ({})", s.reference_id,
                                 reference(s.reference_id, s.stratum))},
    {"Stratum", count(s.stratum)},
    {"Ref time", utc(s.reference_time)},
    {"Last update", ago(s.last_update_age_s)},
    {"System time", clock_sentence(s)},
    {"Maximum error", is_measured(s) ? span(s.max_error_s) : "-"},
    {"Stability", span(s.stability_s)},
    {"Frequency", oscillator(s.frequency)},
    {"Skew", "+/- " + ppm(s.frequency_uncertainty)},
    {"Root delay", span(s.root_delay_s)},
    {"Root dispersion", span(s.root_dispersion_s)},
    {"Sources", agreeing(s)},
    {"Steps", steps(s)},
    {"Holdover", age(s.holdover_s)},
    {"Leap status", leap_words(s.leap)},
    {"Clock", o.clock.kind.empty() ? "-" : o.clock.kind},
  };
  if (o.clock.true_error_s)
    lines.push_back({"True error", slow_or_fast(-*o.clock.true_error_s)});
  for (auto& line : lines)
    line[1].insert(0, ": ");
  return labelled(lines);
}

} // namespace concert::ctl
