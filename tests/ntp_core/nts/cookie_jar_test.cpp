#include "ntp_core/nts/cookie_jar.hpp"

#include "ntp_core/nts/secret_file.hpp"
#include "tests/ntp_core/nts/keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <new>

namespace concert::ntp {

using test::random_keys;
using test::seeded_random;

namespace {

const cookie_origin origin{"ke.example.net", "ntp.example.net", 4123};

/// A cookie of this size that can be told from others.
std::vector<std::byte> cookie(int n, std::size_t size = 104) {
  return std::vector(size, static_cast<std::byte>(n));
}

cookie_jar jar_with(int cookies, std::size_t size = 104) {
  seeded_random random;
  cookie_jar jar{origin,
                 {random_keys(aead_id::aes_siv_cmac_256, random), {}, {}}};
  for (int n = 0; n < cookies; ++n) {
    const auto next = cookie(n, size);
    jar.credentials.cookies.emplace_back(next.begin(), next.end());
  }
  return jar;
}

auto parse(std::span<const std::byte> file) {
  return parse_cookie_jar(file);
}

bool same(const cookie_jar& a, const cookie_jar& b) {
  return a.origin == b.origin && a.credentials.keys == b.credentials.keys
         && a.credentials.alternate == b.credentials.alternate
         && a.credentials.cookies == b.credentials.cookies;
}

void write_keys(secret_file_writer& file, std::uint16_t aead,
                std::size_t octets) {
  file.number(aead);
  file.octets(std::vector<std::byte>(octets));
}

} // namespace

TEST_CASE("a jar comes back from its file as it was") {
  seeded_random random;
  for (const auto aead : test::all_aeads)
    for (const int cookies : {0, 1, 8})
      for (const bool alternate : {false, true}) {
        auto jar = jar_with(cookies, 4 + static_cast<std::size_t>(aead) * 34);
        jar.origin.server.clear();
        jar.credentials.keys = random_keys(aead, random);
        if (alternate)
          jar.credentials.alternate = random_keys(aead, random);
        const auto again = parse(serialize(jar));
        REQUIRE(again);
        CHECK(same(*again, jar));
      }
}

TEST_CASE("a jar remembers whom its cookies are for") {
  const auto again = parse(serialize(jar_with(0)));
  REQUIRE(again);
  CHECK(again->origin == origin);
}

TEST_CASE("a jar's file that is cut short or damaged anywhere is refused") {
  CHECK(test::refuses_damage(serialize(jar_with(2)), parse));
}

TEST_CASE("a whole file with a jar that cannot be is refused") {
  struct contents {
    std::string key_exchange = "ke.example.net";
    std::string server;
    std::uint16_t port = 123;
    std::uint16_t aead = 30;
    std::size_t key_octets = 32;
    std::uint8_t alternate = 1;
    std::uint16_t alternate_aead = 30;
    std::size_t alternate_octets = 32;
    std::uint16_t cookie_octets = 4;
    int cookies = 8;
  };
  const auto refused = [](auto change) {
    contents c;
    change(c);
    secret_file_writer file{{"NTS jar\n", 1}};
    file.text(c.key_exchange);
    file.text(c.server);
    file.number(c.port);
    write_keys(file, c.aead, c.key_octets);
    file.number(c.alternate);
    if (c.alternate == 1)
      write_keys(file, c.alternate_aead, c.alternate_octets);
    for (int n = 0; n < c.cookies; ++n) {
      file.number(c.cookie_octets);
      file.octets(cookie(n, c.cookie_octets));
    }
    const auto r = parse(file.finish());
    return !r && r.error() == errc::file_contents;
  };
  CHECK_FALSE(refused([](contents&) {}));
  CHECK(refused([](contents& c) { c.key_exchange = ""; }));
  CHECK(refused([](contents& c) { c.key_exchange = "a b"; }));
  CHECK(refused([](contents& c) { c.key_exchange = std::string(256, 'a'); }));
  CHECK_FALSE(
    refused([](contents& c) { c.key_exchange = std::string(255, 'a'); }));
  CHECK(refused([](contents& c) { c.server = "a\n"; }));
  CHECK(refused([](contents& c) { c.port = 0; }));
  CHECK(refused([](contents& c) { c.aead = 14; }));
  CHECK(refused([](contents& c) {
    c.key_octets = 16;
    c.alternate = 0;
    c.cookies = 0;
  }));
  CHECK(refused([](contents& c) { c.alternate = 2; }));
  CHECK(refused([](contents& c) {
    c.alternate_aead = 15;
    c.alternate_octets = 64;
  }));
  CHECK(refused([](contents& c) { c.cookie_octets = 0; }));
  CHECK(refused([](contents& c) { c.cookie_octets = 1025; }));
  CHECK(refused([](contents& c) { c.cookies = 9; }));
}

TEST_CASE("secrets are overwritten when they are given up") {
  alignas(secret_array<32>) std::array<std::byte, sizeof(secret_array<32>)>
    memory{};
  auto* buffer = new (memory.data()) secret_array<32>;
  std::ranges::fill(*buffer, std::byte{0x5a});
  buffer->~secret_array();
  CHECK(std::ranges::count(memory, std::byte{0x5a}) == 0);
}

} // namespace concert::ntp
