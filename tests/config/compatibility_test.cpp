#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

/// All sections and keys of an ntpd-rs 1.9 file that this version carries out,
/// or may pass over without harm.
constexpr std::string_view ntpd_rs_file = R"(
[observability]
log-level = "warn"
log-path = "/var/log/time.log"
log-path-metrics-exporter = "/var/log/metrics.log"
ansi-colors = false
observation-path = "/var/run/ntpd-rs/observe"
observation-permissions = 0o644
metrics-exporter-listen = "127.0.0.1:9975"

[source-defaults]
poll-interval-limits = { min = 4, max = 10 }
initial-poll-interval = 4

[[source]]
mode = "server"
address = "time-a.example"
ntp-version = 4

[[source]]
mode = "server"
address = "[2001:db8::5]:1123"
poll-interval-limits = { max = 8 }

[[source]]
mode = "pool"
address = "pool.example"
count = 3
ignore = ["203.0.113.9"]
initial-poll-interval = 6

[[source]]
mode = "nts"
address = "nts.example"
certificate-authority = "/etc/ca.pem"
enable-srv-resolution = false

[[source]]
mode = "nts-pool"
address = "nts-pool.example:4461"
count = 2

[[server]]
listen = "0.0.0.0:123"
rate-limiting-cache-size = 32
rate-limiting-cutoff-ms = 1000
require-nts = false
accept-ntp-versions = [3, 4]

[server.denylist]
filter = ["198.51.100.0/24"]
action = "deny"

[server.allowlist]
filter = ["0.0.0.0/0"]
action = "ignore"

[[server]]
listen = "[::1]:123"

[[nts-ke-server]]
listen = "0.0.0.0:4460"
certificate-chain-path = "/etc/chain.pem"
private-key-path = "/etc/key.pem"
key-exchange-timeout-ms = 1000
concurrent-connections = 512
longlived-connections = 51
ntp-port = 123
ntp-server = "time-b.example"
accept-ntp-versions = [4]
accepted-pool-authentication-tokens = ["token"]

[synchronization]
minimum-agreeing-sources = 3
single-step-panic-threshold = 1800
startup-step-panic-threshold = { forward = "inf", backward = 1800 }
accumulated-step-panic-threshold = 3600
warn-on-jump = true
local-stratum = 16
reference-id = "XNON"

[synchronization.algorithm]
initial-wander = 1e-8
step-threshold = 0.010
ignore-server-dispersion = false

[keyset]
stale-key-count = 7
key-rotation-interval = 86400
key-storage-path = "/var/lib/keys"

[clock]
clock = "/dev/ptp0"
interface = "eth0"
timestamp-mode = "kernel-all"
)";

} // namespace

TEST_CASE("a file of ntpd-rs works unchanged") {
  const auto config = valid(ntpd_rs_file).config;
  REQUIRE(config.sources.size() == 5);
  CHECK(config.configured_sources() == 8);
  CHECK(config.sources[1].address == host_port{"2001:db8::5", 1123});
  CHECK(config.sources[1].min_poll == 4);
  CHECK(config.sources[1].max_poll == 8);
  CHECK(config.sources[2].initial_poll == 6);
  CHECK(config.sources[3].address == host_port{"nts.example", 4460});
  CHECK(config.sources[4].address == host_port{"nts-pool.example", 4461});
  REQUIRE(config.servers.size() == 2);
  REQUIRE(config.nts_ke_servers.size() == 1);
  CHECK(config.nts_ke_servers[0].ntp_server == "time-b.example");
  CHECK(config.keyset.key_storage_path == "/var/lib/keys");
  CHECK(config.servers[0].denylist.deny);
  CHECK(config.servers[0].allowlist.prefixes.size() == 1);
  CHECK(config.steering.minimum_agreeing_sources == 3);
  CHECK(config.steering.accumulated_step_panic_threshold_s == 3600);
  CHECK(config.steering.reference_id == 0x584e4f4e);
  CHECK(config.observability.observation_path == "/var/run/ntpd-rs/observe");
}

TEST_CASE("what has no effect in a file of ntpd-rs is warned about once") {
  std::string lines;
  for (const auto& warning : valid(ntpd_rs_file).warnings)
    lines += warning.text.substr(0, warning.text.find(':')) + '\n';
  CHECK(lines
        == "`ansi-colors`\n`step-threshold`\n`ignore-server-dispersion`\n"
           "`clock`\n`interface`\n`timestamp-mode`\n");
}

} // namespace concert::config
