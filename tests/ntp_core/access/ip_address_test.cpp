#include "ntp_core/access/ip_address.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

namespace {

std::string round_trip(std::string_view text) {
  const auto a = ip_address::parse(text);
  return a ? a->to_string() : "refused";
}

} // namespace

TEST_CASE("addresses are written in their canonical form (RFC 5952)") {
  CHECK(round_trip("192.0.2.1") == "192.0.2.1");
  CHECK(round_trip("0.0.0.0") == "0.0.0.0");
  CHECK(round_trip("255.255.255.255") == "255.255.255.255");
  CHECK(round_trip("::") == "::");
  CHECK(round_trip("::1") == "::1");
  CHECK(round_trip("1::") == "1::");
  CHECK(round_trip("2001:DB8:0:0:0:0:0:1") == "2001:db8::1");
  CHECK(round_trip("2001:0db8::0001") == "2001:db8::1");
  CHECK(round_trip("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1");
  CHECK(round_trip("2001:0:0:1:0:0:0:1") == "2001:0:0:1::1");
  CHECK(round_trip("2001:db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");
  CHECK(round_trip("1:2:3:4:5:6:7::") == "1:2:3:4:5:6:7:0");
  CHECK(round_trip("64:ff9b::192.0.2.33") == "64:ff9b::c000:221");
  CHECK(round_trip("1:2:3:4:5:6:7.8.9.10") == "1:2:3:4:5:6:708:90a");
  CHECK(round_trip("fe80::1%3") == "fe80::1%3");
}

TEST_CASE("a v4-mapped address is the IPv4 address") {
  CHECK(round_trip("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(ip_address::parse("::ffff:c000:201") == ip_address::parse("192.0.2.1"));
  CHECK(ip_address::parse("::ffff:192.0.2.1")->is_v4());
}

TEST_CASE("what is no address is refused") {
  for (const auto* text : {"",
                           " ",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.256",
                           "1.2.3.-4",
                           "01.2.3.4",
                           "1.2.3.4 ",
                           "1..3.4",
                           "1.2.3.",
                           ".1.2.3",
                           "a.b.c.d",
                           ":",
                           ":::",
                           "1:",
                           ":1",
                           "1::2::3",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "12345::",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "g::",
                           "::1.2.3",
                           "1.2.3.4::",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "fe80::1%",
                           "fe80::1%eth0",
                           "fe80::1%99999999999",
                           "[::1]",
                           "1.2.3.4%1",
                           "::ffff:1.2.3.04"})
    CHECK_MESSAGE(round_trip(text) == "refused", text);
}

TEST_CASE("loopback and unspecified addresses are known") {
  CHECK(ip_address::parse("127.9.9.9")->is_loopback());
  CHECK(ip_address::parse("::1")->is_loopback());
  CHECK(!ip_address::parse("128.0.0.1")->is_loopback());
  CHECK(!ip_address::parse("::2")->is_loopback());
  CHECK(ip_address::parse("::")->is_unspecified());
  CHECK(ip_address{}.is_unspecified());
  CHECK(!ip_address::parse("::1")->is_unspecified());
}

TEST_CASE("endpoints are read as they are written") {
  for (const auto* text :
       {"192.0.2.1:123", "[2001:db8::1]:65535", "[fe80::1%2]:0"}) {
    const auto e = endpoint::parse(text);
    REQUIRE(e);
    CHECK(e->to_string() == text);
  }
  for (const auto* text :
       {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "::1:123",
        "[192.0.2.1]:123", "[::1]", "[::1]:", "[::1]x:1", "[]:1", "[::1:1",
        "192.0.2.1:+1", "name:123"})
    CHECK_MESSAGE(!endpoint::parse(text), text);
}

TEST_CASE("prefixes lose their host bits") {
  CHECK(ip_prefix::parse("192.0.2.129/25")->to_string() == "192.0.2.128/25");
  CHECK(ip_prefix::parse("192.0.2.1/32")->to_string() == "192.0.2.1/32");
  CHECK(ip_prefix::parse("1.2.3.4/0")->to_string() == "0.0.0.0/0");
  CHECK(ip_prefix::parse("2001:db8::1/33")->to_string() == "2001:db8::/33");
  CHECK(ip_prefix::parse("::ffff:192.0.2.1/120")->to_string()
        == "192.0.2.0/24");
  for (const auto* text :
       {"192.0.2.1", "192.0.2.1/", "192.0.2.1/33", "::/129", "::/-1", "/8",
        "1.2.3.4/8/8", "1.2.3/8", "::ffff:1.2.3.4/95", "fe80::1%2/64"})
    CHECK_MESSAGE(!ip_prefix::parse(text), text);
}

TEST_CASE("a prefix contains the addresses that share its bits") {
  const auto p = *ip_prefix::parse("10.20.0.0/15");
  CHECK(p.contains(*ip_address::parse("10.20.0.0")));
  CHECK(p.contains(*ip_address::parse("10.21.255.255")));
  CHECK(!p.contains(*ip_address::parse("10.22.0.0")));
  CHECK(!p.contains(*ip_address::parse("a14::")));
  const auto all = *ip_prefix::parse("::/0");
  CHECK(all.contains(*ip_address::parse("ffff::")));
  CHECK(!all.contains(*ip_address::parse("1.2.3.4")));
}

} // namespace concert::ntp
