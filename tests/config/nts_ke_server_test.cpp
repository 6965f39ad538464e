#include "tests/config/parsing.hpp"

#include <utility>

namespace concert::config {

namespace {

using std::chrono::milliseconds;

std::string ke_server(std::string_view keys,
                      std::string_view listen = "[::]:4460") {
  return "[[nts-ke-server]]\nlisten = \"" + std::string{listen}
         + "\"\ncertificate-chain-path = \"/chain.pem\"\n"
           "private-key-path = \"/key.pem\"\n"
         + std::string{keys};
}

nts_ke_server_config only_server(std::string_view keys) {
  const auto loaded = valid(ke_server(keys));
  REQUIRE(loaded.config.nts_ke_servers.size() == 1);
  return loaded.config.nts_ke_servers[0];
}

/// Those about a key exchange server, with a [[server]] for its clients.
std::string warnings_about(std::string_view keys) {
  return warnings_of(ke_server(keys)
                     + "[[server]]\nlisten = \"[::]:123\"\n"
                       "[synchronization]\nlocal-stratum = 10\n");
}

} // namespace

TEST_CASE("a server of keys needs an address, a certificate and its key") {
  const auto server = only_server("");
  CHECK(server.listen.to_string() == "[::]:4460");
  CHECK(server.certificates
        == std::vector<certificate_pair>{{"/chain.pem", "/key.pem"}});
  CHECK(server.key_exchange_timeout == milliseconds{1000});
  CHECK(server.concurrent_connections == 512);
  CHECK(server.longlived_connections == 51);
  CHECK(server.rate_limiting_cutoff == milliseconds{100});
  CHECK(server.rate_limiting_burst == 100);
  CHECK(server.ntp_server.empty());
  CHECK(server.ntp_port == 123);
  CHECK(server.aeads == default_aeads());
  CHECK(server.pool_tokens.empty());
  CHECK(valid(ke_server("", "192.0.2.1"))
          .config.nts_ke_servers.at(0)
          .listen.to_string()
        == "192.0.2.1:4460");
  CHECK(refusal_of("[[nts-ke-server]]\n")
        == "ntp.toml:1:1: error: [[nts-ke-server]]: `listen` is missing\n"
           "ntp.toml:1:1: error: [[nts-ke-server]]: `certificate-chain-path` "
           "is missing\n"
           "ntp.toml:1:1: error: [[nts-ke-server]]: `private-key-path` is "
           "missing\n");
}

TEST_CASE("every key of a server of keys is read") {
  const auto server = only_server(R"(key-exchange-timeout-ms = 60000
concurrent-connections = 65536
longlived-connections = 65536
rate-limiting-cutoff-ms = 0
ntp-server = "2001:db8::1"
ntp-port = 65535
accept-ntp-versions = [4]
aeads = [30]
accepted-pool-authentication-tokens = ["one", "two"]
certificates = [
  { certificate-chain-path = "/b.pem", private-key-path = "/b-key.pem" },
  { certificate-chain-path = "/c.pem", private-key-path = "/c-key.pem" },
]
)");
  CHECK(server.key_exchange_timeout == milliseconds{60'000});
  CHECK(server.concurrent_connections == 65'536);
  CHECK(server.longlived_connections == 65'536);
  CHECK(server.rate_limiting_cutoff == milliseconds{0});
  CHECK(server.ntp_server == "2001:db8::1");
  CHECK(server.ntp_port == 65'535);
  CHECK(server.aeads == aead_list{ntp::aead_id::aes_128_gcm_siv});
  CHECK(server.pool_tokens == std::vector<std::string>{"one", "two"});
  CHECK(server.certificates
        == std::vector<certificate_pair>{{"/chain.pem", "/key.pem"},
                                         {"/b.pem", "/b-key.pem"},
                                         {"/c.pem", "/c-key.pem"}});
}

TEST_CASE("a tenth of the connections may live long unless told otherwise") {
  CHECK(only_server("concurrent-connections = 100\n").longlived_connections
        == 10);
  CHECK(only_server("concurrent-connections = 9\n").longlived_connections == 0);
  const std::string_view too_many = "concurrent-connections = 100\n"
                                    "longlived-connections = 101\n";
  CHECK(only_server(too_many).longlived_connections == 100);
  CHECK(warnings_about(too_many)
        == "ntp.toml:6:25: warning: `longlived-connections`: 101 is more than "
           "`concurrent-connections` allows; 100 is used\n");
}

TEST_CASE("a burst is of no use without a rate") {
  CHECK(warnings_about("rate-limiting-burst = 3\n").empty());
  CHECK(warnings_about("rate-limiting-cutoff-ms = 0\n").empty());
  CHECK(warnings_about("rate-limiting-cutoff-ms = 0\nrate-limiting-burst = 3\n")
        == "ntp.toml:6:23: warning: `rate-limiting-burst`: has no effect: "
           "`rate-limiting-cutoff-ms` is 0\n");
}

TEST_CASE("a further certificate without its key is refused") {
  CHECK(refusal_of(ke_server("certificates = [{ certificate-chain-path = "
                             "\"/b.pem\" }]\n"))
        == "ntp.toml:5:17: error: [[certificates]]: `private-key-path` is "
           "missing\n");
  CHECK(refusal_of(ke_server("certificates = [\"/b.pem\"]\n"))
        == "ntp.toml:5:17: error: `certificates`: expected tables "
           "([[certificates]]), found a string\n");
  CHECK(refusal_of(ke_server("[[nts-ke-server.certificates]]\n"
                             "certificate-chain-path = \"/b.pem\"\n"
                             "private-key-path = \"/b-key.pem\"\n"
                             "name = \"b\"\n"))
          .find("unknown key `name` in [[certificates]]")
        != std::string::npos);
}

TEST_CASE("two servers of keys on one address are an error") {
  CHECK(valid(ke_server("") + ke_server("", "[::]:4461"))
          .config.nts_ke_servers.size()
        == 2);
  CHECK(refusal_of(ke_server("") + ke_server(""))
        == "ntp.toml:6:10: error: `listen`: [::]:4460 is already used at "
           "ntp.toml:2\n");
}

TEST_CASE("values of a server of keys are checked") {
  const std::pair<const char*, const char*> wrong[] = {
    {"key-exchange-timeout-ms = 99", "must be from 100 to 60000, found 99"},
    {"key-exchange-timeout-ms = 60001", "must be from 100 to 60000"},
    {"concurrent-connections = 0", "must be from 1 to 65536, found 0"},
    {"concurrent-connections = 65537", "must be from 1 to 65536"},
    {"longlived-connections = -1", "must be from 0 to 65536, found -1"},
    {"rate-limiting-cutoff-ms = -1", "must be from 0 to 86400000"},
    {"rate-limiting-burst = 0", "must be from 1 to 1000, found 0"},
    {"ntp-port = 0", "must be from 1 to 65535, found 0"},
    {"ntp-port = 65536", "must be from 1 to 65535"},
    {"ntp-server = \"b.example:123\"",
     "expected a domain name or an IP address without port, found "
     "\"b.example:123\""},
    {"ntp-server = \"fe80::1%eth0\"", "expected a domain name"},
    {"ntp-server = \"\"", "must not be empty"},
    {"aeads = []", "must name an AEAD"},
    {"accept-ntp-versions = []", "must name a version"},
    {"accept-ntp-versions = [3, 4]", "3 has no NTS"},
    {"accept-ntp-versions = [5]", "5 is not supported yet"},
    {"accept-ntp-versions = [6]", "must be from 4 to 4, found 6"},
    {"accepted-pool-authentication-tokens = [\"\"]", "must not be empty"},
    {"accepted-pool-authentication-tokens = \"t\"", "expected an array"},
    {"certificates = 1", "expected tables"},
  };
  for (const auto& [key, complaint] : wrong) {
    const auto text = refusal_of(ke_server(std::string{key} + '\n'));
    CAPTURE(text);
    CHECK(text.find(complaint) != std::string::npos);
    CHECK(text.starts_with("ntp.toml:5:"));
  }
}

TEST_CASE("tokens of pools are never repeated in diagnostics") {
  for (const std::string tokens :
       {"[\"hush-1\", 2]", "\"hush-2\"", "[[\"hush-3\"]]",
        "[\"hush\\u0000-4\"]", "{ hush = \"hush-5\" }"}) {
    CAPTURE(tokens);
    CHECK(refusal_of(
            ke_server("accepted-pool-authentication-tokens = " + tokens + '\n'))
            .find("hush")
          == std::string::npos);
  }
}

} // namespace concert::config
