#include "tools/ntp_sim/crew.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <stdexcept>

namespace concert::sim {

namespace {

std::vector<job> jobs_of(std::uint64_t seeds) {
  std::vector<job> jobs;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    jobs.push_back({0, seed});
  return jobs;
}

std::map<std::uint64_t, job_result>
run(std::uint64_t seeds,
    const std::function<std::vector<tally>(const job&)>& work) {
  std::map<std::uint64_t, job_result> results;
  const auto end = run_crew(
    jobs_of(seeds), 3, work,
    [&](job_result r) {
      const auto seed = r.done.seed;
      results[seed] = std::move(r);
    },
    [] {});
  CHECK(end == crew_end::finished);
  return results;
}

} // namespace

TEST_CASE("each job's tallies come back, whatever the order") {
  const auto results = run(10, [](const job& j) {
    std::vector<tally> levels(2);
    levels[1].packets = j.seed;
    levels[1].magnitudes.add(1e-6);
    return levels;
  });
  REQUIRE(results.size() == 10);
  for (const auto& [seed, r] : results) {
    CHECK(r.error.empty());
    REQUIRE(r.levels.size() == 2);
    CHECK(r.levels[1].packets == seed);
    CHECK(r.levels[1].magnitudes.quantile(0.5)
          == doctest::Approx(1e-6).epsilon(0.012));
  }
}

TEST_CASE("a job that throws or dies spoils no other one") {
  const auto results = run(4, [](const job& j) -> std::vector<tally> {
    if (j.seed == 2)
      throw std::runtime_error{"no such thing"};
    if (j.seed == 3)
      std::raise(SIGKILL);
    return std::vector<tally>(1);
  });
  CHECK(results.at(1).error.empty());
  CHECK(results.at(2).error == "no such thing");
  CHECK(results.at(3).error.find("signal 9") != std::string::npos);
  CHECK(results.at(4).error.empty());
}

TEST_CASE("an interrupt ends the whole") {
  int done = 0;
  const auto end = run_crew(
    jobs_of(50), 2, [](const job&) { return std::vector<tally>(1); },
    [&](const job_result&) {
      if (++done == 3)
        std::raise(SIGINT);
    },
    [] {});
  CHECK(end == crew_end::interrupted);
  CHECK(done < 50);
}

} // namespace concert::sim
