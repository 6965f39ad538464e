#include "actors/remote_set.hpp"

#include "actors/simulation/random.hpp"

#include <doctest/doctest.h>

namespace concert::actors {

using namespace std::chrono_literals;

namespace {

ntp::ip_address address(std::uint8_t i) {
  return ntp::ip_address::v4({203, 0, 113, i});
}

struct fixture {
  explicit fixture(std::uint32_t wanted,
                   std::vector<ntp::ip_address> ignore = {})
    : set(wanted, std::move(ignore), random) {}

  /// Takes all that it gives.
  std::vector<ntp::ip_address> take() {
    std::vector<ntp::ip_address> all;
    while (auto a = set.next(now))
      all.push_back(*a);
    return all;
  }

  seeded_random random{1};
  ntp::mono_time now{1000s};
  remote_set set;
};

using list = std::vector<ntp::ip_address>;

} // namespace

TEST_CASE("the name is resolved at once, and only once at a time") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  CHECK_FALSE(f.set.wants_resolution(f.now));
  CHECK_FALSE(f.set.next_deadline());
  f.set.on_addresses({address(1)}, f.now);
  CHECK(f.take() == list{address(1)});
  CHECK_FALSE(f.set.wants_resolution(f.now + 24h));
  CHECK_FALSE(f.set.next_deadline());
}

TEST_CASE("as many addresses as wanted are given, in their order") {
  fixture f{2};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(3), address(1), address(2)}, f.now);
  CHECK(f.take() == list{address(3), address(1)});
  f.set.on_ended(address(3));
  CHECK(f.take() == list{address(3)});
}

TEST_CASE("ignored addresses are never given") {
  fixture f{2, {address(1)}};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(1), address(2)}, f.now);
  CHECK(f.take() == list{address(2)});
}

TEST_CASE(
  "failures are followed by ever longer waits with jitter, to a limit") {
  fixture f{1};
  std::chrono::nanoseconds last{};
  for (int i = 0; i < 12; ++i) {
    CAPTURE(i);
    REQUIRE(f.set.wants_resolution(f.now));
    f.set.on_failure(f.now);
    const auto next = f.set.next_deadline();
    REQUIRE(next);
    const auto wait = *next - f.now;
    const auto plain = std::min<std::chrono::nanoseconds>(
      remote_set::first_retry * (1 << i), remote_set::last_retry);
    CHECK(wait >= plain * 3 / 4);
    CHECK(wait <= plain * 5 / 4);
    CHECK(wait != plain);
    CHECK(wait != last);
    last = wait;
    CHECK_FALSE(f.set.wants_resolution(*next - 1ns));
    f.now = *next;
  }
}

TEST_CASE("an empty answer is a failure") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({}, f.now);
  CHECK_FALSE(f.set.wants_resolution(f.now));
  REQUIRE(f.set.next_deadline());
  CHECK(*f.set.next_deadline() > f.now);
}

TEST_CASE("while a name fails, addresses of an earlier run do") {
  fixture f{2};
  f.set.remember({address(7), address(8), address(9)});
  CHECK(f.take().empty());
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_failure(f.now);
  CHECK(f.take() == list{address(7), address(8)});
}

TEST_CASE("a silent member ends only when there is another one") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(1)}, f.now);
  CHECK(f.take() == list{address(1)});
  CHECK_FALSE(f.set.on_silent(address(1), f.now));
  f.now += 10s;
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(2)}, f.now);
  CHECK(f.set.on_silent(address(1), f.now));
  f.set.on_ended(address(1));
  CHECK(f.take() == list{address(2)});
}

TEST_CASE("a useless address is left alone for hours") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(1)}, f.now);
  CHECK(f.take() == list{address(1)});
  f.set.on_useless(address(1), f.now);
  f.set.on_ended(address(1));
  CHECK(f.take().empty());
  f.now += remote_set::exclusion - 1s;
  CHECK(f.take().empty());
  f.now += 2s;
  CHECK(f.take() == list{address(1)});
}

TEST_CASE("an address that is left alone for a while comes back after it") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_addresses({address(1), address(2)}, f.now);
  CHECK(f.take() == list{address(1)});
  f.set.leave_alone(address(1), f.now, 60s);
  f.set.on_ended(address(1));
  CHECK(f.take() == list{address(2)});
  f.set.on_ended(address(2));
  f.now += 61s;
  CHECK(f.take() == list{address(1)});
}

TEST_CASE("answers that bring nothing new are not asked for faster") {
  fixture f{2};
  CHECK(f.set.wants_resolution(f.now));
  std::chrono::nanoseconds last{};
  for (int i = 0; i < 6; ++i) {
    f.set.on_addresses({address(1)}, f.now);
    f.take();
    const auto wait = *f.set.next_deadline() - f.now;
    CHECK(wait > last);
    last = wait;
    f.now = *f.set.next_deadline();
    CHECK(f.set.wants_resolution(f.now));
  }
}

TEST_CASE("only who can be replaced is") {
  CHECK_FALSE(fixture{1}.set.can_replace());
  CHECK(fixture{4}.set.can_replace());
}

TEST_CASE("a network change brings the next try forward") {
  fixture f{1};
  CHECK(f.set.wants_resolution(f.now));
  f.set.on_failure(f.now);
  CHECK_FALSE(f.set.wants_resolution(f.now));
  f.set.retry_soon(f.now);
  CHECK(f.set.wants_resolution(f.now));
}

TEST_CASE("what is known of a name stays bounded") {
  fixture f{300};
  for (std::uint8_t block = 0; block < 8; ++block) {
    f.set.wants_resolution(f.now);
    list many;
    for (int i = 0; i < 200; ++i)
      many.push_back(
        ntp::ip_address::v4({10, 0, block, static_cast<std::uint8_t>(i)}));
    f.set.on_addresses(many, f.now);
    f.now += 1h;
  }
  CHECK(f.take().size() == remote_set::max_known);
}

} // namespace concert::actors
