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

TEST_CASE("a changed source stays, and so do its neighbours") {
  const auto result
    = between(source("a") + source("b"),
              source("a") + source("b", "prefer = true\n") + source("c"));
  CHECK(result.removed_sources.empty());
  REQUIRE(result.modified_sources.size() == 1);
  const auto& [before, after] = result.modified_sources[0];
  CHECK(before.address.host == "b");
  CHECK_FALSE(before.prefer);
  CHECK(after.address.host == "b");
  CHECK(after.prefer);
  REQUIRE(result.added_sources.size() == 1);
  CHECK(result.added_sources[0].address.host == "c");
  CHECK_FALSE(result.empty());
}

TEST_CASE("a pool of another size is the same, one of another version not") {
  const std::string pool = "[[source]]\nmode = \"pool\"\naddress = \"a\"\n";
  const auto other = between(pool, pool + "ntp-version = 3\n");
  CHECK(other.removed_sources.size() == 1);
  CHECK(other.added_sources.size() == 1);
  CHECK(other.modified_sources.empty());
  for (const std::string key :
       {"count = 2", "ignore = [\"::1\"]", "minpoll = 7", "iburst = false",
        "noselect = true", "offset = 1", "interleaved = true",
        "offline = true"}) {
    CAPTURE(key);
    const auto result = between(pool, pool + key + '\n');
    CHECK(result.modified_sources.size() == 1);
    CHECK(result.removed_sources.empty());
    CHECK_FALSE(result.empty());
  }
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

TEST_CASE("servers of key exchanges go and come with any key of theirs") {
  const std::string server = "[[nts-ke-server]]\nlisten = \"[::]:4460\"\n"
                             "certificate-chain-path = \"/chain\"\n"
                             "private-key-path = \"/key\"\n";
  const auto added = between("", server);
  CHECK(added.added_nts_ke_servers.size() == 1);
  CHECK(added.removed_nts_ke_servers.empty());
  CHECK_FALSE(added.empty());
  CHECK(between(server, server).empty());
  for (const std::string key :
       {"ntp-server = \"b.example\"", "ntp-port = 124", "aeads = [15]",
        "key-exchange-timeout-ms = 2000", "concurrent-connections = 1",
        "longlived-connections = 1", "rate-limiting-cutoff-ms = 1",
        "rate-limiting-burst = 1",
        "accepted-pool-authentication-tokens = [\"t\"]",
        R"([[nts-ke-server.certificates]]
certificate-chain-path = "/c"
private-key-path = "/k")"}) {
    CAPTURE(key);
    const auto result = between(server, server + key + '\n');
    CHECK(result.removed_nts_ke_servers.size() == 1);
    CHECK(result.added_nts_ke_servers.size() == 1);
    CHECK_FALSE(result.keyset_changed);
    CHECK(result.needs_restart.empty());
  }
}

TEST_CASE("a changed key set is told, and needs no restart") {
  for (const std::string key :
       {"stale-key-count = 1", "key-rotation-interval = 60",
        "key-storage-path = \"/s\"", "cluster-secret-file = \"/c\""}) {
    CAPTURE(key);
    const auto result = between("", "[keyset]\n" + key + '\n');
    CHECK(result.keyset_changed);
    CHECK_FALSE(result.empty());
    CHECK(result.needs_restart.empty());
  }
  CHECK_FALSE(between("", "[keyset]\nstale-key-count = 7\n").keyset_changed);
}

TEST_CASE("a source with other means to get keys is another source") {
  const std::string nts
    = "[[source]]\nmode = \"nts\"\naddress = \"a.example\"\n";
  for (const std::string key :
       {"aeads = [30, 15]", "certificate-authority = \"/ca\"",
        "certificate-time-check = \"after-first-sync\""}) {
    CAPTURE(key);
    const auto result = between(nts, nts + key + '\n');
    CHECK(result.removed_sources.size() == 1);
    CHECK(result.added_sources.size() == 1);
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
[control]
inspector = false
)")
          .needs_restart
        == std::vector<std::string>{"state-file", "user", "server-workers",
                                    "pin-workers", "clock.kind", "clock.seed",
                                    "control.inspector"});
}

} // namespace concert::config
