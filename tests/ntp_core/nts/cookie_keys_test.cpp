#include "ntp_core/nts/cookie_keys.hpp"

#include "ntp_core/packet/bytes.hpp"
#include "tests/ntp_core/nts/keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

using test::all_aeads;
using test::opened;
using test::random_keys;
using test::random_secret;
using test::sealed;
using test::seeded_random;
using test::toy_cipher;

namespace {

constexpr std::uint32_t newest_id = 0xffffffff;

cookie_keys three_keys() {
  seeded_random random{5};
  std::vector<cookie_keys::key> keys;
  for (std::uint32_t age = 0; age < 3; ++age)
    keys.push_back({newest_id - age, random_secret<cookie_keys::key_octets>(
                                       cookie_keys::key_octets, random)});
  return cookie_keys{keys};
}

/// A cookie of ours with other contents.
std::vector<std::byte> with_contents(const cookie_keys& keys,
                                     std::span<const std::byte> plain) {
  toy_cipher cipher;
  std::vector<std::byte> cookie(20 + aead_tag_size + plain.size());
  const std::span out{cookie};
  write_big_endian(out, 0, keys.newest_first().front().id);
  REQUIRE(cipher.seal(
    aead_id::aes_siv_cmac_256, keys.newest_first().front().value.bytes(),
    out.subspan(4, 16), out.first(4), plain, out.subspan(20)));
  return cookie;
}

std::vector<std::byte> contents(std::uint16_t aead, std::uint16_t reserved,
                                std::size_t key_octets) {
  std::vector<std::byte> plain(4 + key_octets, std::byte{7});
  write_big_endian(std::span{plain}, 0, aead);
  write_big_endian(std::span{plain}, 2, reserved);
  return plain;
}

bool contains(std::span<const std::byte> all, std::span<const std::byte> part) {
  return std::search(all.begin(), all.end(), part.begin(), part.end())
         != all.end();
}

} // namespace

TEST_CASE("a cookie gives back the session keys that went into it") {
  seeded_random random;
  const auto keys = three_keys();
  for (const auto aead : all_aeads) {
    const auto session = random_keys(aead, random);
    const auto cookie = sealed(keys, session, random);
    CHECK(opened(keys, cookie) == session);
  }
}

TEST_CASE("the size of a cookie is a multiple of 4 and tells the AEAD's keys") {
  CHECK(cookie_size(aead_id::aes_siv_cmac_256) == 104);
  CHECK(cookie_size(aead_id::aes_siv_cmac_384) == 136);
  CHECK(cookie_size(aead_id::aes_siv_cmac_512) == 168);
  CHECK(cookie_size(aead_id::aes_128_gcm_siv) == 72);
}

TEST_CASE("a cookie starts with its key's id and shows nothing else") {
  seeded_random random;
  const auto keys = three_keys();
  const auto session = random_keys(aead_id::aes_siv_cmac_256, random);
  const auto one = sealed(keys, session, random);
  const auto other = sealed(keys, session, random);
  CHECK(read_big_endian<std::uint32_t>(one, 0) == newest_id);
  CHECK(std::equal(one.begin(), one.begin() + 4, other.begin()));
  int alike = 0;
  for (std::size_t i = 4; i < one.size(); ++i)
    alike += one[i] == other[i] ? 1 : 0;
  CHECK(alike < 8);
  CHECK_FALSE(contains(one, session.c2s.bytes()));
  CHECK_FALSE(contains(one, session.s2c.bytes()));
}

TEST_CASE("the newest key seals, and all of the set open") {
  seeded_random random;
  const auto keys = three_keys();
  const auto session = random_keys(aead_id::aes_siv_cmac_256, random);
  for (const auto& key : keys.newest_first()) {
    const auto cookie = sealed(cookie_keys{{key}}, session, random);
    CHECK(opened(keys, cookie) == session);
  }
}

TEST_CASE("a cookie with any bit changed is refused") {
  seeded_random random;
  const auto keys = three_keys();
  for (const auto aead : all_aeads) {
    auto cookie = sealed(keys, random_keys(aead, random), random);
    for (std::size_t bit = 0; bit < cookie.size() * 8; ++bit) {
      const auto mask = std::byte{1} << bit % 8;
      cookie[bit / 8] ^= mask;
      CAPTURE(bit);
      CHECK_FALSE(opened(keys, cookie));
      cookie[bit / 8] ^= mask;
    }
    CHECK(opened(keys, cookie));
  }
}

TEST_CASE("a cookie of a wrong length is refused without decryption") {
  seeded_random random;
  const auto keys = three_keys();
  for (const auto aead : all_aeads) {
    const auto good = sealed(keys, random_keys(aead, random), random);
    for (std::size_t size = 0; size < 300; ++size) {
      auto cookie = good;
      cookie.resize(size);
      toy_cipher cipher;
      const bool possible = std::ranges::count(all_aeads, size, cookie_size);
      CAPTURE(size);
      CHECK(keys.open(cookie, cipher).has_value() == (size == good.size()));
      CHECK(cipher.opened == (possible ? 1 : 0));
    }
  }
}

TEST_CASE("a cookie under an unknown key is refused without decryption") {
  seeded_random random;
  const auto keys = three_keys();
  auto cookie = sealed(keys, random_keys(all_aeads[0], random), random);
  write_big_endian(std::span{cookie}, 0, newest_id - 3);
  toy_cipher cipher;
  CHECK_FALSE(keys.open(cookie, cipher));
  CHECK(cipher.opened == 0);
}

TEST_CASE("a cookie of another server under the same id is refused") {
  seeded_random random;
  const auto keys = three_keys();
  const cookie_keys stranger{
    {{newest_id, random_secret<cookie_keys::key_octets>(32, random)}}};
  const auto session = random_keys(all_aeads[0], random);
  CHECK_FALSE(opened(keys, sealed(stranger, session, random)));
}

TEST_CASE("contents that cannot be are refused although we sealed them") {
  const auto keys = three_keys();
  const auto opens
    = [&](std::uint16_t aead, std::uint16_t reserved, std::size_t key_octets) {
        return opened(keys,
                      with_contents(keys, contents(aead, reserved, key_octets)))
          .has_value();
      };
  CHECK(opens(15, 0, 64));
  CHECK(opens(30, 0, 32));
  CHECK_FALSE(opens(14, 0, 64));
  CHECK_FALSE(opens(31, 0, 64));
  CHECK_FALSE(opens(0, 0, 64));
  CHECK_FALSE(opens(15, 1, 64));
  CHECK_FALSE(opens(15, 0x100, 64));
  CHECK_FALSE(opens(16, 0, 64));
  CHECK_FALSE(opens(15, 0, 32));
  CHECK_FALSE(opens(30, 0, 64));
}

} // namespace concert::ntp
