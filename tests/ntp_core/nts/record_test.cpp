#include "ntp_core/nts/record.hpp"

#include "tests/ntp_core/nts/ke_messages.hpp"

#include <doctest/doctest.h>

#include <array>

namespace concert::ntp {

using test::list;
using test::octets;
using test::record;
using test::type;

namespace {

constexpr std::size_t limit = 16384;

/// What reading `bytes` at once ends with, if with an error.
std::optional<ke_error> error_of(std::span<const std::byte> bytes,
                                 std::size_t message_limit = limit) {
  ke_record_reader reader{message_limit};
  for (;;) {
    const auto r = reader.next(bytes);
    if (!r)
      return r.error();
    if (!*r)
      return std::nullopt;
  }
}

octets header(std::uint16_t t, std::uint16_t length) {
  return {static_cast<std::byte>(t >> 8), static_cast<std::byte>(t & 0xff),
          static_cast<std::byte>(length >> 8),
          static_cast<std::byte>(length & 0xff)};
}

} // namespace

TEST_CASE("a record is type with critical bit, length and body") {
  CHECK(record(type::ntp_server, true, "a.b")
        == test::from_hex("8006 0003 612e62"));
  CHECK(list(type::aead, false, {15, 30})
        == test::from_hex("0004 0004 000f 001e"));
  CHECK(record(type::end_of_message, true) == test::from_hex("8000 0000"));
  CHECK(record(type::own_number, false) == test::from_hex("0400 0000"));
}

TEST_CASE("records are read back whole, whatever pieces they come in") {
  const auto bytes = record(type::ntp_server, true, "example.org")
                     + record(type::end_of_message, true)
                     + list(type::next_protocol, false, {0, 0x8001});
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    ke_record_reader reader{limit};
    octets again;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      auto part
        = std::span{bytes}.subspan(at, std::min(piece, bytes.size() - at));
      for (;;) {
        const auto r = reader.next(part);
        REQUIRE(r);
        if (!*r)
          break;
        append_record(again, (*r)->type, (*r)->critical, (*r)->body);
      }
      CHECK(part.empty());
    }
    CHECK(again == bytes);
  }
}

TEST_CASE("a reader takes no more than its record") {
  const auto first = record(type::end_of_message, true);
  const auto bytes = first + octets(7);
  std::span<const std::byte> rest = bytes;
  ke_record_reader reader{limit};
  REQUIRE(*reader.next(rest));
  CHECK(rest.size() == 7);
}

TEST_CASE("lengths that a type cannot have are refused by the header alone") {
  CHECK(error_of(header(1024, 1)) == ke_error{ke_errc::record_length, 1024});
  CHECK(error_of(header(0x8002, 3)) == ke_error{ke_errc::record_length, 2});
  CHECK(error_of(header(0x8003, 4)) == ke_error{ke_errc::record_length, 3});
  CHECK(error_of(header(7, 3)) == ke_error{ke_errc::record_length, 7});
  CHECK(error_of(header(6, 256)) == ke_error{ke_errc::record_length, 6});
  CHECK(error_of(header(5, 1025)) == ke_error{ke_errc::cookie_length, 1025});
  CHECK(error_of(header(5, 0xffff))
        == ke_error{ke_errc::cookie_length, 0xffff});
  CHECK(!error_of(header(6, 255)));
  CHECK(!error_of(header(5, 1024)));
}

TEST_CASE("a message may be as long as its limit, and no octet longer") {
  const octets exact = record(type{99}, false, octets(60)); // 64 octets
  CHECK(!error_of(exact, 64));
  CHECK(error_of(exact, 63) == ke_error{ke_errc::message_too_long});
  CHECK(!error_of(exact + exact, 128));
  CHECK(error_of(exact + exact, 127) == ke_error{ke_errc::message_too_long});
  CHECK(error_of(header(99, 0xffff)) == ke_error{ke_errc::message_too_long});
}

TEST_CASE("a message of empty records ends at its limit") {
  octets many;
  for (int i = 0; i < 10'000; ++i)
    append_record(many, type{99}, false);
  CHECK(error_of(many, 4096) == ke_error{ke_errc::message_too_long});
}

TEST_CASE("the limit counts for each message anew") {
  const octets bytes = record(type{99}, false, octets(60));
  ke_record_reader reader{100};
  for (int i = 0; i < 3; ++i) {
    std::span<const std::byte> rest = bytes;
    CHECK(*reader.next(rest));
    reader.start_message();
  }
}

TEST_CASE("only a body of whole 16-bit numbers is a list") {
  CHECK(ke_count_numbers({}) == 0);
  CHECK(ke_count_numbers(octets(3)) == 0);
  CHECK(ke_count_numbers(octets(4)) == 2);
  CHECK(ke_number(test::from_hex("0001 8001"), 1) == 0x8001);
}

} // namespace concert::ntp
