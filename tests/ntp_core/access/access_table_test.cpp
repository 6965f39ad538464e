#include "ntp_core/access/access_table.hpp"

#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <string_view>
#include <vector>

namespace concert::ntp {

namespace {

using enum access_verdict;
using enum access_order;

std::vector<ip_prefix> list(std::initializer_list<std::string_view> prefixes) {
  std::vector<ip_prefix> parsed;
  for (const auto p : prefixes)
    parsed.push_back(*ip_prefix::parse(p));
  return parsed;
}

const auto everybody = list({"0.0.0.0/0", "::/0"});

access_verdict judge(const access_table& t, std::string_view text) {
  return t.judge(*ip_address::parse(text));
}

/// The length of the longest prefix that holds the address; -1 if none does.
int longest(const std::vector<ip_prefix>& prefixes, const ip_address& a) {
  int length = -1;
  for (const auto& p : prefixes)
    if (p.contains(a))
      length = std::max<int>(length, p.length);
  return length;
}

/// The verdict by the letter of the two orders, from a scan of both lists.
access_verdict scan(const std::vector<ip_prefix>& deny,
                    const std::vector<ip_prefix>& allow, access_order order,
                    const ip_address& a) {
  const auto denied_by = longest(deny, a);
  const auto allowed_by = longest(allow, a);
  const bool is_denied
    = denied_by >= 0 && (order == deny_first || denied_by >= allowed_by);
  if (is_denied)
    return denied;
  return allowed_by >= 0 ? allowed : not_allowed;
}

/// Addresses of few bits that vary, so that prefixes meet and nest.
class address_source {
public:
  explicit address_source(bool v4) : v4_(v4) {}

  ip_address address() {
    const auto r = random_.next();
    const auto octet
      = [&](unsigned shift) { return static_cast<std::uint8_t>(r >> shift); };
    if (v4_)
      return ip_address::v4({static_cast<std::uint8_t>(10 + r % 2),
                             static_cast<std::uint8_t>(octet(8) & 7), octet(16),
                             static_cast<std::uint8_t>(octet(24) & 0x81)});
    // Some bits on both sides of the middle, so that both words matter.
    std::array<std::uint8_t, 16> o{0x20, 0x01};
    o[2] = octet(0) & 3;
    o[7] = octet(8) & 0x83;
    o[8] = octet(16) & 0xc1;
    o[15] = octet(24) & 3;
    return ip_address::v6(o);
  }

  ip_prefix prefix() {
    const unsigned width = v4_ ? 32 : 128;
    const auto length
      = random_.next() % 4 == 0 ? width : 8 + random_.next() % (width - 7);
    return *ip_prefix::parse(address().to_string() + '/'
                             + std::to_string(length));
  }

private:
  test::seeded_random random_;
  bool v4_;
};

} // namespace

TEST_CASE("a table without lists allows everybody, empty lists nobody") {
  const access_table open;
  const access_table closed{{}, {}, deny_first};
  for (const auto* a : {"0.0.0.0", "255.255.255.255", "::", "::1",
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    CHECK(judge(open, a) == allowed);
    CHECK(judge(closed, a) == not_allowed);
    CHECK(judge({everybody, everybody, deny_first}, a) == denied);
    CHECK(judge({{}, everybody, longest_match}, a) == allowed);
  }
}

TEST_CASE("a range holds its ends and not their neighbours") {
  const access_table t{
    list({"10.0.0.0/8", "192.0.2.4/30", "2001:db8::/32", "2001:db9::/64"}),
    everybody, deny_first};
  CHECK(judge(t, "9.255.255.255") == allowed);
  CHECK(judge(t, "10.0.0.0") == denied);
  CHECK(judge(t, "10.255.255.255") == denied);
  CHECK(judge(t, "11.0.0.0") == allowed);
  CHECK(judge(t, "192.0.2.7") == denied);
  CHECK(judge(t, "192.0.2.8") == allowed);
  CHECK(judge(t, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff") == denied);
  CHECK(judge(t, "2001:db9::ffff:ffff:ffff:ffff") == denied);
  CHECK(judge(t, "2001:db9:0:1::") == allowed);
  CHECK(judge(t, "2001:db7:ffff::") == allowed);
  CHECK(judge(t, "::ffff:10.1.2.3") == denied);
}

TEST_CASE("single addresses at both ends of the scale can be denied") {
  const access_table t{list({"0.0.0.0/32", "255.255.255.255/32", "::/128",
                             "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"}),
                       everybody, deny_first};
  CHECK(judge(t, "0.0.0.0") == denied);
  CHECK(judge(t, "0.0.0.1") == allowed);
  CHECK(judge(t, "255.255.255.254") == allowed);
  CHECK(judge(t, "255.255.255.255") == denied);
  CHECK(judge(t, "::") == denied);
  CHECK(judge(t, "::1") == allowed);
  CHECK(judge(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe") == allowed);
  CHECK(judge(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == denied);
}

TEST_CASE("a denied network has no allowed part, unless the longer prefix "
          "counts") {
  const auto deny = list({"10.0.0.0/8", "10.1.2.3/32"});
  const auto allow = list({"0.0.0.0/0", "10.1.0.0/16", "10.1.2.3/32"});
  const access_table strict{deny, allow, deny_first};
  CHECK(judge(strict, "10.1.0.1") == denied);
  CHECK(judge(strict, "10.200.0.0") == denied);
  CHECK(judge(strict, "11.0.0.0") == allowed);
  const access_table longer{deny, allow, longest_match};
  CHECK(judge(longer, "10.0.255.255") == denied);
  CHECK(judge(longer, "10.1.0.0") == allowed);
  CHECK(judge(longer, "10.1.2.2") == allowed);
  CHECK(judge(longer, "10.1.2.3") == denied);
  CHECK(judge(longer, "10.1.2.4") == allowed);
  CHECK(judge(longer, "10.2.0.0") == denied);
}

TEST_CASE(
  "IPv4 addresses lie in IPv4 prefixes only, and scopes do not matter") {
  const access_table t{list({"::/0"}), list({"0.0.0.0/0"}), deny_first};
  CHECK(judge(t, "192.0.2.1") == allowed);
  const access_table link{list({"fe80::/10"}), everybody, deny_first};
  CHECK(judge(link, "fe80::1%3") == denied);
}

TEST_CASE("neighbouring ranges of one verdict become one") {
  const access_table t{list({"10.0.0.0/9", "10.128.0.0/9", "11.0.0.0/8",
                             "10.3.0.0/16", "0.0.0.0/5", "8.0.0.0/7"}),
                       list({"::/0"}), longest_match};
  // IPv4: denied up to 11.255.255.255, then outside of the lists. IPv6: one.
  CHECK(t.size() == 3);
  CHECK(judge(t, "0.0.0.0") == denied);
  CHECK(judge(t, "11.255.255.255") == denied);
  CHECK(judge(t, "12.0.0.0") == not_allowed);
  CHECK(access_table{everybody, everybody, deny_first}.size() == 2);
}

TEST_CASE("a table agrees with a scan of both lists") {
  for (const bool v4 : {true, false})
    for (const auto order : {deny_first, longest_match})
      for (const int prefixes : {0, 1, 3, 40, 600}) {
        CAPTURE(v4);
        CAPTURE(prefixes);
        address_source random{v4};
        std::vector<ip_prefix> deny;
        std::vector<ip_prefix> allow;
        for (int i = 0; i < prefixes; ++i) {
          deny.push_back(random.prefix());
          allow.push_back(random.prefix());
          if (i % 10 == 0)
            allow.push_back(deny.back());
        }
        const access_table t{deny, allow, order};
        int wrong = 0;
        for (int i = 0; i < 2000; ++i) {
          const auto a = random.address();
          wrong += t.judge(a) != scan(deny, allow, order, a) ? 1 : 0;
        }
        CHECK(wrong == 0);
      }
}

TEST_CASE("100,000 prefixes are told apart") {
  std::vector<ip_prefix> deny;
  for (std::uint32_t i = 0; i < 100'000; ++i)
    deny.push_back({ip_address::v4({static_cast<std::uint8_t>(i >> 16),
                                    static_cast<std::uint8_t>(i >> 8),
                                    static_cast<std::uint8_t>(i), 0}),
                    25});
  const access_table t{deny, everybody, deny_first};
  CHECK(t.size() == 200'001);
  int wrong = 0;
  for (const auto& p : deny) {
    auto o = p.network.octets();
    const auto at = [&](std::uint8_t last) {
      return t.judge(ip_address::v4({o[0], o[1], o[2], last}));
    };
    wrong += at(0) == denied && at(127) == denied && at(128) == allowed
                 && at(255) == allowed
               ? 0
               : 1;
  }
  CHECK(wrong == 0);
}

} // namespace concert::ntp
