#include "ntp_core/nts/ke_client.hpp"

#include "tests/ntp_core/nts/ke_messages.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ntp {

using test::end_record;
using test::list;
using test::octets;
using test::record;
using test::split;
using test::type;

namespace {

using outcome = tl::expected<std::optional<ke_result>, ke_error>;

const octets ntpv4 = list(type::next_protocol, true, {0});
const octets aead_15 = list(type::aead, true, {15});
const octets aead_30 = list(type::aead, true, {30});

octets cookie(std::size_t size = 100, std::uint8_t fill = 1) {
  return record(type::new_cookie, false,
                octets(size, static_cast<std::byte>(fill)));
}

const octets good = ntpv4 + aead_15 + cookie() + end_record();

outcome read(const octets& bytes, const ke_client_config& config = {}) {
  return ke_client{config}.on_bytes(bytes);
}

ke_result result(const octets& bytes, const ke_client_config& config = {}) {
  const auto r = read(bytes, config);
  REQUIRE(r);
  REQUIRE(r->has_value());
  return **r;
}

bool fails(const octets& bytes, const ke_error& error) {
  const auto r = read(bytes);
  return !r && r.error() == error;
}

ke_error about(ke_errc code, type t) {
  return {code, static_cast<std::uint16_t>(t)};
}

} // namespace

TEST_CASE("a request offers NTPv4 and the AEADs in their order") {
  ke_client_config c;
  c.aeads = {aead_id::aes_siv_cmac_512, aead_id::aes_siv_cmac_256};
  CHECK(ke_client{c}.request()
        == test::from_hex("8001 0002 0000  8004 0004 0011 000f  8000 0000"));
}

TEST_CASE("a request has record 1024 if and only if it offers AEAD 30") {
  ke_client_config c;
  c.aeads = {aead_id::aes_128_gcm_siv};
  CHECK(ke_client{c}.request()
        == ntpv4 + aead_30 + record(type::own_number, false) + end_record());
  c.aeads = {aead_id::aes_siv_cmac_256};
  CHECK(ke_client{c}.request() == ntpv4 + aead_15 + end_record());
}

TEST_CASE("a pool is told which servers it shall not give, while they fit") {
  ke_client_config c;
  c.deny = {"a.example", "2001:db8::1"};
  auto records = split(ke_client{c}.request());
  REQUIRE(records.size() == 5);
  CHECK(
    records[3]
    == split(record(type::server_deny, false, "a.example") + end_record())[0]);
  CHECK(records[4].body.size() == 11);

  c.deny.assign(100, std::string(250, 'a'));
  const auto bytes = ke_client{c}.request();
  CHECK(bytes.size() <= 1024);
  CHECK(split(bytes).size() == 3 + 3);

  const auto without = ke_client{{}}.request().size();
  c.deny = {std::string(1024 - without - 4, 'a')};
  CHECK(ke_client{c}.request().size() == 1024);
  c.deny[0] += 'a';
  CHECK(ke_client{c}.request().size() == without);
}

TEST_CASE("an answer gives AEAD and cookies, and leaves server and port open") {
  const auto r = result(good);
  CHECK(r.aead == aead_id::aes_siv_cmac_256);
  CHECK_FALSE(r.own_number);
  REQUIRE(r.cookies.size() == 1);
  CHECK(r.cookies[0] == secret_bytes(100, std::byte{1}));
  CHECK(r.server.empty());
  CHECK(r.port == 123);
}

TEST_CASE("an answer may come one octet at a time") {
  ke_client client{{}};
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    const auto r = client.on_bytes(std::span{good}.subspan(i, 1));
    REQUIRE(r);
    CHECK_FALSE(r->has_value());
  }
  const auto r = client.on_bytes(std::span{good}.last(1));
  REQUIRE(r);
  CHECK(*r == result(good));
}

TEST_CASE("no beginning of an answer is a result") {
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto r = ke_client{{}}.on_bytes(std::span{good}.first(size));
    REQUIRE(r);
    CHECK_FALSE(r->has_value());
  }
}

TEST_CASE("the order of records does not matter, nor do unknown ones") {
  const auto noise
    = record(type{99}, false, "?") + record(type::keep_alive, false)
      + record(type::server_deny, false, "a") + record(type{0x4001}, false);
  CHECK(result(cookie() + noise + list(type::aead, false, {15})
               + list(type::next_protocol, false, {0}) + noise + end_record())
        == result(good));
}

TEST_CASE("an unknown critical record is refused") {
  for (const auto t : {type{11}, type{99}, type::fixed_keys, type::server_deny})
    CHECK(fails(record(t, true) + good, about(ke_errc::unknown_critical, t)));
}

TEST_CASE("errors and warnings end the exchange with their number") {
  for (const std::uint16_t n : {0, 1, 2, 3, 0xffff}) {
    CHECK(fails(list(type::error, true, {n}) + end_record(),
                {ke_errc::peer_error, n}));
    CHECK(fails(ntpv4 + list(type::warning, false, {n}) + aead_15 + cookie()
                  + end_record(),
                {ke_errc::peer_warning, n}));
  }
  for (const std::size_t size : {0U, 1U, 3U}) {
    CHECK(fails(record(type::error, true, octets(size)) + end_record(),
                about(ke_errc::record_length, type::error)));
    CHECK(fails(record(type::warning, true, octets(size)) + end_record(),
                about(ke_errc::record_length, type::warning)));
  }
}

TEST_CASE("an answer must have protocol, AEAD and a cookie") {
  CHECK(
    fails(end_record(), about(ke_errc::missing_record, type::next_protocol)));
  CHECK(fails(aead_15 + cookie() + end_record(),
              about(ke_errc::missing_record, type::next_protocol)));
  CHECK(fails(ntpv4 + cookie() + end_record(),
              about(ke_errc::missing_record, type::aead)));
  CHECK(fails(ntpv4 + aead_15 + end_record(), {ke_errc::no_cookies}));
}

TEST_CASE("empty lists say that there is nothing in common") {
  CHECK(fails(record(type::next_protocol, true) + end_record(),
              {ke_errc::no_common_protocol}));
  CHECK(fails(ntpv4 + record(type::aead, true) + end_record(),
              {ke_errc::no_common_aead}));
}

TEST_CASE("the server chooses one of what was offered") {
  CHECK(fails(list(type::next_protocol, true, {0x8001}) + aead_15 + cookie()
                + end_record(),
              {ke_errc::wrong_protocol, 0x8001}));
  CHECK(fails(list(type::next_protocol, true, {0, 0x8001}) + aead_15 + cookie()
                + end_record(),
              about(ke_errc::record_length, type::next_protocol)));
  CHECK(
    fails(ntpv4 + list(type::aead, true, {15, 30}) + cookie() + end_record(),
          about(ke_errc::record_length, type::aead)));
  CHECK(fails(ntpv4 + list(type::aead, true, {31}) + cookie() + end_record(),
              {ke_errc::wrong_aead, 31}));
  ke_client_config c;
  c.aeads = {aead_id::aes_siv_cmac_512};
  const auto r = read(good, c);
  REQUIRE_FALSE(r);
  CHECK(r.error() == ke_error{ke_errc::wrong_aead, 15});
}

TEST_CASE("lists of odd length are refused") {
  for (const auto t : {type::next_protocol, type::aead})
    for (const std::size_t size : {1U, 3U})
      CHECK(fails(record(t, true, octets(size)) + good,
                  about(ke_errc::record_length, t)));
}

TEST_CASE("what may come once must not come twice") {
  CHECK(
    fails(ntpv4 + good, about(ke_errc::duplicate_record, type::next_protocol)));
  CHECK(fails(aead_15 + good, about(ke_errc::duplicate_record, type::aead)));
  const auto server = record(type::ntp_server, true, "a.example");
  CHECK(fails(server + server + good,
              about(ke_errc::duplicate_record, type::ntp_server)));
  const auto port = list(type::ntp_port, true, {123});
  CHECK(fails(port + port + good,
              about(ke_errc::duplicate_record, type::ntp_port)));
}

TEST_CASE("AEAD 30 has its own number if the server returns record 1024") {
  const auto own = record(type::own_number, false);
  const auto answer = ntpv4 + aead_30 + cookie() + end_record();
  CHECK_FALSE(result(answer).own_number);
  CHECK(result(own + answer).own_number);
  CHECK(result(own + answer).aead == aead_id::aes_128_gcm_siv);
  CHECK_FALSE(result(own + good).own_number);
  CHECK(fails(record(type::own_number, false, "?") + answer,
              about(ke_errc::record_length, type::own_number)));
}

TEST_CASE("cookies that an extension field cannot carry unchanged are refused"
          " (GHSA-v83q-83hj-rw38)") {
  for (const std::size_t size : {0U, 1U, 4U, 8U, 11U, 13U, 99U, 101U, 102U,
                                 1023U, 1025U, 1028U, 2048U, 16000U})
    CHECK(fails(ntpv4 + aead_15 + cookie(size) + end_record(),
                {ke_errc::cookie_length, static_cast<std::uint16_t>(size)}));
  for (const std::size_t size : {12U, 16U, 100U, 104U, 256U, 348U, 1024U})
    CHECK(
      result(ntpv4 + aead_15 + cookie(size) + end_record()).cookies[0].size()
      == size);
}

TEST_CASE("of many cookies the first eight are kept") {
  auto bytes = ntpv4 + aead_15;
  for (std::uint8_t i = 0; i < 9; ++i)
    bytes = std::move(bytes) + cookie(100, i);
  const auto r = result(bytes + end_record());
  REQUIRE(r.cookies.size() == 8);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(r.cookies[i] == secret_bytes(100, static_cast<std::byte>(i)));
}

TEST_CASE("of a thousand cookies eight are kept, and the rest is skipped") {
  auto bytes = ntpv4 + aead_15;
  for (int i = 0; i < 1000; ++i)
    append_record(bytes, type::new_cookie, false, octets(100));
  CHECK(result(bytes + end_record()).cookies.size() == 8);
}

TEST_CASE("eight of the longest cookies fit") {
  auto bytes = ntpv4 + aead_15;
  for (std::uint8_t i = 0; i < 8; ++i)
    bytes = std::move(bytes) + cookie(longest_kept_cookie, i);
  CHECK(result(bytes + end_record()).cookies.size() == 8);
}

TEST_CASE("cookies may differ in length") {
  const auto r
    = result(ntpv4 + aead_15 + cookie(100) + cookie(64) + end_record());
  CHECK(r.cookies[0].size() == 100);
  CHECK(r.cookies[1].size() == 64);
}

TEST_CASE("the server may send its client elsewhere") {
  for (const auto* name : {"time.example", "192.0.2.7", "2001:db8::7"}) {
    const auto r = result(record(type::ntp_server, true, name)
                          + list(type::ntp_port, true, {4123}) + good);
    CHECK(r.server == name);
    CHECK(r.port == 4123);
  }
}

TEST_CASE("no name that is none gets any further") {
  const std::string long_label(64, 'a');
  const std::string too_long = std::string(254, 'a') + ".";
  for (const auto& name :
       {std::string{}, std::string{"a\nb"}, std::string("a\0b", 3),
        std::string{"fe80::1%eth0"}, std::string{"a b"}, long_label, too_long})
    CHECK(fails(record(type::ntp_server, true, name) + good,
                {ke_errc::server_name}));
  CHECK(fails(record(type::ntp_server, true, std::string(256, 'a')) + good,
              about(ke_errc::record_length, type::ntp_server)));
}

TEST_CASE("a port is two octets and not 0") {
  CHECK(fails(list(type::ntp_port, true, {0}) + good, {ke_errc::server_port}));
  for (const std::size_t size : {0U, 1U, 3U})
    CHECK(fails(record(type::ntp_port, true, octets(size)) + good,
                about(ke_errc::record_length, type::ntp_port)));
}

TEST_CASE("nothing may follow the end of the message") {
  CHECK(fails(good + octets(1), {ke_errc::trailing_data}));
  CHECK(fails(good + good, {ke_errc::trailing_data}));
  ke_client client{{}};
  REQUIRE(client.on_bytes(good));
  CHECK(client.on_bytes({}));
  const auto more = client.on_bytes(octets(1));
  REQUIRE_FALSE(more);
  CHECK(more.error() == ke_error{ke_errc::trailing_data});
}

TEST_CASE("an answer that never ends is given up at 131,072 octets") {
  octets endless = ntpv4 + aead_15 + cookie();
  while (endless.size() <= ke_response_limit)
    append_record(endless, type{99}, false, octets(60));
  CHECK(fails(endless, {ke_errc::message_too_long}));
}

TEST_CASE("after an error there is only that error") {
  ke_client client{{}};
  CHECK_FALSE(client.on_bytes(list(type::error, true, {1})));
  const auto r = client.on_bytes(good);
  REQUIRE_FALSE(r);
  CHECK(r.error() == ke_error{ke_errc::peer_error, 1});
}

} // namespace concert::ntp
