#include "tools/ntp_load/client_addresses.hpp"

#include <doctest/doctest.h>

#include <set>

namespace concert::load {

namespace {

client_addresses of(const char* prefix) {
  return client_addresses{ntp::ip_prefix::parse(prefix).value()};
}

} // namespace

TEST_CASE("IPv4 clients are all hosts of their prefix, and nothing else") {
  const auto c = of("10.1.2.0/29");
  CHECK(c.capacity() == 6);
  CHECK(c.at(0).to_string() == "10.1.2.1");
  CHECK(c.at(5).to_string() == "10.1.2.6");
  CHECK(of("192.0.2.4/31").capacity() == 2);
  CHECK(of("192.0.2.4/31").at(1).to_string() == "192.0.2.5");
  CHECK(of("192.0.2.4/32").at(0).to_string() == "192.0.2.4");
}

TEST_CASE("the loopback network has room for ten million clients") {
  const auto c = of("127.0.0.0/8");
  CHECK(c.capacity() == 16'777'214);
  CHECK(c.at(0).to_string() == "127.0.0.1");
  CHECK(c.at(255).to_string() == "127.0.1.0");
  CHECK(c.at(9'999'999).to_string() == "127.152.150.128");
}

TEST_CASE("IPv6 clients of a short prefix differ in their first 64 bits") {
  const auto c = of("2001:db8::/32");
  CHECK(c.at(0).to_string() == "2001:db8:0:1::1");
  CHECK(c.at(65535).to_string() == "2001:db8:1::1");
  CHECK(c.capacity() > 10'000'000);
  CHECK(of("2001:db8::/64").at(1).to_string() == "2001:db8::2");
  CHECK(of("::1/128").capacity() == 1);
  CHECK(of("::1/128").at(0).to_string() == "::1");
}

TEST_CASE("no two clients are the same, and all are in the prefix") {
  for (const char* prefix : {"10.0.0.0/20", "fd00::/52", "fd00::/116"}) {
    const auto c = of(prefix);
    std::set<ntp::ip_address> seen;
    for (std::uint64_t i = 0; i < c.capacity(); ++i) {
      REQUIRE(c.prefix().contains(c.at(i)));
      seen.insert(c.at(i));
    }
    CHECK(seen.size() == c.capacity());
  }
}

} // namespace concert::load
