#include "ntp_core/nts/cluster_keys.hpp"

#include "tests/ntp_core/nts/keys.hpp"
#include "tests/ntp_core/support/octets.hpp"
#include "tests/ntp_core/support/toy_hkdf.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

using namespace std::chrono_literals;
using std::chrono::seconds;
using test::opened;
using test::random_keys;
using test::sealed;
using test::seeded_random;
using test::toy_hkdf;

namespace {

constexpr seconds day = 24h;
constexpr rotation_config config{day, 7};
/// The beginning of this period of a day.
constexpr std::uint32_t some_period = 20'834;
constexpr seconds border = some_period * day;

std::vector<std::byte> secret_of(char c, std::size_t size = 32) {
  return std::vector(size, static_cast<std::byte>(c));
}

cluster_keys cluster(char secret = 'a', const rotation_config& c = config,
                     hkdf_fn hkdf = toy_hkdf) {
  auto keys = cluster_keys::make(secret_of(secret), c, hkdf);
  REQUIRE(keys);
  return *keys;
}

std::vector<std::uint32_t> ids(const cluster_keys& c, seconds now) {
  std::vector<std::uint32_t> result;
  const auto keys = c.at(now).keys;
  for (const auto& key : keys->newest_first())
    result.push_back(key.id);
  return result;
}

/// Whether a cookie made at one time by one server opens at another's time.
bool accepted(const cluster_keys& from, seconds sealed_at,
              const cluster_keys& by, seconds opened_at) {
  seeded_random random;
  const auto session = random_keys(aead_id::aes_siv_cmac_256, random);
  const auto cookie = sealed(*from.at(sealed_at).keys, session, random);
  return opened(*by.at(opened_at).keys, cookie) == session;
}

} // namespace

TEST_CASE("a cluster secret has 32 octets at least") {
  for (std::size_t size = 0; size < 40; ++size) {
    const auto made
      = cluster_keys::make(secret_of('a', size), config, toy_hkdf);
    CHECK(made.has_value() == (size >= 32));
    if (!made)
      CHECK(made.error() == errc::secret_too_short);
  }
}

TEST_CASE("line ends behind a cluster secret do not count") {
  auto file = secret_of('a');
  file.push_back(std::byte{'\r'});
  file.push_back(std::byte{'\n'});
  const auto other = cluster_keys::make(file, config, toy_hkdf);
  REQUIRE(other);
  CHECK(other->at(border).keys->newest_first()
        == cluster().at(border).keys->newest_first());
  auto short_file = secret_of('a', 31);
  short_file.push_back(std::byte{'\n'});
  CHECK_FALSE(cluster_keys::make(short_file, config, toy_hkdf));
}

TEST_CASE("the key of a period is derived from secret, salt and its number") {
  const auto first = [](hkdf_fn hkdf) {
    const auto keys = cluster('a', config, hkdf).at(border).keys;
    const auto bytes = keys->newest_first().front().value.bytes();
    return test::octets(bytes.begin(), bytes.end());
  };
  CHECK(first([](auto secret, auto, auto, auto out) {
          std::ranges::copy(secret, out.begin());
        })
        == test::from_hex("6161616161616161616161616161616161616161616161616161"
                          "616161616161"));
  CHECK(first([](auto, auto salt, auto, auto out) {
          std::ranges::copy(salt, out.begin());
        })
        == test::from_hex("636f6e6365727420636f6f6b6965206b6579")
             + test::zeros(14));
  CHECK(first([](auto, auto, auto info, auto out) {
          std::ranges::copy(info, out.begin());
        })
        == test::from_hex("0000000000005162") + test::zeros(24));
}

TEST_CASE("this period's key seals, the next and seven before it open too") {
  const auto c = cluster();
  const std::vector<std::uint32_t> expected{20834, 20835, 20833, 20832, 20831,
                                            20830, 20829, 20828, 20827};
  CHECK(ids(c, border) == expected);
  CHECK(ids(c, border + day - 1s) == expected);
  CHECK(ids(c, border - 1s).front() == some_period - 1);
  CHECK(ids(c, border + day).front() == some_period + 1);
  CHECK(ids(cluster('a', {day, 0}), border)
        == std::vector<std::uint32_t>{20834, 20835});
}

TEST_CASE("the set changes when it said, for years") {
  const auto c = cluster('a', {1h, 3});
  auto now = border + 17s;
  auto id = ids(c, now).front();
  for (int i = 0; i < 2 * 365 * 24; ++i) {
    const auto until = c.at(now).until;
    CHECK(until % 1h == 0s);
    CHECK(until - now <= 1h);
    REQUIRE(until > now);
    CHECK(c.at(until - 1s).keys->newest_first()
          == c.at(now).keys->newest_first());
    now = until;
    CHECK(ids(c, now).front() == ++id);
  }
}

TEST_CASE("servers with one secret agree although their clocks differ") {
  const auto a = cluster();
  const auto b = cluster();
  for (const auto now : {border - 1s, border, border + 1s, border + 12h}) {
    CHECK(accepted(a, now, b, now));
    for (const auto skew : {-24h, -12h, -1h, 0h, 1h, 12h, 24h}) {
      CAPTURE(skew.count());
      CHECK(accepted(a, now, b, now + skew));
      CHECK(accepted(b, now + skew, a, now));
    }
  }
}

TEST_CASE("a cluster's cookie is good for seven more periods, and no more") {
  const auto c = cluster();
  for (const auto made : {border, border + day - 1s}) {
    CHECK(accepted(c, made, c, border + 8 * day - 1s));
    CHECK_FALSE(accepted(c, made, c, border + 8 * day));
    CHECK(accepted(c, made, c, border - day));
    CHECK_FALSE(accepted(c, made, c, border - day - 1s));
  }
}

TEST_CASE("another secret gives other keys") {
  CHECK_FALSE(accepted(cluster('a'), border, cluster('b'), border));
}

TEST_CASE("no two periods have the same key") {
  const auto keys = cluster('a', {day, 500}).at(border).keys;
  std::vector<std::vector<std::byte>> values;
  for (const auto& key : keys->newest_first()) {
    const auto bytes = key.value.bytes();
    values.emplace_back(bytes.begin(), bytes.end());
  }
  std::ranges::sort(values);
  CHECK(std::ranges::adjacent_find(values) == values.end());
  CHECK(values.size() == 502);
}

TEST_CASE("before 1970 and far ahead there are keys as well") {
  const auto c = cluster();
  CHECK(ids(c, 0s) == std::vector<std::uint32_t>{0, 1});
  CHECK(ids(c, day) == std::vector<std::uint32_t>{1, 2, 0});
  CHECK(ids(c, seconds::min()) == ids(c, 0s));
  CHECK(c.at(seconds::min()).until == day);
  CHECK(ids(c, seconds::max()).size() == 9);
  const auto fast = cluster('a', {0s, 7});
  CHECK(fast.at(border).until == border + 1s);
  CHECK(ids(fast, seconds::max()).size() == 9);
  CHECK(cluster('a', {seconds::max(), 7}).at(seconds::max()).until > 0s);
}

} // namespace concert::ntp
