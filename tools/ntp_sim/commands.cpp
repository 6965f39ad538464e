#include "tools/ntp_sim/commands.hpp"

#include "actors/version.hpp"
#include "tools/ntp_sim/crew.hpp"
#include "tools/ntp_sim/daemon_file.hpp"
#include "tools/ntp_sim/progress.hpp"
#include "tools/ntp_sim/row.hpp"
#include "tools/ntp_sim/scratch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace concert::sim {

namespace {

/// Folders become the scenarios in them, by name.
std::vector<std::filesystem::path>
all_files(const std::vector<std::filesystem::path>& given) {
  std::vector<std::filesystem::path> result;
  for (const auto& path : given) {
    if (!std::filesystem::is_directory(path)) {
      result.push_back(path);
      continue;
    }
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator{path})
      if (entry.path().extension() == ".toml")
        inside.push_back(entry.path());
    std::sort(inside.begin(), inside.end());
    result.insert(result.end(), inside.begin(), inside.end());
  }
  return result;
}

/// All that can be read; `bad` tells whether something could not.
std::vector<scenario_file> load_all(const options& o, bool& bad) {
  std::vector<scenario_file> result;
  for (const auto& path : all_files(o.files)) {
    auto file = scenario_file::load(path);
    if (file) {
      result.push_back(std::move(*file));
      continue;
    }
    bad = true;
    for (const auto& d : file.error())
      fmt::print(stderr, "{}\n", d.to_string());
  }
  if (result.empty() && !bad) {
    fmt::print(stderr, "ntp-sim: no scenarios found\n");
    bad = true;
  }
  return result;
}

bool is_wanted(const scenario& s, aside_rows aside) {
  return aside == aside_rows::with || s.aside == (aside == aside_rows::only);
}

run_head head_of(const options& o) {
  run_head head;
  head.version
    = fmt::format("ntp-sim {} ({}, {})", actors::version(),
                  actors::build_commit(), actors::build_commit_date());
  head.discipline = name_of(o.discipline);
  head.configuration = default_configuration();
  head.first_seed = o.first_seed;
  head.seeds = o.seeds;
  return head;
}

/// A run of all scenarios with all seeds.
class whole_run {
public:
  whole_run(const options& o, std::vector<scenario_file> files)
    : options_(o),
      files_(std::move(files)) {
    std::erase_if(files_, [&](const auto& f) {
      return !is_wanted(f.for_seed(o.first_seed), o.aside);
    });
    for (const auto& f : files_)
      scenarios_.push_back(f.for_seed(o.first_seed));
    results_.resize(files_.size());
  }

  exit_code execute() {
    if (files_.empty()) {
      fmt::print(stderr, "ntp-sim: no scenario is left to run\n");
      return exit_code::usage;
    }
    const bool single = options_.wanted.plot || options_.wanted.trace;
    if (single && files_.size() != 1) {
      fmt::print(stderr, "ntp-sim: --plot and --trace take one scenario\n");
      return exit_code::usage;
    }
    if (simulate_all() == crew_end::interrupted)
      return exit_code::interrupted;
    return print();
  }

private:
  crew_end simulate_all() {
    std::vector<job> jobs;
    for (std::size_t i = 0; i < files_.size(); ++i)
      for (std::uint64_t k = 0; k < options_.seeds; ++k)
        jobs.push_back({i, options_.first_seed + k});
    progress shown{jobs.size(), files_.size(), options_.quiet};
    const scratch temporary;
    return run_crew(
      jobs, options_.jobs,
      [&](const job& j) { return simulate_one(j, temporary.path()); },
      [&](job_result r) { keep(std::move(r), shown); }, [&] { shown.tick(); });
  }

  std::vector<tally> simulate_one(const job& j,
                                  const std::filesystem::path& temporary) {
    auto wanted = options_.wanted;
    if (j.seed != options_.first_seed) {
      wanted.plot.reset();
      wanted.trace.reset();
    }
    return simulate(files_[j.scenario], j.seed, options_.discipline, wanted,
                    temporary / files_[j.scenario].name());
  }

  void keep(job_result r, progress& shown) {
    auto& result = results_[r.done.scenario];
    if (r.error.empty())
      result.runs[r.done.seed] = std::move(r.levels);
    else
      result.errors.push_back(fmt::format("seed {}: {}", r.done.seed, r.error));
    shown.job_done();
    if (result.runs.size() + result.errors.size() == options_.seeds)
      shown.row_done();
  }

  exit_code print() const {
    std::vector<row> rows;
    for (std::size_t i = 0; i < files_.size(); ++i)
      for (auto& r : rows_of(scenarios_[i], results_[i]))
        rows.push_back(std::move(r));
    const auto head = head_of(options_);
    const auto text
      = options_.json ? json_text(head, rows) : table_text(head, rows);
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()
        || std::fflush(stdout) != 0) {
      std::perror("ntp-sim: cannot write the output");
      return exit_code::failed;
    }
    const bool failed = std::any_of(rows.begin(), rows.end(), [](const row& r) {
      return !r.failures.empty();
    });
    return failed ? exit_code::failed : exit_code::fine;
  }

  const options& options_;
  std::vector<scenario_file> files_;
  std::vector<scenario> scenarios_;
  std::vector<scenario_result> results_;
};

} // namespace

exit_code execute(const options& o) {
  bool bad = false;
  auto files = load_all(o, bad);
  if (bad)
    return exit_code::usage;
  if (o.what == command::check) {
    fmt::print("{} {}\n", files.size(),
               files.size() == 1 ? "scenario is fine" : "scenarios are fine");
    return exit_code::fine;
  }
  return whole_run{o, std::move(files)}.execute();
}

} // namespace concert::sim
