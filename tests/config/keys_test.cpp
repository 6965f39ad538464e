#include "tests/config/config_directory.hpp"

#include <algorithm>

namespace concert::config {

namespace {

constexpr std::string_view rich = R"(state-file = "/s"
leap-seconds-file = "/l"
user = "ntp \"x\""
server-workers = 3
pin-workers = true
[source-defaults]
poll-interval-limits = { min = 4, max = 9 }
initial-poll-interval = 5
interleaved = true
[keyset]
stale-key-count = 2
key-rotation-interval = 3600
key-storage-path = "/tmp/k"
[synchronization]
max-error = 0.3
on-panic = "exit"
minimum-agreeing-sources = 2
single-step-panic-threshold = { forward = 0.1 }
accumulated-step-panic-threshold = 7.25
warn-on-jump = false
local-stratum = 9
reference-id = "A B"
combine-limit = 3
[synchronization.algorithm]
initial-wander = 3.3e-9
slew-length = 1.7
poll-tolerance = 3
slew-maximum-frequency-offset = 2e-4
[clock]
kind = "virtual"
initial-offset = -0.1
frequency-error = 1e-5
wander = 1e-9
seed = 77
path = "/c"
[observability]
log-level = "warn"
log-path = "/log"
observation-path = "/o"
observation-permissions = 0o640
top-clients = 4
measurement-log-path = "/m"
tracking-log-path = "/t"
[control]
path = ""
group = "adm"
inspector = false
fault-injection = true
)";

std::string value_of(const daemon_config& config, std::string_view key) {
  for (const auto& one : keys(config)) {
    if (one.key == key)
      return one.value;
  }
  FAIL("no key " << std::string{key});
  return {};
}

} // namespace

TEST_CASE("every key can be set to the value that it tells") {
  for (const auto text : {std::string_view{}, rich}) {
    const config_directory dir;
    dir.write("ntp.toml", text);
    const auto before = load(dir.main(), true, named_files::ignored);
    REQUIRE(before);
    for (const auto& key : keys(before->config)) {
      if (key.value.empty())
        continue;
      CAPTURE(key.key);
      CAPTURE(key.value);
      runtime_changes changes;
      changes.set.emplace(key.key, key.value);
      const auto after = load(dir.main(), true, named_files::ignored, changes);
      if (!after)
        FAIL(dir.lines(after.error()));
      CHECK(difference(before->config, after->config).empty());
      CHECK(after->config.defaults == before->config.defaults);
      CHECK(changed_keys(before->config, after->config).empty());
    }
  }
}

TEST_CASE("keys tell the values in force") {
  const auto config = valid(rich).config;
  CHECK(value_of(config, "synchronization.reference-id") == "\"A B\"");
  CHECK(value_of(config, "synchronization.single-step-panic-threshold")
        == "{ forward = 0.1, backward = \"inf\" }");
  CHECK(value_of(config, "observability.observation-permissions") == "0o640");
  CHECK(value_of(config, "control.path") == "\"\"");
  CHECK(value_of(valid("").config, "control.path")
        == "\"/run/concert/control\"");
  CHECK(value_of(valid("").config, "user").empty());
}

TEST_CASE("a rich configuration has no key that tells nothing") {
  for (const auto& key : keys(valid(rich).config)) {
    CAPTURE(key.key);
    CHECK((key.key == "keyset.cluster-secret-file"
           || key.key == "control.runtime-path" || !key.value.empty()));
  }
}

TEST_CASE("a key has one name, whatever place it may stand in") {
  CHECK(canonical_key("max-error") == "synchronization.max-error");
  CHECK(canonical_key("synchronization.user") == "user");
  CHECK(canonical_key("source-defaults.minpoll")
        == "source-defaults.poll-interval-limits.min");
  CHECK(canonical_key("clock.kind") == "clock.kind");
}

TEST_CASE("what differs is told key by key, and source by source") {
  const std::string a = "[[source]]\nmode = \"server\"\naddress = \"a\"\n";
  const std::string b = "[[source]]\nmode = \"pool\"\naddress = \"b\"\n";
  const auto changes = changed_keys(
    valid(a + "[[server]]\nlisten = \"[::]:123\"\n").config,
    valid(a + "prefer = true\n" + b
          + "[[server]]\nlisten = \"[::]:123\"\nclient-table-size = 1\n"
            "[synchronization]\nmax-error = 2\n")
      .config);
  REQUIRE(changes.size() == 4);
  CHECK(changes[0].key == "synchronization.max-error");
  CHECK(changes[0].from == "1");
  CHECK(changes[0].to == "2");
  CHECK(changes[1].key == "source a:123");
  CHECK(changes[1].from == "{ prefer = false }");
  CHECK(changes[1].to == "{ prefer = true }");
  CHECK(changes[2].key == "source b:123");
  CHECK(changes[2].from.empty());
  CHECK(changes[2].to == "{ mode = \"pool\", address = \"b:123\" }");
  CHECK(changes[3].key == "server [::]:123");
  CHECK(changes[3].to == "{ client-table-size = 1 }");
}

TEST_CASE("a secret is not among what differs, though it differs") {
  const std::string server = "[[nts-ke-server]]\nlisten = \"[::]:4460\"\n"
                             "certificate-chain-path = \"/chain\"\n"
                             "private-key-path = \"/key\"\n"
                             "accepted-pool-authentication-tokens = ";
  const auto changes = changed_keys(valid(server + "[\"hush\"]").config,
                                    valid(server + "[\"other\"]").config);
  REQUIRE(changes.size() == 1);
  for (const auto& text : {changes[0].key, changes[0].from, changes[0].to}) {
    CHECK(text.find("hush") == std::string::npos);
    CHECK(text.find("other") == std::string::npos);
  }
}

TEST_CASE("sources are found by their address or by the host alone") {
  const auto config
    = valid("[[source]]\nmode = \"nts\"\naddress = \"a\"\n"
            "[[source]]\nmode = \"server\"\naddress = \"[2001:db8::1]\"\n")
        .config;
  CHECK(find_source(config, "a") == "a:4460");
  CHECK(find_source(config, "a:4460") == "a:4460");
  CHECK(find_source(config, "2001:db8::1") == "[2001:db8::1]:123");
  CHECK(find_source(config, "a:123").error()
        == "no source `a:123`: there are a:4460, [2001:db8::1]:123");
  CHECK(find_source(valid("").config, "x").error()
        == "no source `x`: none is configured");
}

} // namespace concert::config
