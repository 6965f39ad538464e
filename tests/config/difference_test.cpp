#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

std::string source(std::string_view name, std::string_view keys = "") {
  return "[[source]]\nmode = \"server\"\naddress = \"" + std::string{name}
         + "\"\n" + std::string{keys};
}

config_difference between(std::string_view from, std::string_view to) {
  return difference(valid(from).config, valid(to).config);
}

} // namespace

TEST_CASE("a file that says the same has no difference") {
  CHECK(between(source("a") + source("b"), source("b") + source("a")).empty());
  CHECK(between("", "[clock]\nkind = \"system\"\n").empty());
}

TEST_CASE("a changed source goes and comes, its neighbours stay") {
  const auto result
    = between(source("a") + source("b"),
              source("a") + source("b", "prefer = true\n") + source("c"));
  REQUIRE(result.removed_sources.size() == 1);
  CHECK(result.removed_sources[0].address.host == "b");
  CHECK_FALSE(result.removed_sources[0].prefer);
  REQUIRE(result.added_sources.size() == 2);
  CHECK(result.added_sources[0].prefer);
  CHECK(result.added_sources[1].address.host == "c");
  CHECK_FALSE(result.empty());
}

TEST_CASE("one of two equal sources can go") {
  const auto result = between(source("a") + source("a"), source("a"));
  CHECK(result.removed_sources.size() == 1);
  CHECK(result.added_sources.empty());
}

TEST_CASE("servers are compared like sources") {
  const auto result
    = between("[[server]]\nlisten = \"[::]:123\"\n",
              "[[server]]\nlisten = \"[::]:123\"\nrequire-nts = true\n");
  CHECK(result.removed_servers.size() == 1);
  CHECK(result.added_servers.size() == 1);
  CHECK(result.needs_restart.empty());
}

TEST_CASE("no key of a server waits for a restart") {
  const std::string server = "[[server]]\nlisten = \"[::]:123\"\n";
  for (const std::string key :
       {"interface = \"eth0\"", "dispatch = \"client-address\"",
        "receive-buffer = 0", "send-buffer = 1", "interleaved = false",
        "filter-order = \"longest-match\"", "client-table-size = 1",
        "answer-symmetric-active = true", "rate-limiting-burst = 1",
        "rate-limiting-leak = 1", "rate-limiting-kiss = 1"}) {
    CAPTURE(key);
    const auto result = between(server, server + key + '\n');
    CHECK(result.added_servers.size() == 1);
    CHECK(result.needs_restart.empty());
  }
}

TEST_CASE("steering and log changes are told") {
  const auto steering = between("", "max-error = 2\n");
  CHECK(steering.steering_changed);
  CHECK_FALSE(steering.log_changed);
  const auto log = between("", "[observability]\nlog-level = \"debug\"\n");
  CHECK(log.log_changed);
  CHECK_FALSE(log.steering_changed);
}

TEST_CASE("keys that only the start reads are named") {
  CHECK(between("", R"(state-file = "/s"
user = "u"
server-workers = 2
pin-workers = true
[clock]
kind = "virtual"
seed = 2
[observability]
observation-path = "/run/o"
top-clients = 5
)")
          .needs_restart
        == std::vector<std::string>{"clock.kind", "clock.seed",
                                    "observability.observation-path",
                                    "observability.top-clients", "state-file",
                                    "user", "server-workers", "pin-workers"});
}

} // namespace concert::config
