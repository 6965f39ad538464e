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

} // namespace concert::config
