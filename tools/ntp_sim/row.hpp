#pragma once

#include "tools/ntp_sim/measures.hpp"
#include "tools/ntp_sim/scenario.hpp"
#include "tools/ntp_sim/tally.hpp"

#include <map>
#include <string>
#include <vector>

namespace concert::sim {

/// What all seeds of a scenario have come to: one daemon of its chain.
struct row {
  std::string name;
  const scenario* from = nullptr;
  figures found;
  /// Only the last of a chain is judged: references and limits are its.
  bool judged = true;
  std::vector<std::string> failures; ///< sentences
};

/// What the seeds of one scenario came to, by seed.
struct scenario_result {
  std::map<std::uint64_t, std::vector<tally>> runs;
  std::vector<std::string> errors; ///< of seeds that have no result
};

std::vector<row> rows_of(const scenario& s, const scenario_result& r);

/// What stands at the head of all output.
struct run_head {
  std::string version;
  std::string discipline;
  std::string configuration;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 0;
};

/// The table for people: head, one line a row, geometric means, failures.
std::string table_text(const run_head& head, const std::vector<row>& rows);
/// The same, complete, for programs.
std::string json_text(const run_head& head, const std::vector<row>& rows);

} // namespace concert::sim
