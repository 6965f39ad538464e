#include "ctl/table.hpp"
#include "tools/ntp_sim/numbers.hpp"
#include "tools/ntp_sim/row.hpp"

#include <fmt/format.h>

#include <cmath>

namespace concert::sim {

namespace {

std::optional<double> value_of(std::string_view measure, const row& r) {
  return r.judged ? find_measure(measure)->of(r.found, r.from->reference)
                  : std::nullopt;
}

std::string lock_text(const figures& f) {
  if (!f.first_lock_median)
    return "-";
  return fmt::format("{:.0f}/{:.0f}", *f.first_lock_median,
                     f.first_lock_worst.value_or(0));
}

std::optional<double> inverse(std::optional<double> v) {
  return v && *v != 0 ? std::optional{1 / *v} : std::nullopt;
}

std::vector<std::string> cells_of(const row& r) {
  const auto& f = r.found;
  if (f.seeds == 0)
    return {r.name, "0", "-", "-", "-", "-", "-", "-", "-",
            "-",    "-", "-", "-", "-", "-", "-", "-", "FAILED"};
  return {r.name,
          std::to_string(f.seeds),
          time_text(f.rms),
          time_text(f.rms_error),
          ratio_text(value_of("rms-to-bound", r)),
          ratio_text(inverse(value_of("rms-to-chrony", r))),
          ratio_text(value_of("rms-to-prototype", r)),
          time_text(f.max_mean),
          time_text(f.p999),
          frequency_text(f.frequency_rms),
          lock_text(f),
          ratio_text(f.consistency),
          ratio_text(find_measure("max-error-ratio")->of(f, {})),
          fmt::format("{:.0f}", f.bound_violations),
          fmt::format("{:.0f}", f.packets),
          ratio_text(f.selection_changes_per_day),
          fmt::format("{:.2f}", f.trend),
          r.failures.empty() ? "ok" : "FAILED"};
}

/// The geometric mean of a measure over the rows that have it.
std::string geometric_mean(std::string_view measure,
                           const std::vector<row>& rows) {
  double sum = 0;
  int count = 0;
  for (const auto& r : rows) {
    const auto v = r.found.seeds == 0 ? std::nullopt : value_of(measure, r);
    if (!v || *v <= 0)
      continue;
    sum += std::log(*v);
    ++count;
  }
  if (count < 2)
    return {};
  return fmt::format("geometric mean of {} over {} rows: {:.3f}\n", measure,
                     count, std::exp(sum / count));
}

std::string speed_text(const std::vector<row>& rows) {
  double simulated = 0;
  double cpu = 0;
  double polls = 0;
  for (const auto& r : rows) {
    const auto& f = r.found;
    if (f.times_real_time == 0)
      continue;
    const double run = static_cast<double>(f.seeds) * r.from->duration_s;
    simulated += run;
    cpu += run / f.times_real_time;
    polls += run / f.times_real_time * f.polls_per_second;
  }
  if (cpu == 0)
    return {};
  std::string text = fmt::format(
    "{:.0f} h simulated in {:.1f} s of CPU time: {:.0f} times real time, "
    "{:.0f} polls/s\n",
    simulated / 3600, cpu, simulated / cpu, polls / cpu);
  for (const auto& r : rows)
    if (r.found.filter_cost)
      text += fmt::format("{}: filters {} a sample\n", r.name,
                          time_text(r.found.filter_cost));
  return text;
}

} // namespace

std::string table_text(const run_head& head, const std::vector<row>& rows) {
  using align = ctl::table::align;
  std::string text
    = fmt::format("{}, discipline {}, seeds {} to {}\ndefaults: {}\n\n",
                  head.version, head.discipline, head.first_seed,
                  head.first_seed + head.seeds - 1, head.configuration);
  ctl::table table{{{"scenario", align::left},
                    {"seeds", align::right},
                    {"rms", align::right},
                    {"+-", align::right},
                    {"/bound", align::right},
                    {"chrony/", align::right},
                    {"/proto", align::right},
                    {"max", align::right},
                    {"p99.9", align::right},
                    {"freq", align::right},
                    {"lock s", align::right},
                    {"cons", align::right},
                    {"mxerr", align::right},
                    {"viol", align::right},
                    {"pkts", align::right},
                    {"sel/d", align::right},
                    {"trend", align::right},
                    {"", align::left}}};
  for (const auto& r : rows)
    table.row(cells_of(r));
  text += table.text() + "\n" + geometric_mean("rms-to-bound", rows)
          + geometric_mean("rms-to-chrony", rows) + speed_text(rows);
  for (const auto& r : rows)
    for (const auto& failure : r.failures)
      text += fmt::format("FAILED {}: {}\n", r.name, failure);
  return text;
}

} // namespace concert::sim
