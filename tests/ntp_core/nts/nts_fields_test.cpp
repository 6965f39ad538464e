#include "ntp_core/nts/nts_fields.hpp"

#include "tests/ntp_core/support/nts_packets.hpp"

#include <doctest/doctest.h>

#include <iterator>

namespace concert::ntp {

using test::cookie_field;
using test::field;
using test::filled;
using test::octets;
using test::placeholder_field;
using test::to_octets;
using test::uid_field;
using test::zeros;

namespace {

const octets header = to_octets(packet_header{});
const octets cookie = filled(100, 3);

/// An authenticator field of `body` octets that claims these lengths.
octets authenticator(std::uint16_t nonce, std::uint16_t sealed,
                     std::size_t body) {
  auto f = field(0x0404, body);
  write_big_endian(std::span{f}, 4, nonce);
  write_big_endian(std::span{f}, 6, sealed);
  return f;
}

const octets good_authenticator = authenticator(16, 16, 36);

std::optional<nts_fields> fields_of(const octets& bytes) {
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  return find_nts_fields(*p, bytes);
}

std::size_t offset(const octets& bytes, std::span<const std::byte> part) {
  return static_cast<std::size_t>(part.data() - bytes.data());
}

} // namespace

TEST_CASE("the NTS fields of a request are found where they are") {
  const auto bytes = header + uid_field() + cookie_field(cookie)
                     + placeholder_field(100) + placeholder_field(100)
                     + authenticator(16, 20, 44);
  const auto f = fields_of(bytes);
  REQUIRE(f);
  CHECK(f->unique_identifier.size() == 32);
  CHECK(offset(bytes, f->unique_identifier) == 52);
  CHECK(std::ranges::equal(f->cookie, cookie));
  CHECK(f->placeholders == 2);
  CHECK(f->has_authenticator());
  CHECK(f->associated.data() == bytes.data());
  CHECK(f->associated.size() == bytes.size() - 48);
  CHECK(offset(bytes, f->nonce) == f->associated.size() + 8);
  CHECK(f->nonce.size() == 16);
  CHECK(offset(bytes, f->sealed) == f->associated.size() + 24);
  CHECK(f->sealed.size() == 20);
  CHECK(f->nonce_room == 20); // 16 and 4 of additional padding
}

TEST_CASE("a unique identifier alone makes NTS fields without authenticator") {
  const auto bytes = header + uid_field(40);
  const auto f = fields_of(bytes);
  REQUIRE(f);
  CHECK(!f->has_authenticator());
  CHECK(f->cookie.empty());
}

TEST_CASE(
  "fields that are twice there, too short or out of place are refused") {
  const auto uid = uid_field();
  const auto with_cookie = header + uid + cookie_field(cookie);
  CHECK(fields_of(with_cookie + good_authenticator));
  CHECK(!fields_of(header + cookie_field(cookie) + good_authenticator));
  CHECK(!fields_of(header + uid_field(28) + good_authenticator));
  CHECK(!fields_of(header + uid + uid + good_authenticator));
  CHECK(!fields_of(with_cookie + cookie_field(cookie) + good_authenticator));
  CHECK(!fields_of(with_cookie + good_authenticator + good_authenticator));
  CHECK(!fields_of(with_cookie + good_authenticator + field(0x2005, 24)));
  CHECK(!fields_of(header + good_authenticator + uid));
  CHECK(!fields_of(with_cookie + good_authenticator + zeros(20)));
}

TEST_CASE("placeholders must be as long as the cookie") {
  const auto start = header + uid_field();
  const auto end = cookie_field(cookie) + good_authenticator;
  CHECK(fields_of(start + placeholder_field(100) + end));
  CHECK(!fields_of(start + placeholder_field(96) + end));
  CHECK(!fields_of(start + placeholder_field(104) + end));
  CHECK(
    !fields_of(start + placeholder_field(100) + placeholder_field(12) + end));
  CHECK(
    !fields_of(start + placeholder_field(12) + placeholder_field(100) + end));
  CHECK(!fields_of(start + placeholder_field(100) + good_authenticator));
}

TEST_CASE("lengths beyond the authenticator are refused, however they round") {
  const auto start = header + uid_field() + cookie_field(cookie);
  const auto has = [&](std::uint16_t nonce, std::uint16_t sealed,
                       std::size_t body) {
    return fields_of(start + authenticator(nonce, sealed, body)).has_value();
  };
  CHECK(has(16, 16, 36));
  CHECK(!has(16, 20, 36));
  CHECK(!has(20, 16, 36));
  CHECK(!has(16, 17, 36));
  CHECK(!has(17, 16, 36));
  CHECK(has(13, 16, 36));
  CHECK(has(16, 17, 40));
  CHECK(has(1, 16, 36));
  CHECK(!has(0, 16, 36));
  CHECK(!has(16, 0, 36));
  CHECK(!has(16, 15, 36));
  CHECK(!has(16, 16, 32));
  for (int n = 0xfff0; n <= 0xffff; ++n) {
    const auto length = static_cast<std::uint16_t>(n);
    CHECK(!has(length, 16, 36));
    CHECK(!has(16, length, 36));
    CHECK(!has(length, length, 36));
  }
}

TEST_CASE("the room of the nonce tells whether a request is padded enough") {
  const auto start = header + uid_field() + cookie_field(cookie);
  const auto padded = [&](std::uint16_t nonce, std::size_t body, aead_id id) {
    const auto bytes = start + authenticator(nonce, 16, body);
    return fields_of(bytes)->is_padded_for(id);
  };
  CHECK(padded(16, 36, aead_id::aes_siv_cmac_256));
  CHECK(padded(1, 36, aead_id::aes_siv_cmac_256));
  CHECK(padded(12, 36, aead_id::aes_siv_cmac_512));
  CHECK(!padded(12, 32, aead_id::aes_siv_cmac_256));
  CHECK(!padded(1, 32, aead_id::aes_siv_cmac_256));
  CHECK(padded(12, 32, aead_id::aes_128_gcm_siv));
  CHECK(!padded(8, 28, aead_id::aes_128_gcm_siv));
}

TEST_CASE("sealed fields may be as short as their own header") {
  const auto bytes = field(0x0204, 0) + field(0x0204, 100) + field(0x9999, 8);
  const auto fields = read_sealed_fields(bytes);
  REQUIRE(fields);
  CHECK(std::distance(fields->begin(), fields->end()) == 3);
  REQUIRE(read_sealed_fields({}));
  CHECK(read_sealed_fields({})->empty());
}

TEST_CASE("sealed fields with impossible lengths are refused, and so is an "
          "authenticator among them") {
  for (const int length : {0, 1, 3, 5, 6, 7, 12, 16, 0xfffc, 0xfffd, 0xffff})
    CHECK(!read_sealed_fields(field(0x0204, 4, length)));
  CHECK(!read_sealed_fields(field(0x0204, 4) + zeros(2)));
  CHECK(!read_sealed_fields(field(0x0204, 4) + good_authenticator));
  CHECK(!read_sealed_fields(good_authenticator));
}

} // namespace concert::ntp
