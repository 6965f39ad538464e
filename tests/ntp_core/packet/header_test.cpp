#include "ntp_core/packet/header.hpp"

#include "tests/ntp_core/support/octets.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

using test::from_hex;

TEST_CASE("every field of a header is read from its place") {
  const auto bytes = from_hex("dc 02 06 e9 00010000 00008000 c0000201"
                              "e000000000000001 e000000000000002"
                              "e000000000000003 e000000080000004");
  const auto h = parse_header(bytes);
  REQUIRE(h);
  CHECK(h->leap == leap_indicator::unsynchronized);
  CHECK(h->version == 3);
  CHECK(h->mode == packet_mode::server);
  CHECK(h->stratum == 2);
  CHECK(h->poll == 6);
  CHECK(h->precision == -23);
  CHECK(h->root_delay.duration().seconds() == 1.0);
  CHECK(h->root_dispersion.duration().seconds() == 0.5);
  CHECK(h->reference_id == 0xc0000201);
  CHECK(h->reference_time.bits() == 0xe000000000000001);
  CHECK(h->origin.bits() == 0xe000000000000002);
  CHECK(h->receive.bits() == 0xe000000000000003);
  CHECK(h->transmit.bits() == 0xe000000080000004);
}

TEST_CASE("encoding a parsed header gives the same octets, whatever they are") {
  test::seeded_random random;
  for (int i = 0; i < 1000; ++i) {
    test::octets bytes(header_size);
    for (auto& b : bytes)
      b = static_cast<std::byte>(random.next() & 0xff);
    CHECK(test::to_octets(*parse_header(bytes)) == bytes);
  }
}

TEST_CASE("fewer than 48 octets are no header") {
  for (std::size_t size = 0; size < header_size; ++size)
    CHECK(parse_header(test::zeros(size)).error() == errc::packet_too_short);
}

TEST_CASE("the short format rounds error bounds up and saturates") {
  const auto bits = [](double s) {
    return short_format::not_below(ntp_duration::from_seconds(s)).bits();
  };
  CHECK(bits(0) == 0);
  CHECK(bits(-1) == 0);
  CHECK(bits(1) == 0x10000);
  CHECK(bits(0x1p-32) == 1);
  CHECK(bits(0x1p-16) == 1);
  CHECK(bits(0x1p-16 + 0x1p-32) == 2);
  CHECK(bits(65535.99999) == 0xffffffff);
  CHECK(bits(65536) == 0xffffffff);
  CHECK(bits(1e9) == 0xffffffff);
  CHECK(short_format::from_bits(0xffffffff).duration().seconds()
        == doctest::Approx(65536));
}

} // namespace concert::ntp
