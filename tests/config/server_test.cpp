#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

server_config only_server(std::string_view keys) {
  const auto loaded
    = valid("[[server]]\nlisten = \"[::]:123\"\n" + std::string{keys});
  REQUIRE(loaded.config.servers.size() == 1);
  return loaded.config.servers[0];
}

std::string server_refusal(std::string_view keys) {
  return refusal_of("[[server]]\nlisten = \"[::]:123\"\n" + std::string{keys});
}

} // namespace

TEST_CASE("a server without further keys serves everybody without limit") {
  const auto server = only_server("");
  CHECK(server.listen.to_string() == "[::]:123");
  CHECK(server.denylist.prefixes.empty());
  REQUIRE(server.allowlist.prefixes.size() == 2);
  CHECK(server.allowlist.prefixes[0].to_string() == "0.0.0.0/0");
  CHECK(server.allowlist.prefixes[1].to_string() == "::/0");
  CHECK(server.rate_limiting_cache_size == 0);
  CHECK_FALSE(server.require_nts.has_value());
  CHECK(server.accept_ntp_versions == std::vector<std::uint8_t>{3, 4});
}

TEST_CASE("every key of a server is read") {
  const auto server = only_server(R"(rate-limiting-cache-size = 1024
rate-limiting-cutoff-ms = 1500
require-nts = "deny"
accept-ntp-versions = [4]
[server.denylist]
filter = ["192.0.2.0/24"]
action = "ignore"
[server.allowlist]
filter = ["198.51.100.0/24", "2001:db8::/32"]
action = "deny"
)");
  CHECK(server.rate_limiting_cache_size == 1024);
  CHECK(server.rate_limiting_cutoff == std::chrono::milliseconds{1500});
  CHECK(server.require_nts == true);
  CHECK(server.accept_ntp_versions == std::vector<std::uint8_t>{4});
  REQUIRE(server.denylist.prefixes.size() == 1);
  CHECK_FALSE(server.denylist.deny);
  CHECK(server.allowlist.prefixes.size() == 2);
  CHECK(server.allowlist.deny);
}

TEST_CASE("require-nts is a boolean or a way to refuse") {
  CHECK_FALSE(only_server("require-nts = false\n").require_nts.has_value());
  CHECK(only_server("require-nts = true\n").require_nts == false);
  CHECK(only_server("require-nts = \"ignore\"\n").require_nts == false);
  CHECK(server_refusal("require-nts = 1\n")
        == "ntp.toml:3:15: error: `require-nts`: expected a boolean, \"deny\" "
           "or \"ignore\", found an integer\n");
}

TEST_CASE("a server that nobody can use is warned about") {
  CHECK(warnings_of("[[server]]\nlisten = \"[::]:123\"\nrequire-nts = true\n"
                    "[synchronization]\nlocal-stratum = 10\n")
        == "ntp.toml:3:15: warning: `require-nts`: clients cannot be served: "
           "they would need NTS, which is not supported yet\n");
}

TEST_CASE("a listen address needs no port, but may not be a name") {
  CHECK(valid("[[server]]\nlisten = \"192.0.2.1\"\n")
          .config.servers.at(0)
          .listen.to_string()
        == "192.0.2.1:123");
  CHECK(refusal_of("[[server]]\nlisten = \"ntp.example:123\"\n")
        == "ntp.toml:2:10: error: `listen`: expected an IP address with a "
           "port such as \"[::]:123\", found \"ntp.example:123\"\n");
  CHECK(refusal_of("[[server]]\nrequire-nts = false\n")
        == "ntp.toml:1:1: error: [[server]]: `listen` is missing\n");
}

TEST_CASE("two servers on one address are an error that names both places") {
  CHECK(refusal_of("[[server]]\nlisten = \"0.0.0.0:123\"\n"
                   "[[server]]\nlisten = \"0.0.0.0:124\"\n"
                   "[[server]]\nlisten = \"0.0.0.0:123\"\n")
        == "ntp.toml:6:10: error: `listen`: 0.0.0.0:123 is already used at "
           "ntp.toml:2\n");
}

TEST_CASE("values of a server are checked") {
  CHECK(server_refusal("denylist = { filter = [\"192.0.2.1\"] }\n")
        == "ntp.toml:3:24: error: `filter`: expected an address range such as "
           "\"192.0.2.0/24\", found \"192.0.2.1\"\n");
  CHECK(server_refusal("denylist = { action = \"deny\" }\n")
        == "ntp.toml:3:12: error: denylist = { filter, action }: `filter` is "
           "missing\n");
  CHECK(server_refusal("accept-ntp-versions = []\n")
        == "ntp.toml:3:23: error: `accept-ntp-versions`: must name a "
           "version\n");
  CHECK(server_refusal("accept-ntp-versions = [4, 6]\n")
        == "ntp.toml:3:27: error: `accept-ntp-versions`: must be from 3 to 4, "
           "found 6\n");
  CHECK(server_refusal("rate-limiting-cache-size = -1\n")
        == "ntp.toml:3:28: error: `rate-limiting-cache-size`: must be from 0 "
           "to 16777216, found -1\n");
}

} // namespace concert::config
