#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

const std::string source
  = "[[source]]\nmode = \"server\"\naddress = \"a.example\"\n";
const std::string pool
  = "[[source]]\nmode = \"pool\"\naddress = \"p.example\"\ncount = 3\n";
const std::string server = "[[server]]\nlisten = \"[::]:123\"\n";

std::string minimum(int count) {
  return "[synchronization]\nminimum-agreeing-sources = "
         + std::to_string(count) + "\n";
}

} // namespace

TEST_CASE("a sound configuration has no warnings") {
  CHECK(warnings_of(source).empty());
  CHECK(warnings_of(source + pool + server + minimum(4)).empty());
}

TEST_CASE("no source at all is said") {
  CHECK(warnings_of("")
        == "ntp.toml: warning: no [[source]] is configured: the clock will "
           "not be corrected\n");
}

TEST_CASE("a server without sources needs a local stratum to be believed") {
  CHECK(warnings_of(server)
        == "ntp.toml: warning: no [[source]] is configured and "
           "`local-stratum` is 16: clients of the [[server]] will be told "
           "that it is not synchronised\n");
  CHECK(warnings_of(server + "[synchronization]\nlocal-stratum = 8\n").empty());
}

TEST_CASE("too few sources for the wanted agreement is impossible") {
  CHECK(warnings_of(source + minimum(2))
        == "ntp.toml: warning: synchronisation is impossible as configured: "
           "`minimum-agreeing-sources` is 2, but only 1 source can be "
           "selected\n");
  CHECK(warnings_of(pool + source + "noselect = true\n" + minimum(4))
        == "ntp.toml: warning: synchronisation is impossible as configured: "
           "`minimum-agreeing-sources` is 4, but only 3 sources can be "
           "selected\n");
}

TEST_CASE("sources that may not be selected cannot synchronise") {
  CHECK(warnings_of(source + "noselect = true\n")
        == "ntp.toml: warning: synchronisation is impossible as configured: "
           "every [[source]] is marked `noselect`\n");
}

TEST_CASE("local stratum 1 leaves room for no source") {
  CHECK(warnings_of(source + "[synchronization]\nlocal-stratum = 1\n")
        == "ntp.toml: warning: synchronisation is impossible as configured: "
           "`local-stratum` is 1, and no source has a stratum below that\n");
}

TEST_CASE("clients that are not remembered cannot be counted") {
  const std::string counted = "[observability]\ntop-clients = 3\n";
  CHECK(warnings_of(source + server + counted).empty());
  CHECK(warnings_of(source + server + "client-table-size = 0\n" + counted)
        == "ntp.toml: warning: `top-clients` has no effect for the [[server]] "
           "on [::]:123: its `client-table-size` is 0\n");
}

TEST_CASE("a server that is named twice is said to vote twice") {
  CHECK(warnings_of(source + source)
        == "ntp.toml: warning: a.example:123 is configured as a source more "
           "than once: it has more than one vote\n");
}

TEST_CASE(
  "a server named twice with NTS votes twice as well, a pool does not") {
  const std::string nts
    = "[[source]]\nmode = \"nts\"\naddress = \"a.example\"\n";
  const std::string nts_pool
    = "[[source]]\nmode = \"nts-pool\"\naddress = \"a.example\"\n";
  CHECK(warnings_of(nts + nts)
        == "ntp.toml: warning: a.example:4460 is configured as a source more "
           "than once: it has more than one vote\n");
  CHECK(warnings_of(nts_pool + nts_pool).empty());
}

TEST_CASE("members of a pool with NTS count as sources") {
  const std::string nts_pool
    = "[[source]]\nmode = \"nts-pool\"\naddress = \"p.example\"\ncount = 3\n";
  CHECK(valid(nts_pool).config.configured_sources() == 3);
  CHECK(warnings_of(nts_pool + minimum(3)).empty());
  CHECK_FALSE(warnings_of(nts_pool + minimum(4)).empty());
}

namespace {

std::string ke_server(std::string_view listen, std::string_view keys = "") {
  return "[[nts-ke-server]]\nlisten = \"" + std::string{listen}
         + "\"\ncertificate-chain-path = \"/chain\"\n"
           "private-key-path = \"/key\"\n"
         + std::string{keys};
}

} // namespace

TEST_CASE("clients with keys must find a server that answers them") {
  CHECK(warnings_of(source + server + ke_server("[::]:4460")).empty());
  CHECK(warnings_of(source + ke_server("[::]:4460"))
        == "ntp.toml: warning: the [[nts-ke-server]] on [::]:4460 sends its "
           "clients to port 123, where no [[server]] serves version 4 over "
           "IPv6\n");
  for (const auto& lacking :
       {server + ke_server("0.0.0.0:4460"),
        server + ke_server("[::]:4460", "ntp-port = 124\n"),
        server + "accept-ntp-versions = [3]\n" + ke_server("[::]:4460")}) {
    CAPTURE(lacking);
    CHECK_FALSE(warnings_of(source + lacking).empty());
  }
  CHECK(
    warnings_of(source + ke_server("[::]:4460", "ntp-server = \"b.example\"\n"))
      .empty());
}

TEST_CASE("a server that wants cookies which nobody has is warned about") {
  const std::string required = server + "require-nts = true\n";
  CHECK(warnings_of(source + required)
        == "ntp.toml: warning: nobody can be served on [::]:123: `require-nts` "
           "is set, but there is neither a [[nts-ke-server]] nor a "
           "`cluster-secret-file`, and so no cookie that it accepts\n");
  CHECK(warnings_of(source + required + ke_server("[::]:4460")).empty());
  CHECK(warnings_of(source + required
                    + "[keyset]\ncluster-secret-file = \"/secret\"\n")
          .empty());
}

} // namespace concert::config
