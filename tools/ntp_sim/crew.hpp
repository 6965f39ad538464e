#pragma once

#include "tools/ntp_sim/tally.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace concert::sim {

/// One seed of one scenario.
struct job {
  std::size_t scenario = 0;
  std::uint64_t seed = 0;
};

struct job_result {
  job done;
  std::vector<tally> levels;
  std::string error; ///< a sentence; empty = fine
};

/// How a crew ended.
enum class crew_end : std::uint8_t { finished, interrupted };

/// Does all jobs, each in a process of its own, `processes` at a time. `work`
/// runs in the child and may throw; `done` and, about twice a second, `tick`
/// run here. SIGINT and SIGTERM end the children and the whole.
crew_end run_crew(const std::vector<job>& jobs, unsigned processes,
                  const std::function<std::vector<tally>(const job&)>& work,
                  const std::function<void(job_result)>& done,
                  const std::function<void()>& tick);

} // namespace concert::sim
