#include "ntp_core/access/access_list.hpp"

#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

namespace {

ip_address address(std::string_view text) {
  return *ip_address::parse(text);
}

access_list list(std::initializer_list<std::string_view> prefixes) {
  std::vector<ip_prefix> parsed;
  for (const auto p : prefixes)
    parsed.push_back(*ip_prefix::parse(p));
  return access_list{parsed};
}

} // namespace

TEST_CASE("an empty list contains nobody, the list of everybody all") {
  CHECK(access_list{}.empty());
  CHECK(!access_list{}.contains(address("0.0.0.0")));
  const auto all = access_list::everybody();
  for (const auto* a : {"0.0.0.0", "255.255.255.255", "::", "::1",
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"})
    CHECK(all.contains(address(a)));
}

TEST_CASE("a list contains the ends of its ranges and not their neighbours") {
  const auto l = list({"10.0.0.0/8", "192.0.2.4/30", "2001:db8::/32"});
  CHECK(!l.contains(address("9.255.255.255")));
  CHECK(l.contains(address("10.0.0.0")));
  CHECK(l.contains(address("10.255.255.255")));
  CHECK(!l.contains(address("11.0.0.0")));
  CHECK(l.contains(address("192.0.2.7")));
  CHECK(!l.contains(address("192.0.2.8")));
  CHECK(l.contains(address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")));
  CHECK(!l.contains(address("2001:db9::")));
  CHECK(l.contains(address("::ffff:10.1.2.3")));
}

TEST_CASE("a range inside another one does not hide what follows it") {
  const auto l = list({"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32"});
  CHECK(l.contains(address("10.200.0.0")));
}

TEST_CASE("a list agrees with a scan of its prefixes") {
  test::seeded_random random;
  std::vector<ip_prefix> prefixes;
  const auto some_address = [&] {
    const auto r = random.next();
    return ip_address::v4({static_cast<std::uint8_t>(10 + r % 2),
                           static_cast<std::uint8_t>(r >> 8 & 0x3f),
                           static_cast<std::uint8_t>(r >> 16),
                           static_cast<std::uint8_t>(r >> 24)});
  };
  prefixes.reserve(500);
  for (int i = 0; i < 500; ++i)
    prefixes.push_back(
      *ip_prefix::parse(some_address().to_string() + '/'
                        + std::to_string(17 + random.next() % 16)));
  const access_list l{prefixes};
  int inside = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto a = some_address();
    const bool expected
      = std::any_of(prefixes.begin(), prefixes.end(),
                    [&](const ip_prefix& p) { return p.contains(a); });
    CHECK(l.contains(a) == expected);
    inside += expected ? 1 : 0;
  }
  CHECK(inside > 100);
  CHECK(inside < 1900);
}

} // namespace concert::ntp
