#include "config/host_port.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::config {

TEST_CASE("a host is a name or address, with port 123 unless one is given") {
  CHECK(parse_host_port("ntp.example") == host_port{"ntp.example", 123});
  CHECK(parse_host_port("ntp.example:1123") == host_port{"ntp.example", 1123});
  CHECK(parse_host_port("192.0.2.1") == host_port{"192.0.2.1", 123});
  CHECK(parse_host_port("192.0.2.1:4") == host_port{"192.0.2.1", 4});
  CHECK(parse_host_port("2001:db8::1") == host_port{"2001:db8::1", 123});
  CHECK(parse_host_port("[2001:db8::1]") == host_port{"2001:db8::1", 123});
  CHECK(parse_host_port("[2001:db8::1]:99") == host_port{"2001:db8::1", 99});
}

TEST_CASE("the port that is meant may be another one") {
  CHECK(parse_host_port("ntp.example", 4460) == host_port{"ntp.example", 4460});
  CHECK(parse_host_port("[2001:db8::1]", 4460)
        == host_port{"2001:db8::1", 4460});
  CHECK(parse_host_port("ntp.example:123", 4460)
        == host_port{"ntp.example", 123});
  CHECK(parse_host_port("?", 4460).error().find("if it is not 4460")
        != std::string::npos);
}

TEST_CASE("text that is no host is refused") {
  const char* const bad[] = {
    "",
    ":123",
    "a.example:",
    "a.example:0",
    "a.example:x",
    "a.example:65536",
    "a example",
    "a..example",
    "[::1",
    "[::1]123",
    "[192.0.2.1]:123",
    "1:2:3",
    "[a.example]",
    "a.example:1 ",
    "b\xc3\xbc.example",
    "-\n",
  };
  for (const auto* text : bad) {
    CAPTURE(text);
    CHECK_FALSE(parse_host_port(text).has_value());
  }
  CHECK_FALSE(parse_host_port(std::string(254, 'a')).has_value());
}

TEST_CASE("the text of a host reads back as the same host") {
  for (const host_port& host :
       {host_port{"ntp.example", 123}, host_port{"2001:db8::1", 4123}})
    CHECK(parse_host_port(host.to_string()) == host);
}

} // namespace concert::config
