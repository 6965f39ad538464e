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

using label_lines = std::vector<std::vector<std::string>>;

/// What the estimated error is made of, each part with its share of the
/// variance.
void add_budget(label_lines& lines, const observed_system& s) {
  if (!s.budget || !s.estimated_error_s)
    return;
  lines.push_back({"Estimated error", span(s.estimated_error_s)});
  const double whole = *s.estimated_error_s * *s.estimated_error_s;
  const auto add = [&](const char* label, std::optional<double> part_s) {
    if (!part_s)
      return;
    const double share = whole > 0 ? *part_s * *part_s / whole : 0;
    lines.push_back(
      {label, fmt::format("{}, {:.0f} %", span(part_s), 100 * share)});
  };
  const observed_budget& b = *s.budget;
  add("  asymmetry", b.asymmetry_s);
  add("  servers", b.server_s);
  add("  wander", b.wander_s);
  add("  measurement", b.measurement_s);
  // Mostly nothing.
  if (b.unslewed_s.value_or(0) > 0)
    add("  unslewed", b.unslewed_s);
  if (b.disagreement_s.value_or(0) > 0)
    add("  disagreement", b.disagreement_s);
}

} // namespace

std::string tracking_view(const observation& o) {
  const observed_system& s = o.system;
  label_lines lines{
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
  };
  add_budget(lines, s);
  const label_lines rest{
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
  lines.insert(lines.end(), rest.begin(), rest.end());
  if (o.clock.true_error_s)
    lines.push_back({"True error", slow_or_fast(-*o.clock.true_error_s)});
  for (auto& line : lines)
    line[1].insert(0, ": ");
  return labelled(lines);
}

} // namespace concert::ctl
