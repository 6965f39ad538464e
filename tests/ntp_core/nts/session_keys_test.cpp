#include "ntp_core/nts/session_keys.hpp"

#include "tests/ntp_core/support/octets.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ntp {

namespace {

bool context_is(aead_id id, key_direction direction, bool own_number,
                std::string_view hex) {
  return std::ranges::equal(exporter_context(id, direction, own_number),
                            test::from_hex(hex));
}

constexpr auto c2s = key_direction::client_to_server;
constexpr auto s2c = key_direction::server_to_client;

} // namespace

TEST_CASE("the exporter's context is NTPv4, the AEAD and the direction") {
  for (const bool own : {false, true}) {
    CHECK(context_is(aead_id::aes_siv_cmac_256, c2s, own, "0000 000f 00"));
    CHECK(context_is(aead_id::aes_siv_cmac_256, s2c, own, "0000 000f 01"));
    CHECK(context_is(aead_id::aes_siv_cmac_384, c2s, own, "0000 0010 00"));
    CHECK(context_is(aead_id::aes_siv_cmac_512, s2c, own, "0000 0011 01"));
  }
}

TEST_CASE("AEAD 30 has its own number in the context only if agreed") {
  CHECK(context_is(aead_id::aes_128_gcm_siv, c2s, true, "0000 001e 00"));
  CHECK(context_is(aead_id::aes_128_gcm_siv, s2c, true, "0000 001e 01"));
  CHECK(context_is(aead_id::aes_128_gcm_siv, c2s, false, "0000 000f 00"));
  CHECK(context_is(aead_id::aes_128_gcm_siv, s2c, false, "0000 000f 01"));
}

} // namespace concert::ntp
