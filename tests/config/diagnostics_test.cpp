#include "tests/config/parsing.hpp"

namespace concert::config {

TEST_CASE("each mistake is reported with file, line, column and a remedy") {
  CHECK(refusal_of(R"([[source]]
mode = "server"
adress = "a.example"
iburst = "yes"

[[source]]
mode = "sever"
address = "b.example"

[[source]]
mode = "pool"
address = "c.example"
count = 100

[synchronization]
local-stratum = 0
warn-on-jmp = true

[sinchronisation]
)") == R"(ntp.toml:1:1: error: [[source]]: `address` is missing
ntp.toml:3:1: error: unknown key `adress` in [[source]]; did you mean `address`?
ntp.toml:4:10: error: `iburst`: expected a boolean, found a string
ntp.toml:7:8: error: `mode`: unknown value "sever": did you mean `server`?
ntp.toml:13:9: error: `count`: must be from 1 to 64, found 100
ntp.toml:16:17: error: `local-stratum`: must be from 1 to 16, found 0
ntp.toml:17:1: error: unknown key `warn-on-jmp` in [synchronization]; did you mean `warn-on-jump`?
ntp.toml:19:2: error: unknown key `sinchronisation`; did you mean `synchronization`?
)");
}

TEST_CASE("an unknown key that resembles nothing lists the valid ones") {
  CHECK(refusal_of("[clock]\nflux-capacitor = 1\n")
        == "ntp.toml:2:1: error: unknown key `flux-capacitor` in [clock]; "
           "known here: kind, initial-offset, frequency-error, wander, seed, "
           "path, clock, interface, timestamp-mode\n");
}

TEST_CASE("malformed TOML is a diagnostic with its place") {
  const auto text = refusal_of("[clock]\nkind = \n");
  CHECK(text.starts_with("ntp.toml:2:"));
  CHECK(text.find(": error: ") != std::string::npos);
}

TEST_CASE("a section of the wrong shape says what shape it has") {
  CHECK(refusal_of("clock = 3\n")
        == "ntp.toml:1:9: error: `clock`: expected a table ([clock]), found "
           "an integer\n");
  CHECK(refusal_of("[source]\nmode = \"server\"\n")
        == "ntp.toml:1:1: error: `source`: expected tables ([[source]]), "
           "found a table\n");
  CHECK(refusal_of("server = [1]\n")
        == "ntp.toml:1:11: error: `server`: expected tables ([[server]]), "
           "found an integer\n");
}

TEST_CASE("a diagnostic is one line whatever stands in the file") {
  const auto text = refusal_of("\"a\\nb\\u001b[31m\" = 1\n");
  CHECK(text.starts_with("ntp.toml:1:1: error: unknown key `a?b?[31m`; "));
  const auto long_key = std::string(5000, 'k');
  CHECK(refusal_of(long_key + " = 1\n").size() < 500);
}

TEST_CASE("diagnostics of a hostile file are limited in number") {
  std::string text;
  for (int i = 0; i < 250; ++i)
    text += "key" + std::to_string(i) + " = 1\n";
  const auto result = parse(text, "ntp.toml");
  REQUIRE_FALSE(result);
  CHECK(result.error().size() == 101);
  CHECK(result.error().back().to_string() == "error: 150 more are not shown");
}

TEST_CASE("what belongs to a later version is refused by name") {
  const char* const later[] = {
    "[[source]]\nmode = \"sock\"\npath = \"/run/x\"\nprecision = 1e-6\n",
    "[[source]]\nmode = \"pps\"\npath = \"/dev/pps0\"\nprecision = 1e-6\n",
    "[[source]]\nmode = \"csptp\"\naddress = \"a.example\"\n",
    "[[source]]\nmode = \"server\"\naddress = \"a.example\"\nntp-version = 5\n",
    R"([[source]]
mode = "server"
address = "a.example"
ntp-version = "auto"
)",
    "[[server]]\nlisten = \"[::]:123\"\naccept-ntp-versions = [4, 5]\n",
    R"([[source]]
mode = "nts"
address = "a.example"
enable-srv-resolution = true
)",
    "[csptp]\npriority_1 = 128\n",
    "[[csptp-server]]\ninterface = \"any\"\n",
    "[clock]\nkind = \"phc\"\n",
  };
  for (const auto* text : later) {
    CAPTURE(text);
    const auto result = parse(text, "ntp.toml");
    REQUIRE_FALSE(result);
    REQUIRE(result.error().size() == 1);
    CHECK(result.error()[0].line > 0);
    CHECK(result.error()[0].text.ends_with("is not supported yet"));
  }
}

} // namespace concert::config
