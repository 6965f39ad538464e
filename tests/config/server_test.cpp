#include "tests/config/parsing.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

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
  CHECK(server.interface.empty());
  CHECK(server.dispatch == dispatch_kind::automatic);
  CHECK(server.receive_buffer == 1024 * 1024);
  CHECK(server.interleaved);
  CHECK(server.client_table_size == 8192);
  CHECK_FALSE(server.answer_symmetric_active);
}

TEST_CASE("every key of a server is read") {
  const auto server = only_server(R"(interface = "eth0.100"
dispatch = "client-address"
receive-buffer = 0x40_0000
send-buffer = 268435456
filter-order = "longest-match"
rate-limiting-cache-size = 1024
rate-limiting-cutoff-ms = 1500
rate-limiting-burst = 1000
rate-limiting-leak = 1
rate-limiting-kiss = 64
interleaved = false
client-table-size = 16777216
answer-symmetric-active = true
require-nts = "deny"
accept-ntp-versions = [4]
[server.denylist]
filter = ["192.0.2.0/24"]
action = "ignore"
[server.allowlist]
filter = ["198.51.100.0/24", "2001:db8::/32"]
action = "deny"
)");
  CHECK(server.interface == "eth0.100");
  CHECK(server.dispatch == dispatch_kind::client_address);
  CHECK(server.receive_buffer == 4U << 20);
  CHECK(server.send_buffer == 256U << 20);
  CHECK(server.filter_order == ntp::access_order::longest_match);
  CHECK(server.rate_limiting_burst == 1000);
  CHECK(server.rate_limiting_leak == 1);
  CHECK(server.rate_limiting_kiss == 64);
  CHECK_FALSE(server.interleaved);
  CHECK(server.client_table_size == 1U << 24);
  CHECK(server.answer_symmetric_active);
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

TEST_CASE("NTS cannot be required of versions that do not have it") {
  const std::string required = "[[server]]\nlisten = \"[::]:123\"\n"
                               "require-nts = true\n";
  const std::string sound = "[synchronization]\nlocal-stratum = 10\n"
                            "[keyset]\ncluster-secret-file = \"/secret\"\n";
  CHECK(warnings_of(required + sound).empty());
  CHECK(warnings_of(required + "accept-ntp-versions = [3]\n" + sound)
        == "ntp.toml:4:23: warning: `accept-ntp-versions`: nobody can be "
           "served: `require-nts` needs version 4\n");
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

namespace {

/// Servers on one address, each on the interface named; empty = on all.
std::string on_interfaces(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const auto name : names) {
    text += "[[server]]\nlisten = \"0.0.0.0:123\"\n";
    if (!name.empty())
      text += "interface = \"" + std::string{name} + "\"\n";
  }
  return text;
}

} // namespace

TEST_CASE("servers on one address are told apart by their interfaces") {
  CHECK(valid(on_interfaces({"b", "a", "c"})).config.servers.size() == 3);
  CHECK(refusal_of(on_interfaces({"b", "a", "b"}))
        == "ntp.toml:8:10: error: `listen`: 0.0.0.0:123 is already used at "
           "ntp.toml:2\n");
  CHECK(refusal_of(on_interfaces({"b", ""}))
        == "ntp.toml:5:10: error: `listen`: 0.0.0.0:123 is already used at "
           "ntp.toml:2\n");
  CHECK(refusal_of(on_interfaces({"", "b"}))
        == "ntp.toml:4:10: error: `listen`: 0.0.0.0:123 is already used at "
           "ntp.toml:2\n");
}

TEST_CASE("an interface has a name that the kernel would take") {
  CHECK(only_server("interface = \"abcdefghijklmno\"\n").interface.size()
        == 15);
  for (const std::string name :
       {"abcdefghijklmnop", "a/b", "a b", "a\\tb", "eth0:1", ".", ".."}) {
    CAPTURE(name);
    CHECK(server_refusal("interface = \"" + name + "\"\n")
            .find("expected the name of a network interface such as \"eth0\"")
          != std::string::npos);
  }
  CHECK(server_refusal("interface = \"\"\n")
        == "ntp.toml:3:13: error: `interface`: must not be empty\n");
  CHECK(server_refusal("interface = 1\n")
        == "ntp.toml:3:13: error: `interface`: expected a string, found an "
           "integer\n");
}

TEST_CASE("a list of 100,000 ranges is read whole") {
  std::string list;
  for (int i = 0; i < 100'000; ++i)
    list += fmt::format("\"2001:db8:{:x}:{:x}::/64\",\n", i >> 16, i & 0xffff);
  const auto server = only_server("denylist = { filter = [" + list + "] }\n");
  REQUIRE(server.denylist.prefixes.size() == 100'000);
  CHECK(server.denylist.prefixes.back().to_string() == "2001:db8:1:869f::/64");
}

TEST_CASE("values of a server are checked") {
  const std::pair<const char*, const char*> wrong[] = {
    {"receive-buffer = -1", "must be from 0 to 268435456, found -1"},
    {"send-buffer = 268435457", "must be from 0 to 268435456, found 268435457"},
    {"send-buffer = \"1M\"", "expected an integer, found a string"},
    {"rate-limiting-burst = 0", "must be from 1 to 1000, found 0"},
    {"rate-limiting-leak = 17", "must be from 1 to 16, found 17"},
    {"rate-limiting-leak = 0", "must be from 1 to 16, found 0"},
    {"rate-limiting-kiss = 1000001", "must be from 0 to 1000000"},
    {"client-table-size = 16777217", "must be from 0 to 16777216"},
    {"interleaved = 1", "expected a boolean, found an integer"},
    {"answer-symmetric-active = \"yes\"", "expected a boolean"},
    {"dispatch = \"queue\"", "unknown value \"queue\": known here: auto, "
                             "client-address, receive-queue"},
    {"filter-order = \"longest_match\"", "did you mean `longest-match`?"},
  };
  for (const auto& [key, complaint] : wrong) {
    const auto text = server_refusal(std::string{key} + '\n');
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
  }
}

TEST_CASE("keys without effect in a server are said to be so") {
  const std::string sound = "[synchronization]\nlocal-stratum = 10\n";
  const auto about = [&](const std::string& keys) {
    return warnings_of("[[server]]\nlisten = \"[::]:123\"\n" + keys + sound);
  };
  CHECK(about("rate-limiting-cache-size = 9\nrate-limiting-cutoff-ms = 9\n"
              "rate-limiting-burst = 2\nrate-limiting-leak = 2\n"
              "rate-limiting-kiss = 2\n")
          .empty());
  CHECK(about("rate-limiting-cache-size = 0\nrate-limiting-cutoff-ms = 0\n")
          .empty());
  CHECK(about("rate-limiting-cutoff-ms = 1000\nrate-limiting-kiss = 4\n")
        == "ntp.toml:3:27: warning: has no effect: there is no rate limit "
           "unless both `rate-limiting-cache-size` and "
           "`rate-limiting-cutoff-ms` are above 0\n"
           "ntp.toml:4:22: warning: has no effect: there is no rate limit "
           "unless both `rate-limiting-cache-size` and "
           "`rate-limiting-cutoff-ms` are above 0\n");
  CHECK(about("client-table-size = 0\n").empty());
  CHECK(about("client-table-size = 0\ninterleaved = true\n")
        == "ntp.toml:4:15: warning: `interleaved`: has no effect: "
           "`client-table-size` is 0\n");
}

TEST_CASE("dispatch by queue does not go well with state for each client") {
  const std::string sound = "[synchronization]\nlocal-stratum = 10\n";
  const auto about = [&](const std::string& keys) {
    return warnings_of("[[server]]\nlisten = \"[::]:123\"\n"
                       "dispatch = \"receive-queue\"\n"
                       + keys + sound);
  };
  CHECK(about("").empty());
  CHECK(about("rate-limiting-cache-size = 9\nrate-limiting-cutoff-ms = 9\n")
        == "ntp.toml:3:12: warning: `dispatch`: one client's packets may "
           "reach several workers, and each keeps its own rates: "
           "\"client-address\" makes the rate limit exact\n");
  CHECK(about("interleaved = true\n")
        == "ntp.toml:3:12: warning: `dispatch`: one client's packets may "
           "reach several workers, and each remembers its own answers: "
           "\"client-address\" makes interleaved mode reliable\n");
}

TEST_CASE("lists that leave nobody to serve are warned about") {
  const auto about = [](std::string_view listen, std::string_view keys) {
    return warnings_of("[[server]]\nlisten = \"" + std::string{listen} + "\"\n"
                       + std::string{keys}
                       + "[synchronization]\nlocal-stratum = 10\n");
  };
  const std::string all = "denylist = { filter = [\"0.0.0.0/0\"] }\n";
  CHECK(about("[::]:123", all).empty());
  CHECK(about("0.0.0.0:123", all)
        == "ntp.toml:3:12: warning: `denylist`: holds every IPv4 address: "
           "nobody can be served on 0.0.0.0:123\n");
  const std::string some
    = all + "allowlist = { filter = [\"192.0.2.0/24\"] }\n";
  CHECK_FALSE(about("0.0.0.0:123", some).empty());
  CHECK(
    about("0.0.0.0:123", some + "filter-order = \"longest-match\"\n").empty());
  CHECK_FALSE(
    about("0.0.0.0:123", all + "filter-order = \"longest-match\"\n").empty());
  CHECK(about("[::]:123", "allowlist = { filter = [\"192.0.2.0/24\"] }\n")
        == "ntp.toml:3:13: warning: `allowlist`: holds no IPv6 address: nobody "
           "can be served on [::]:123\n");
}

TEST_CASE("access lists of a server are checked") {
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
