#include "tools/ntp_sim/scenario_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace concert::sim {

namespace {

const std::string head = "title = \"t\"\ngroup = \"g\"\nduration = 1000\n";
const std::string server = "[[server]]\n";

scenario read(const std::string& text, std::uint64_t seed = 1) {
  const auto file = scenario_file::parse(text, "dir/007-name.toml");
  if (!file)
    FAIL(file.error().front().to_string());
  return file->for_seed(seed);
}

std::string first_error(const std::string& text) {
  const auto file = scenario_file::parse(text, "007-name.toml");
  REQUIRE_FALSE(file);
  return file.error().front().to_string();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a scenario with little said has the documented defaults") {
  const auto s = read(head + server);
  CHECK(s.name == "007-name");
  CHECK(s.settle_s == 500);
  CHECK(s.min_poll == 6);
  CHECK(s.max_poll == 10);
  CHECK(s.iburst);
  CHECK(s.chain == 1);
  CHECK(s.look_s == 1);
  CHECK(s.world.machine.offset_s == 0.1);
  REQUIRE(s.world.servers.size() == 1);
  CHECK_FALSE(s.world.servers[0].address.empty());
  CHECK(s.world.servers[0].link.forward.base_s == 5e-3);
}

TEST_CASE("long runs are looked into less often") {
  CHECK(
    read("title = \"t\"\ngroup = \"g\"\nduration = 7776000\n" + server).look_s
    == 16);
}

TEST_CASE("one poll is both limits, two are minimum and maximum") {
  const auto one = read(head + "poll = 0\n" + server);
  CHECK(one.min_poll == 0);
  CHECK(one.max_poll == 0);
  const auto two = read(head + "poll = [1, 10]\n" + server);
  CHECK(two.min_poll == 1);
  CHECK(two.max_poll == 10);
}

TEST_CASE("what a link says holds for both directions, what a direction says "
          "for one") {
  const auto s = read(head + server
                      + "[server.link]\nbase = 1e-3\njitter = 1e-4\n"
                        "backward = { jitter = 2e-4, shape = \"heavy\" }\n");
  const auto& link = s.world.servers[0].link;
  CHECK(link.forward.base_s == 1e-3);
  CHECK(link.backward.base_s == 1e-3);
  CHECK(link.forward.jitter_s == 1e-4);
  CHECK(link.backward.jitter_s == 2e-4);
  CHECK(link.forward.shape == concert::actors::queueing_shape::exponential);
  CHECK(link.backward.shape == concert::actors::queueing_shape::heavy);
}

TEST_CASE("a list of two draws a number anew for each seed and server") {
  const auto text = head
                    + "[[server]]\ncount = 3\nlink = { base = [1e-3, "
                      "2e-3] }\n";
  const auto a = read(text, 1).world.servers;
  const auto again = read(text, 1).world.servers;
  const auto b = read(text, 2).world.servers;
  REQUIRE(a.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(a[i].link.forward.base_s >= 1e-3);
    CHECK(a[i].link.forward.base_s < 2e-3);
    CHECK(a[i].link.forward.base_s == a[i].link.backward.base_s);
    CHECK(a[i].link.forward.base_s == again[i].link.forward.base_s);
    CHECK(a[i].link.forward.base_s != b[i].link.forward.base_s);
  }
  CHECK(a[0].link.forward.base_s != a[1].link.forward.base_s);
  CHECK(a[0].address != a[1].address);
}

TEST_CASE("another key leaves the draws as they were") {
  const auto without
    = read(head + "[[server]]\nlink = { base = [1e-3, 2e-3] }\n");
  const auto with
    = read(head
           + "[machine]\nwander = [1e-9, 1e-8]\n[[server]]\nerror = [0, "
             "1]\nlink = { jitter = [0, 1], base = [1e-3, 2e-3] }\n");
  CHECK(without.world.servers[0].link.forward.base_s
        == with.world.servers[0].link.forward.base_s);
}

TEST_CASE("asymmetry takes from one direction what it gives to the other") {
  const auto text
    = head + "[[server]]\nlink = { base = 10e-3, asymmetry = 0.5 }\n";
  int longer_forward = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto link = read(text, seed).world.servers[0].link;
    CHECK(link.forward.base_s + link.backward.base_s == doctest::Approx(20e-3));
    CHECK(std::abs(link.forward.base_s - link.backward.base_s)
          == doctest::Approx(10e-3));
    longer_forward += link.forward.base_s > link.backward.base_s ? 1 : 0;
  }
  CHECK(longer_forward > 8);
  CHECK(longer_forward < 32);
}

TEST_CASE("an unknown key is an error with its place and a suggestion") {
  const auto text
    = first_error(head + server + "[server.link]\nbase = 1e-3\njiter = 1e-4\n");
  CHECK(contains(text, "007-name.toml:7:1: error: "));
  CHECK(contains(text, "did you mean `jitter`?"));
}

TEST_CASE("wrong values are errors with their places") {
  CHECK(contains(first_error(head + "poll = [10, 6]\n" + server),
                 "007-name.toml:4:8: error: `poll`"));
  CHECK(contains(first_error(head + "[machine]\nwander = -1\n" + server),
                 "007-name.toml:5:10: error: `wander`"));
  CHECK(
    contains(first_error(head + "[machine]\nwander = [2e-9, 1e-9]\n" + server),
             "the first value exceeds the second"));
  CHECK(
    contains(first_error(head + server + "link = { loss = 1.5 }\n"), "`loss`"));
  CHECK(contains(first_error(head + server
                             + "[[server.event]]\nat = 5\n"
                               "until = 4\n"),
                 "is not after `at`"));
  CHECK(
    contains(first_error("title = \"t\"\n" + server), "`group` is missing"));
  CHECK(contains(first_error(head), "there is no [[server]]"));
  CHECK(contains(first_error(head + "settle = 1000\n" + server),
                 "is not before the end"));
}

TEST_CASE("a limit that needs a missing reference is an error") {
  CHECK(contains(first_error(head + server + "[limits]\nrms-to-bound = 1\n"),
                 "needs `bound` in [reference]"));
  const auto s = read(head + server
                      + "[reference]\nbound = 1e-6\n[limits]\n"
                        "rms-to-bound = 1.1\nconsistency = [0.7, 1.4]\n");
  REQUIRE(s.limits.size() == 2);
  CHECK(s.limits[0].what->name == "rms-to-bound");
  CHECK(s.limits[0].high == 1.1);
  CHECK(s.limits[1].low == 0.7);
}

TEST_CASE("the lock level follows from what is known of chrony") {
  CHECK_FALSE(read(head + server).lock_level_s);
  CHECK(
    read(head + server + "[reference]\nchrony = { rms = 1e-6 }\n").lock_level_s
    == doctest::Approx(5e-6));
}

TEST_CASE("what the daemon would refuse in `config` is an error here") {
  CHECK(contains(first_error(head + "config = \"max-eror = 1\"\n" + server),
                 "did you mean `max-error`?"));
  CHECK(read(head + "config = \"max-error = 0.5\"\n" + server).config
        == "max-error = 0.5");
}

TEST_CASE("every scenario of the tree can be read") {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator{"tests/scenarios"}) {
    if (entry.path().extension() != ".toml")
      continue;
    const auto file = scenario_file::load(entry.path());
    if (!file)
      FAIL_CHECK(file.error().front().to_string());
    ++count;
  }
  CHECK(count >= 62);
}

} // namespace concert::sim
