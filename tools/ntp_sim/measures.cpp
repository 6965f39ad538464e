#include "tools/ntp_sim/measures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace concert::sim {

namespace {

using optional_number = std::optional<double>;

optional_number ratio(double ours, optional_number theirs) {
  if (!theirs || *theirs == 0)
    return std::nullopt;
  return ours / *theirs;
}

constexpr measure all[] = {
  {"rms", [](auto& f, auto&) -> optional_number { return f.rms; }, ""},
  {"max", [](auto& f, auto&) -> optional_number { return f.max_worst; }, ""},
  {"max-mean", [](auto& f, auto&) -> optional_number { return f.max_mean; },
   ""},
  {"p999", [](auto& f, auto&) -> optional_number { return f.p999; }, ""},
  {"frequency-rms",
   [](auto& f, auto&) -> optional_number { return f.frequency_rms; }, ""},
  {"rms-to-bound", [](auto& f, auto& r) { return ratio(f.rms, r.bound); },
   "bound"},
  {"rms-to-chrony", [](auto& f, auto& r) { return ratio(f.rms, r.chrony.rms); },
   "chrony.rms"},
  {"rms-to-prototype",
   [](auto& f, auto& r) { return ratio(f.rms, r.prototype.rms); },
   "prototype.rms"},
  {"rms-to-baseline", [](auto& f, auto& r) { return ratio(f.rms, r.baseline); },
   ""},
  {"max-to-chrony",
   [](auto& f, auto& r) { return ratio(f.max_mean, r.chrony.max); },
   "chrony.max"},
  {"p999-to-chrony",
   [](auto& f, auto& r) { return ratio(f.p999, r.chrony.p999); },
   "chrony.p999"},
  {"frequency-to-chrony",
   [](auto& f, auto& r) { return ratio(f.frequency_rms, r.chrony.frequency); },
   "chrony.frequency"},
  {"consistency", [](auto& f, auto&) { return f.consistency; }, ""},
  {"max-error-ratio",
   [](auto& f, auto&) {
     return ratio(f.max_error, f.max_error_floor + 3 * f.rms);
   },
   ""},
  {"bound-violations",
   [](auto& f, auto&) -> optional_number { return f.bound_violations; }, ""},
  {"first-lock", [](auto& f, auto&) { return f.first_lock_median; }, ""},
  {"first-lock-worst", [](auto& f, auto&) { return f.first_lock_worst; }, ""},
  {"packets", [](auto& f, auto&) -> optional_number { return f.packets; }, ""},
  {"selection-changes-per-day",
   [](auto& f, auto&) { return f.selection_changes_per_day; }, ""},
  {"trend", [](auto& f, auto&) -> optional_number { return f.trend; }, ""},
};

/// Where to look for it, if that is known.
std::string when(const measure& what, const figures& f) {
  if (what.name != "bound-violations" || !f.first_violation)
    return {};
  return fmt::format(", between {:.0f} s and {:.0f} s", *f.first_violation,
                     f.last_violation.value_or(0));
}

} // namespace

std::span<const measure> measures() {
  return all;
}

const measure* find_measure(std::string_view name) {
  const auto* found
    = std::ranges::find(std::begin(all), std::end(all), name, &measure::name);
  return found == std::end(all) ? nullptr : found;
}

std::vector<std::string> broken_limits(const std::vector<limit>& limits,
                                       const figures& found,
                                       const reference_figures& reference) {
  std::vector<std::string> result;
  for (const auto& l : limits) {
    const auto value = l.what->of(found, reference);
    // What only a report knows is judged there.
    if (!value && l.what->name == "rms-to-baseline")
      continue;
    if (!value)
      result.push_back(fmt::format("{} is not known", l.what->name));
    else if (!(*value <= l.high))
      result.push_back(fmt::format("{} is {:.5g}, above the limit {:.4g}{}",
                                   l.what->name, *value, l.high,
                                   when(*l.what, found)));
    else if (l.low && !(*value >= *l.low))
      result.push_back(fmt::format("{} is {:.5g}, below the limit {:.4g}",
                                   l.what->name, *value, *l.low));
  }
  return result;
}

} // namespace concert::sim
