#include "ntp_core/nts/key_rotation.hpp"

#include "ntp_core/nts/secret_file.hpp"
#include "tests/ntp_core/nts/keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>

namespace concert::ntp {

using namespace std::chrono_literals;
using std::chrono::seconds;
using test::opened;
using test::random_keys;
using test::sealed;
using test::seeded_random;

namespace {

constexpr seconds start{1'800'000'000};
constexpr seconds day = 24h;
constexpr rotation_config config{day, 7};

std::uint32_t newest_id(const key_rotation& r) {
  return r.keys()->newest_first().front().id;
}

std::size_t count(const key_rotation& r) {
  return r.keys()->newest_first().size();
}

bool same_keys(const key_rotation& a, const key_rotation& b) {
  return a.keys()->newest_first() == b.keys()->newest_first();
}

auto parse(std::span<const std::byte> file) {
  return key_rotation::parse(file, config);
}

/// A set after some rotations, at `start` + days.
key_rotation rotated(int days) {
  seeded_random random;
  key_rotation r{config, start, random};
  for (int i = 1; i <= days; ++i)
    REQUIRE(r.on_deadline(start + i * day, random));
  return r;
}

} // namespace

TEST_CASE("a fresh set has one random key under a random id") {
  seeded_random random;
  std::set<std::uint32_t> ids;
  std::set<std::byte> first_octets;
  for (int i = 0; i < 100; ++i) {
    const key_rotation r{config, start, random};
    CHECK(count(r) == 1);
    const auto& key = r.keys()->newest_first().front();
    CHECK(key.value.bytes().size() == cookie_keys::key_octets);
    ids.insert(key.id);
    first_octets.insert(key.value.bytes().front());
  }
  CHECK(ids.size() == 100);
  CHECK(first_octets.size() > 50);
}

TEST_CASE("a key is added each interval and seven stale ones stay, for years") {
  seeded_random random;
  key_rotation r{config, start, random};
  const auto first = newest_id(r);
  std::set<std::vector<std::byte>> values;
  for (std::uint32_t n = 1; n <= 3 * 365; ++n) {
    const auto due = r.next_rotation();
    CHECK(due == start + n * day);
    CHECK_FALSE(r.on_deadline(due - 1s, random));
    CHECK(r.on_deadline(due, random));
    CHECK_FALSE(r.on_deadline(due, random));
    CHECK(newest_id(r) == first + n);
    CHECK(count(r) == std::min<std::size_t>(n + 1, 8));
    const auto value = r.keys()->newest_first().front().value.bytes();
    values.insert({value.begin(), value.end()});
  }
  CHECK(values.size() == 3 * 365);
}

TEST_CASE("ids go on at zero after the largest, and stay unique") {
  secret_file_writer file{{"NTS keys", 1}};
  file.number(std::uint64_t{1'800'000'000});
  file.number(std::uint32_t{0xfffffffe});
  file.octets(std::vector(32, std::byte{1}));
  auto r = parse(file.finish());
  REQUIRE(r);
  seeded_random random;
  for (int n = 1; n <= 4; ++n)
    REQUIRE(r->on_deadline(start + n * day, random));
  std::vector<std::uint32_t> ids;
  for (const auto& key : r->keys()->newest_first())
    ids.push_back(key.id);
  CHECK(ids == std::vector<std::uint32_t>{2, 1, 0, 0xffffffff, 0xfffffffe});
}

TEST_CASE("a cookie is good for as many rotations as there are stale keys") {
  seeded_random random;
  auto r = rotated(20);
  const auto session = random_keys(aead_id::aes_siv_cmac_256, random);
  const auto cookie = sealed(*r.keys(), session, random);
  for (int n = 1; n <= 7; ++n) {
    REQUIRE(r.on_deadline(start + (20 + n) * day, random));
    CHECK(opened(*r.keys(), cookie) == session);
  }
  REQUIRE(r.on_deadline(start + 28 * day, random));
  CHECK_FALSE(opened(*r.keys(), cookie));
}

TEST_CASE("who holds a set keeps it unchanged over a rotation") {
  seeded_random random;
  key_rotation r{config, start, random};
  const auto before = r.keys();
  REQUIRE(r.on_deadline(start + day, random));
  CHECK(before->newest_first().size() == 1);
  CHECK(r.keys() != before);
}

TEST_CASE("after a long sleep or a jump ahead there is one rotation only") {
  seeded_random random;
  auto r = rotated(7);
  const auto id = newest_id(r);
  const auto later = start + 3650 * day;
  CHECK(r.on_deadline(later, random));
  CHECK_FALSE(r.on_deadline(later + 1s, random));
  CHECK(newest_id(r) == id + 1);
  CHECK(r.next_rotation() == later + day);
}

TEST_CASE("a jump back rotates nothing, and a whole interval goes by first") {
  seeded_random random;
  auto r = rotated(7);
  const auto id = newest_id(r);
  const auto back = start - 100 * day;
  CHECK_FALSE(r.on_deadline(back, random));
  CHECK(r.next_rotation() == back + day);
  CHECK_FALSE(r.on_deadline(back + day - 1s, random));
  CHECK(newest_id(r) == id);
  CHECK(r.on_deadline(back + day, random));
  CHECK(newest_id(r) == id + 1);
  CHECK(r.next_rotation() == back + 2 * day);
}

TEST_CASE("a clock that goes back twice is counted from the earliest time") {
  seeded_random random;
  auto r = rotated(0);
  CHECK_FALSE(r.on_deadline(start - 10 * day, random));
  CHECK_FALSE(r.on_deadline(start - 20 * day, random));
  CHECK(r.next_rotation() == start - 19 * day);
}

TEST_CASE("a machine that boots in the past uses up no keys") {
  seeded_random random;
  auto file = rotated(7).serialize();
  const auto ours = parse(file);
  REQUIRE(ours);
  for (int boot = 0; boot < 50; ++boot) {
    auto r = parse(file);
    REQUIRE(r);
    CHECK_FALSE(r->on_deadline(0s, random)); // no battery
    CHECK_FALSE(r->on_deadline(60s, random));
    CHECK_FALSE(r->on_deadline(start + 7 * day + boot * 60s, random));
    CHECK(r->next_rotation() == start + 8 * day);
    CHECK(same_keys(*r, *ours));
    file = r->serialize();
  }
}

TEST_CASE("a clock that goes to and fro costs one key, not all") {
  seeded_random random;
  auto r = rotated(7);
  const auto id = newest_id(r);
  const auto now = start + 7 * day;
  for (int n = 0; n < 100; ++n) {
    r.on_deadline(now + 3650 * day + n * 60s, random);
    r.on_deadline(now + n * 60s, random);
  }
  CHECK(newest_id(r) == id + 1);
}

TEST_CASE("no time is too strange") {
  seeded_random random;
  key_rotation r{{seconds::max(), 7}, seconds::max(), random};
  for (const auto now : {seconds::min(), seconds::max(), -1s, 0s}) {
    r.on_deadline(now, random);
    CHECK(r.newest_since() >= 0s);
    CHECK(r.next_rotation() > 0s);
  }
  CHECK(parse(r.serialize()));
  key_rotation none{{0s, 0}, start, random};
  CHECK_FALSE(none.on_deadline(start, random));
  CHECK(none.on_deadline(start + 1s, random));
  CHECK(count(none) == 1);
}

TEST_CASE("another configuration takes effect at once") {
  seeded_random random;
  auto r = rotated(7);
  const auto all = r.keys()->newest_first();
  r.set_config({12h, 2});
  CHECK(r.next_rotation() == start + 7 * day + 12h);
  CHECK(r.keys()->newest_first() == std::vector(all.begin(), all.begin() + 3));
  r.set_config({12h, 3});
  CHECK(r.on_deadline(r.next_rotation(), random));
  CHECK(count(r) == 4);
  const auto kept = r.keys();
  r.set_config({24h, 3});
  CHECK(r.keys() == kept);
}

TEST_CASE("a set that was kept in a file goes on where it was") {
  seeded_random random;
  auto r = rotated(9);
  const auto session = random_keys(aead_id::aes_128_gcm_siv, random);
  const auto cookie = sealed(*r.keys(), session, random);
  auto again = parse(r.serialize());
  REQUIRE(again);
  CHECK(same_keys(r, *again));
  CHECK(again->newest_since() == start + 9 * day);
  CHECK(again->next_rotation() == r.next_rotation());
  CHECK(opened(*again->keys(), cookie) == session);
  CHECK(again->on_deadline(start + 10 * day, random));
  CHECK(newest_id(*again) == newest_id(r) + 1);
}

TEST_CASE("a file with more keys than are wanted gives the newest") {
  const auto r = rotated(9);
  const auto few = key_rotation::parse(r.serialize(), {day, 1});
  REQUIRE(few);
  const auto& all = r.keys()->newest_first();
  CHECK(few->keys()->newest_first()
        == std::vector(all.begin(), all.begin() + 2));
}

TEST_CASE("a key file that is cut short or damaged anywhere is refused") {
  CHECK(test::refuses_damage(rotated(1).serialize(), parse));
}

TEST_CASE("what is wrong with a key file is told") {
  const auto error_of = [](std::span<const std::byte> file) {
    const auto r = parse(file);
    REQUIRE_FALSE(r);
    return r.error();
  };
  const auto good = rotated(1).serialize();
  CHECK(error_of({}) == errc::file_truncated);
  CHECK(error_of(std::span{good}.first(20)) == errc::file_truncated);
  CHECK(error_of(std::span{good}.first(good.size() - 1))
        == errc::file_truncated);
  auto bad = good;
  bad[0] ^= std::byte{1};
  CHECK(error_of(bad) == errc::file_kind);
  bad = good;
  bad[40] ^= std::byte{1};
  CHECK(error_of(bad) == errc::file_damaged);
  bad = good;
  bad.push_back({});
  CHECK(error_of(bad) == errc::file_damaged);
  CHECK(error_of(secret_file_writer{{"NTS keys", 2}}.finish())
        == errc::file_version);
  CHECK(error_of(secret_file_writer{{"NTS jar\n", 1}}.finish())
        == errc::file_kind);
}

TEST_CASE("a whole file with keys that cannot be is refused") {
  const auto refused = [](std::uint64_t since, std::size_t octets) {
    secret_file_writer file{{"NTS keys", 1}};
    file.number(since);
    file.number(std::uint32_t{1});
    file.octets(std::vector<std::byte>(octets));
    const auto r = parse(file.finish());
    return !r && r.error() == errc::file_contents;
  };
  CHECK_FALSE(refused(1, 32));
  CHECK(refused(std::numeric_limits<std::uint64_t>::max(), 32));
  CHECK(refused(1, 0));
  CHECK(refused(1, 31));
  CHECK(refused(1, 33));
  CHECK_FALSE(refused(1, 1001 * 32));
  CHECK(refused(1, 1002 * 32));
}

} // namespace concert::ntp
