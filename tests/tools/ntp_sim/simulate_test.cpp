#include "tools/ntp_sim/simulate.hpp"

#include "tools/ntp_sim/scratch.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iterator>

namespace concert::sim {

namespace {

const std::string tiny
  = "title = \"t\"\ngroup = \"g\"\nduration = 3000\npoll = 4\n"
    "[machine]\nwander = 1e-9\n[[server]]\n"
    "link = { base = [1e-4, 2e-4], jitter = 1e-5 }\n";

std::vector<tally> run(const std::string& text, std::uint64_t seed,
                       filter_kind filters = filter_kind::regression,
                       const extras& wanted = {}) {
  const auto file = scenario_file::parse(text, "900-tiny.toml");
  if (!file)
    FAIL(file.error().front().to_string());
  const scratch folder;
  auto levels = simulate(*file, seed, filters, wanted, folder.path());
  // How long it took is the only thing that is not made by the seed.
  for (auto& t : levels)
    t.cpu_s = 0;
  return levels;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("the same seed gives the same run, another one another") {
  const auto a = run(tiny, 5);
  const auto again = run(tiny, 5);
  const auto b = run(tiny, 6);
  REQUIRE(a.size() == 1);
  CHECK(a[0].squares == again[0].squares);
  CHECK(a[0].frequency_squares == again[0].frequency_squares);
  CHECK(a[0].max_error_sum == again[0].max_error_sum);
  CHECK(a[0].packets == again[0].packets);
  CHECK(a[0].squares != b[0].squares);
}

TEST_CASE("a clock that starts wrong is right in the end, with any filters") {
  for (const auto k :
       {filter_kind::osb, filter_kind::kalman, filter_kind::regression}) {
    const auto t = run(tiny, 1, k).front();
    const auto f = pooled(std::span{&t, 1}, false);
    CAPTURE(name_of(k));
    CHECK(f.rms < 20e-6);
    CHECK(f.rms > 100e-9);
    CHECK(f.bound_looks == 3000);
    CHECK(f.packets > 150);
    CHECK(f.packets < 250);
    CHECK(f.max_error > f.max_error_floor);
  }
}

TEST_CASE("each daemon of a chain follows the one before") {
  const auto levels = run("chain = 3\n" + tiny, 1);
  REQUIRE(levels.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(levels[i].seconds == 1501);
    CHECK(levels[i].servers == 1);
    CHECK(std::sqrt(levels[i].squares / 1501) < 100e-6);
  }
  // Root distance adds up.
  CHECK(levels[1].floor_s > levels[0].floor_s);
  CHECK(levels[2].floor_s > levels[1].floor_s);
}

TEST_CASE("a daemon that is restarted goes on with its state file") {
  const auto t = run(tiny
                       + "[[machine.event]]\nat = 2000\nwhat = "
                         "\"restart\"\n",
                     1)
                   .front();
  const auto f = pooled(std::span{&t, 1}, false);
  CHECK(f.rms < 20e-6);
}

TEST_CASE("a picture and a trace are written on demand") {
  const scratch folder;
  extras wanted;
  wanted.plot = folder.path() / "p.svg";
  wanted.trace = folder.path() / "t.txt";
  wanted.cost = true;
  const auto watched = run(tiny, 1, filter_kind::regression, wanted).front();
  CHECK(content(*wanted.plot).find("</svg>") != std::string::npos);
  const auto trace = content(*wanted.trace);
  CHECK(trace.find(" sample source=1 delay_s=") != std::string::npos);
  CHECK(trace.find(" frequency correction=") != std::string::npos);
  CHECK(watched.filter_samples > 150);
  CHECK(watched.filter_s > 0);
  CHECK(watched.squares == run(tiny, 1).front().squares);
}

} // namespace concert::sim
