#include "tools/ntp_sim/row.hpp"

#include <fmt/format.h>

namespace concert::sim {

std::vector<row> rows_of(const scenario& s, const scenario_result& r) {
  std::vector<row> rows;
  for (int level = 1; level <= s.chain; ++level) {
    row one;
    one.name = level == 1 ? s.name : fmt::format("{}/{}", s.name, level);
    one.from = &s;
    one.judged = level == s.chain;
    std::vector<tally> runs;
    for (const auto& [seed, levels] : r.runs)
      runs.push_back(levels[static_cast<std::size_t>(level - 1)]);
    if (!runs.empty())
      one.found = pooled(runs, s.lock_level_s.has_value());
    if (one.judged) {
      one.failures = r.errors;
      if (!runs.empty())
        for (auto& text : broken_limits(s.limits, one.found, s.reference))
          one.failures.push_back(std::move(text));
    }
    rows.push_back(std::move(one));
  }
  return rows;
}

} // namespace concert::sim
