#include "ctl/toml_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ctl {

TEST_CASE("what TOML knows stays as it is") {
  for (const char* text :
       {"true", "false", "0", "-4", "+0.5", "1e-3", "0o666", "0x1f", "\"a b\"",
        "'a'", "[4, 8]", "{ min = 4, max = 10 }"})
    CHECK(toml_value(text) == text);
}

TEST_CASE("everything else is text") {
  for (const char* text :
       {"", "info", "ntp.example.org", "192.0.2.1", "192.0.2.1:123",
        "2001:db8::1", "/run/x", "truest", "1h", "-", "0xfg"})
    CHECK(toml_value(text) == "\"" + std::string{text} + "\"");
  CHECK(toml_value("a\"b\\c\n") == R"("a\"b\\c\u000a")");
}

} // namespace concert::ctl
