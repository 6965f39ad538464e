#include "ntp_core/packet/packet.hpp"

#include "tests/ntp_core/support/octets.hpp"

#include <doctest/doctest.h>

#include <iterator>

namespace concert::ntp {

using test::field;
using test::octets;
using test::zeros;

namespace {

octets header(std::uint8_t version) {
  packet_header h;
  h.version = version;
  return test::to_octets(h);
}

octets key(std::uint8_t id) {
  return {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{id}};
}

errc error_of(const octets& bytes) {
  const auto p = parse_packet(bytes);
  REQUIRE(!p);
  return p.error();
}

} // namespace

TEST_CASE("a bare header of each version from 1 to 4 is a packet") {
  for (std::uint8_t v = 1; v <= 4; ++v) {
    const auto bytes = header(v);
    const auto p = parse_packet(bytes);
    REQUIRE(p);
    CHECK(p->header.version == v);
    CHECK(p->extensions.empty());
    CHECK(!p->mac);
  }
}

TEST_CASE("versions 0 and 5 to 7 are refused") {
  for (const int v : {0, 5, 6, 7})
    CHECK(error_of(header(static_cast<std::uint8_t>(v)))
          == errc::packet_version);
}

TEST_CASE("a length that is no multiple of 4 is refused") {
  for (std::size_t extra : {1U, 2U, 3U, 21U, 30U})
    CHECK(error_of(header(4) + zeros(extra)) == errc::packet_length);
}

TEST_CASE("four octets with key id 0 are a crypto-NAK") {
  for (std::uint8_t v : {3, 4}) {
    const auto bytes = header(v) + key(0);
    const auto p = parse_packet(bytes);
    REQUIRE(p);
    REQUIRE(p->mac);
    CHECK(p->mac->key_id == 0);
    CHECK(p->mac->digest.empty());
    CHECK(error_of(header(v) + key(1)) == errc::mac_length);
  }
}

TEST_CASE("a rest of 20 or 24 octets is a MAC, of 8, 12 or 16 an error") {
  for (std::size_t digest : {16U, 20U}) {
    const auto bytes = header(4) + key(7) + zeros(digest);
    const auto p = parse_packet(bytes);
    REQUIRE(p);
    CHECK(p->extensions.empty());
    CHECK(p->mac->key_id == 7);
    CHECK(p->mac->digest.size() == digest);
  }
  for (std::size_t digest : {4U, 8U, 12U})
    CHECK(error_of(header(4) + key(7) + zeros(digest)) == errc::mac_length);
}

TEST_CASE("before version 4 all that follows the header is one MAC") {
  const auto bytes = header(3) + key(9) + zeros(68); // as long as MS-SNTP's
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  CHECK(p->extensions.empty());
  CHECK(p->mac->digest.size() == 68);
}

TEST_CASE("extension fields are split off until a MAC or nothing is left") {
  const auto bytes
    = header(4) + field(0x0104, 32) + field(0x2005, 24) + key(7) + zeros(20);
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  CHECK(p->mac->digest.size() == 20);
  auto f = p->extensions.begin();
  CHECK((*f).type == extension_type::unique_identifier);
  CHECK((*f).body.size() == 32);
  ++f;
  CHECK((*f).type == extension_type{0x2005});
  CHECK((*f).body.size() == 24);
  CHECK(++f == p->extensions.end());
  CHECK(p->extensions.contain(extension_type::unique_identifier));
  CHECK(!p->extensions.contain(extension_type::nts_cookie));
}

TEST_CASE("a field of 16 octets is read if more than a MAC follows") {
  const auto bytes = header(4) + field(1, 12) + field(2, 24);
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  CHECK(std::distance(p->extensions.begin(), p->extensions.end()) == 2);
  CHECK(!p->mac);
}

TEST_CASE("extension fields with impossible lengths are refused") {
  for (const int length : {0, 3, 4, 12, 15, 17, 18, 30, 36, 0xfffd, 0xffff})
    CHECK(error_of(header(4) + field(0x0104, 28, length))
          == errc::extension_length);
}

TEST_CASE("NTS fields cut short inside are bounded (CVE-2023-33192)") {
  const auto bytes
    = header(4) + field(0x0104, 32) + field(0x0204, 20) + field(0x0404, 36);
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  std::size_t total = 0;
  for (const auto& f : p->extensions)
    total += f.body.size() + 4;
  CHECK(total == bytes.size() - header_size);
}

TEST_CASE("the longest datagram full of smallest fields is read") {
  auto bytes = header(4);
  while (bytes.size() + 16 <= 65504)
    bytes = std::move(bytes) + field(0xf000, 12);
  bytes = std::move(bytes) + field(0xf000, 24);
  const auto p = parse_packet(bytes);
  REQUIRE(p);
  CHECK(std::distance(p->extensions.begin(), p->extensions.end()) > 4000);
}

TEST_CASE("every length from 0 to 200 ends in a packet or an error") {
  for (std::size_t size = 0; size <= 200; ++size) {
    auto bytes = zeros(size);
    if (!bytes.empty())
      bytes[0] = std::byte{0x23};
    // Zeros are a crypto-NAK, a MAC, or fields of length zero.
    const bool good = size == 48 || size == 52 || size == 68 || size == 72;
    CHECK(parse_packet(bytes).has_value() == good);
  }
}

} // namespace concert::ntp
