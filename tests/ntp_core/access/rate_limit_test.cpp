#include "ntp_core/access/rate_limit.hpp"

#include "ntp_core/access/siphash.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

using namespace std::chrono_literals;

namespace {

constexpr mono_time start{1h};

ip_address client(std::uint32_t n) {
  return ip_address::v4({10, static_cast<std::uint8_t>(n >> 16),
                         static_cast<std::uint8_t>(n >> 8),
                         static_cast<std::uint8_t>(n)});
}

using decision = rate_limiter::decision;

bool passes(rate_limiter& limiter, const ip_address& a, mono_time now) {
  return limiter.judge(a, now) == decision::pass;
}

int allowed(rate_limiter& limiter, const ip_address& a, mono_time now,
            int requests) {
  int count = 0;
  for (int i = 0; i < requests; ++i)
    count += passes(limiter, a, now) ? 1 : 0;
  return count;
}

} // namespace

TEST_CASE("the keyed hash is SipHash-2-4") {
  // The reference's example with the key 00..0f: no input, then 00..07.
  constexpr std::array<std::uint64_t, 2> key{0x0706050403020100,
                                             0x0f0e0d0c0b0a0908};
  CHECK(siphash(key, {}) == 0x726fdb47dd0e0e31);
  constexpr std::array<std::uint64_t, 1> words{0x0706050403020100};
  CHECK(siphash(key, words) == 0x93f5f5799a932462);
}

TEST_CASE("without slots or spacing there is no limit") {
  rate_limiter no_slots{{0, 1s, 1}, 7};
  rate_limiter no_spacing{{64, 0s, 1}, 7};
  CHECK(allowed(no_slots, client(1), start, 1000) == 1000);
  CHECK(allowed(no_spacing, client(1), start, 1000) == 1000);
}

TEST_CASE("a client has its burst, then one request for each spacing") {
  rate_limiter limiter{{64, 1s, 4}, 7};
  auto now = start;
  for (int i = 0; i < 4; ++i)
    CHECK(passes(limiter, client(1), now));
  int passed = 0;
  for (int s = 1; s <= 100; ++s) {
    now = start + std::chrono::seconds{s};
    CHECK(passes(limiter, client(1), now));
    passed += allowed(limiter, client(1), now, 1);
  }
  CHECK(passed < 25); // the leak only
  CHECK(allowed(limiter, client(2), now, 4) == 4);
}

TEST_CASE("a client that was quiet has its burst again, and no more") {
  rate_limiter limiter{{64, 1s, 4}, 7};
  allowed(limiter, client(1), start, 4);
  for (int i = 0; i < 4; ++i)
    CHECK(passes(limiter, client(1), start + 24h));
  CHECK(allowed(limiter, client(1), start + 24h, 100) < 25);
}

TEST_CASE("a client over its rate still gets about one answer in 16") {
  rate_limiter limiter{{64, 1h, 1}, 7};
  allowed(limiter, client(1), start, 1);
  const int leaked = allowed(limiter, client(1), start, 16000);
  CHECK(leaked > 800);
  CHECK(leaked < 1200);
}

TEST_CASE("a client over its rate gets one answer in `leak`, whatever is "
          "asked for at least one in 16") {
  const auto leaked = [](std::uint32_t leak) {
    rate_limiter limiter{{64, 1h, 1, leak}, 7};
    allowed(limiter, client(1), start, 1);
    return allowed(limiter, client(1), start, 16000);
  };
  CHECK(leaked(0) == 16000);
  CHECK(leaked(1) == 16000);
  CHECK(leaked(4) > 3600);
  CHECK(leaked(4) < 4400);
  CHECK(leaked(1000) > 800);
}

TEST_CASE("of the requests that get no answer one in `kiss` gets a kiss") {
  const auto drawn = [](std::uint32_t kiss) {
    rate_limiter limiter{{64, 1h, 1, 16, kiss}, 7};
    allowed(limiter, client(1), start, 1);
    std::array<int, 3> counts{};
    for (int i = 0; i < 16000; ++i)
      ++counts[static_cast<std::size_t>(limiter.judge(client(1), start))];
    return counts;
  };
  const auto kisses = static_cast<std::size_t>(decision::kiss);
  const auto drops = static_cast<std::size_t>(decision::drop);
  CHECK(drawn(0)[kisses] == 0);
  CHECK(drawn(1)[drops] == 0);
  CHECK(drawn(1)[kisses] > 14800);
  CHECK(drawn(10)[kisses] > 1300);
  CHECK(drawn(10)[kisses] < 1700);
  CHECK(drawn(10)[static_cast<std::size_t>(decision::pass)] > 800);
}

TEST_CASE("all addresses of a /64 are one client, other networks are not") {
  rate_limiter limiter{{64, 1h, 1}, 7};
  allowed(limiter, *ip_address::parse("2001:db8::1"), start, 1);
  int passed = 0;
  for (int i = 2; i < 102; ++i)
    passed += allowed(
      limiter, *ip_address::parse("2001:db8::" + std::to_string(i)), start, 1);
  CHECK(passed < 25);
  CHECK(allowed(limiter, *ip_address::parse("2001:db8:0:1::1"), start, 1) == 1);
}

TEST_CASE("an IPv4 address and the IPv6 network of the same bits differ") {
  rate_limiter limiter{{64, 1h, 1}, 7};
  CHECK(passes(limiter, *ip_address::parse("32.1.13.184"), start));
  CHECK(passes(limiter, *ip_address::parse("2001:db8::"), start));
}

TEST_CASE("a flood from many addresses does not free one that is over") {
  rate_limiter limiter{{4096, 1s, 8}, 7};
  const auto heavy = client(0);
  allowed(limiter, heavy, start, 8);
  // Each of the many asks once and is forgotten before the heavy one is.
  for (std::uint32_t n = 1; n <= 20000; ++n)
    passes(limiter, client(n), start);
  CHECK(allowed(limiter, heavy, start, 100) < 30);
}

TEST_CASE("absurd limits are bounded, not overflown") {
  rate_limiter limiter{{1, std::chrono::milliseconds::max(), 0xffffffff}, 7};
  CHECK(allowed(limiter, client(1), start, 1000) == 1000);
  CHECK(allowed(limiter, client(1), start, 100) < 30);
}

} // namespace concert::ntp
