#include "ntp_core/nts/ke_server_name.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ntp {

TEST_CASE("addresses and domain names may stand in a Server record") {
  for (const auto* name :
       {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1", "localhost",
        "ntp.example.org", "ntp.example.org.", "1.ntp.example", "a-b.c_d.e",
        "xn--bcher-kva.example", "A.EXAMPLE"}) {
    CAPTURE(name);
    CHECK(is_ke_server_name(name));
  }
  const std::string label(63, 'a');
  CHECK(is_ke_server_name(label));
  CHECK(is_ke_server_name(label + "." + label + "." + label + "."
                          + std::string(61, 'b')));
}

TEST_CASE("everything else may not") {
  for (const auto* name : {"",
                           ".",
                           "..",
                           "a..b",
                           ".a",
                           "a..",
                           "-a.example",
                           "a-.example",
                           "a b",
                           "a\nb",
                           "a\x7f",
                           "caf\xc3\xa9.example",
                           "a/b",
                           "http://a",
                           "a:123",
                           "[2001:db8::1]",
                           "fe80::1%eth0",
                           "fe80::1%2",
                           "a%b",
                           "1.2.3",
                           "1.2.3.256",
                           "127.1",
                           "0x7f000001",
                           "2130706433",
                           "0.0.0.0",
                           "::",
                           "2001:db8::1::2",
                           "12345::",
                           "a.0x1",
                           "-"}) {
    CAPTURE(name);
    CHECK_FALSE(is_ke_server_name(name));
  }
  using namespace std::string_view_literals;
  CHECK_FALSE(is_ke_server_name("a\0.example"sv));
  CHECK_FALSE(is_ke_server_name("192.0.2.1\0"sv));
  const std::string label(63, 'a');
  CHECK_FALSE(is_ke_server_name(label + "a"));
  CHECK_FALSE(is_ke_server_name(label + "." + label + "." + label + "."
                                + std::string(62, 'b')));
}

} // namespace concert::ntp
