#include "ntp_core/nts/ke_server.hpp"

#include "tests/ntp_core/nts/ke_messages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace concert::ntp {

using test::end_record;
using test::list;
using test::numbers;
using test::octets;
using test::record;
using test::split;
using test::type;

namespace {

constexpr auto siv_256 = aead_id::aes_siv_cmac_256;
constexpr auto gcm_siv = aead_id::aes_128_gcm_siv;

const octets ntpv4 = list(type::next_protocol, true, {0});
const octets aead_15 = list(type::aead, true, {15});
const octets ordinary = ntpv4 + aead_15 + end_record();

const octets token = record(type::authentication_token, false, "let me in");
const octets stay = record(type::keep_alive, false);

ke_server make_server(const ke_server_config& config = {}) {
  return ke_server{std::make_shared<ke_server_config>(config)};
}

ke_server pool_server(std::uint32_t requests = 1000) {
  ke_server_config c;
  c.pool_tokens = {"", "something else", "let me in"};
  c.pool_requests = requests;
  return make_server(c);
}

/// 8 cookies of `size` octets.
octets cookies(std::size_t size) {
  octets c(size * most_cookies);
  for (std::size_t i = 0; i < c.size(); ++i)
    c[i] = static_cast<std::byte>(i / size);
  return c;
}

/// Octets 0, 1, 2, …
octets count_up(std::size_t size) {
  octets keys(size);
  for (std::size_t i = 0; i < size; ++i)
    keys[i] = static_cast<std::byte>(i);
  return keys;
}

/// Gives all of `bytes` at once.
ke_server_action give(ke_server& server, std::span<const std::byte> bytes) {
  return server.on_bytes(bytes);
}

/// The same where cookies must be wanted.
ke_cookies_wanted wanted(ke_server& server, const octets& bytes) {
  auto action = give(server, bytes);
  REQUIRE(std::holds_alternative<ke_cookies_wanted>(action));
  return std::get<ke_cookies_wanted>(action);
}

/// The same where a response must come, with cookies if they are wanted.
ke_response response(ke_server& server, const octets& bytes) {
  auto action = give(server, bytes);
  if (std::holds_alternative<ke_cookies_wanted>(action))
    return server.answer(cookies(64));
  REQUIRE(std::holds_alternative<ke_response>(action));
  return std::get<ke_response>(action);
}

/// Whether a fresh server refuses `bytes` for this reason by error record
/// `number`.
bool refuses(const octets& bytes, const ke_error& reason, std::uint16_t number,
             ke_server server = make_server()) {
  const auto r = response(server, bytes);
  const auto records = split(r.bytes);
  return r.close && r.refusal == reason && records.size() == 1
         && records[0].t == type::error && records[0].critical
         && numbers(records[0].body) == std::vector{number};
}

ke_error about(ke_errc code, type t) {
  return {code, static_cast<std::uint16_t>(t)};
}

bool silent(const ke_server_action& action) {
  return std::holds_alternative<ke_need_more>(action);
}

} // namespace

TEST_CASE("a client gets protocol, AEAD and eight cookies") {
  auto server = make_server();
  const auto w = wanted(server, ordinary);
  CHECK(w.aead == siv_256);
  CHECK_FALSE(w.own_number);
  CHECK_FALSE(w.given_keys);
  const auto r = server.answer(cookies(104));
  CHECK(r.close);
  CHECK_FALSE(r.refusal);
  const auto records = split(r.bytes);
  REQUIRE(records.size() == 10);
  CHECK(records[0] == split(ntpv4 + end_record())[0]);
  CHECK(records[1] == split(aead_15 + end_record())[0]);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(records[2 + i].t == type::new_cookie);
    CHECK_FALSE(records[2 + i].critical);
    CHECK(records[2 + i].body.size() == 104);
    CHECK(records[2 + i].body[0] == static_cast<std::byte>(i));
  }
}

TEST_CASE("a request may come one octet at a time") {
  auto server = make_server();
  for (std::size_t i = 0; i + 1 < ordinary.size(); ++i)
    CHECK(silent(give(server, std::span{ordinary}.subspan(i, 1))));
  CHECK(std::holds_alternative<ke_cookies_wanted>(
    give(server, std::span{ordinary}.last(1))));
}

TEST_CASE("no beginning of a request is answered") {
  for (std::size_t size = 0; size < ordinary.size(); ++size) {
    auto server = make_server();
    CHECK(silent(give(server, std::span{ordinary}.first(size))));
  }
}

TEST_CASE("the client's order decides among the AEADs that are enabled") {
  const auto choice = [](std::initializer_list<std::uint16_t> offered) {
    auto server = make_server();
    return wanted(server,
                  ntpv4 + list(type::aead, false, offered) + end_record())
      .aead;
  };
  CHECK(choice({30, 15}) == gcm_siv);
  CHECK(choice({15, 30}) == siv_256);
  CHECK(choice({1, 31, 17, 15}) == aead_id::aes_siv_cmac_512);
  CHECK(choice({16}) == aead_id::aes_siv_cmac_384);

  ke_server_config only_15;
  only_15.aeads = {siv_256};
  auto server = make_server(only_15);
  CHECK(
    wanted(server, ntpv4 + list(type::aead, true, {30, 17, 15}) + end_record())
      .aead
    == siv_256);
}

TEST_CASE("record 1024 comes back if AEAD 30 is chosen, and not else") {
  const auto own = record(type::own_number, false);
  const auto aead_30 = list(type::aead, true, {30, 15});
  {
    auto server = make_server();
    CHECK(wanted(server, ntpv4 + own + aead_30 + end_record()).own_number);
    const auto records = split(server.answer(cookies(64)).bytes);
    CHECK(std::ranges::count(records,
                             test::owned_record{type::own_number, false, {}})
          == 1);
  }
  const auto without
    = {ntpv4 + aead_30 + end_record(), ntpv4 + own + aead_15 + end_record()};
  for (const auto& bytes : without) {
    auto server = make_server();
    CHECK_FALSE(wanted(server, bytes).own_number);
    const auto records = split(server.answer(cookies(64)).bytes);
    CHECK(records.size() == 10);
  }
}

TEST_CASE("the configured NTP server and port are told") {
  ke_server_config c;
  c.ntp_server = "time.example";
  c.ntp_port = 1123;
  auto server = make_server(c);
  const auto records = split(response(server, ordinary).bytes);
  REQUIRE(records.size() == 12);
  CHECK(
    records[2]
    == split(record(type::ntp_server, true, "time.example") + end_record())[0]);
  CHECK(records[3]
        == split(list(type::ntp_port, true, {1123}) + end_record())[0]);
}

TEST_CASE("without a common protocol the list is empty and there is no more") {
  const auto requests
    = {list(type::next_protocol, true, {0x8001}) + aead_15 + end_record(),
       list(type::next_protocol, true, {0x8001, 1}) + end_record()};
  for (const auto& bytes : requests) {
    auto server = make_server();
    const auto r = response(server, bytes);
    CHECK(r.refusal == ke_error{ke_errc::no_common_protocol});
    CHECK(r.close);
    CHECK(r.bytes == record(type::next_protocol, true) + end_record());
  }
}

TEST_CASE("without a common AEAD its list is empty and there are no cookies") {
  auto server = make_server();
  const auto r
    = response(server, ntpv4 + list(type::aead, true, {1, 31}) + end_record());
  CHECK(r.refusal == ke_error{ke_errc::no_common_aead});
  CHECK(r.close);
  CHECK(r.bytes == ntpv4 + record(type::aead, true) + end_record());
}

TEST_CASE("a second protocol, known or not, changes nothing") {
  auto server = make_server();
  const auto protocols = list(type::next_protocol, true, {0x8001, 0});
  const auto records
    = split(response(server, protocols + aead_15 + end_record()).bytes);
  CHECK(numbers(records[0].body) == std::vector<std::uint16_t>{0});
}

TEST_CASE("a request without protocol or AEAD is bad") {
  CHECK(refuses(end_record(),
                about(ke_errc::missing_record, type::next_protocol), 1));
  CHECK(refuses(aead_15 + end_record(),
                about(ke_errc::missing_record, type::next_protocol), 1));
  CHECK(refuses(ntpv4 + end_record(),
                about(ke_errc::missing_record, type::aead), 1));
}

TEST_CASE("a request with protocols or AEADs twice is bad") {
  CHECK(refuses(ntpv4 + ordinary,
                about(ke_errc::duplicate_record, type::next_protocol), 1));
  CHECK(refuses(aead_15 + ordinary,
                about(ke_errc::duplicate_record, type::aead), 1));
}

TEST_CASE("lists that are empty or of odd length are bad") {
  for (const auto t : {type::next_protocol, type::aead})
    for (const std::size_t size : {0U, 1U, 3U})
      CHECK(refuses(record(t, true, octets(size)) + ordinary,
                    about(ke_errc::record_length, t), 1));
}

TEST_CASE("records that only servers send make a request bad") {
  for (const auto t : {type::error, type::warning, type::new_cookie})
    CHECK(refuses(record(t, false, octets(2)) + ordinary,
                  about(ke_errc::unexpected_record, t), 1));
}

TEST_CASE("an unknown record is refused if critical and ignored if not") {
  for (const auto t : {type{11}, type{15}, type{0x4001}, type{0x7fff}}) {
    CHECK(refuses(record(t, true, "?") + ordinary,
                  about(ke_errc::unknown_critical, t), 0));
    auto server = make_server();
    CHECK(wanted(server, record(t, false, "?") + ordinary).aead == siv_256);
  }
}

TEST_CASE("wishes for a server, a port or another server are ignored") {
  auto server = make_server();
  const auto wishes = record(type::ntp_server, false, "a.example")
                      + list(type::ntp_port, false, {0})
                      + record(type::server_deny, false, "b.example")
                      + record(type::server_deny, true, "")
                      + record(type::keep_alive, false);
  CHECK(wanted(server, wishes + ordinary).aead == siv_256);
  CHECK(server.answer(cookies(64)).close);
}

TEST_CASE("an end of message with a body ends it all the same") {
  auto server = make_server();
  const auto end = record(type::end_of_message, true, "and more");
  CHECK(wanted(server, ntpv4 + aead_15 + end).aead == siv_256);
}

TEST_CASE("octets after the end make a request bad") {
  CHECK(refuses(ordinary + octets(1), {ke_errc::trailing_data}, 1));
  CHECK(refuses(ordinary + ordinary, {ke_errc::trailing_data}, 1));
}

TEST_CASE("long requests are read up to 4,096 octets") {
  const auto padded = [](std::size_t size) {
    return record(type{99}, false, octets(size - 4 - ordinary.size()))
           + ordinary;
  };
  for (const std::size_t size : {1024U, 1025U, 4095U, 4096U}) {
    auto server = make_server();
    CHECK(wanted(server, padded(size)).aead == siv_256);
  }
  CHECK(refuses(padded(4097), {ke_errc::message_too_long}, 1));
  octets many;
  for (int i = 0; i < 10'000; ++i)
    append_record(many, type{99}, false);
  CHECK(refuses(many, {ke_errc::message_too_long}, 1));
  CHECK(refuses(test::from_hex("0063 ffff"), {ke_errc::message_too_long}, 1));
}

TEST_CASE("lists are read to their end") {
  auto server = make_server();
  octets long_list(1000);
  long_list[999] = std::byte{15};
  CHECK(
    wanted(server, ntpv4 + record(type::aead, true, long_list) + end_record())
      .aead
    == siv_256);
}

TEST_CASE("after its answer or refusal a connection hears nothing more") {
  for (const auto& bytes : {ordinary, end_record()}) {
    auto server = make_server();
    response(server, bytes);
    std::span<const std::byte> more = ordinary;
    CHECK(silent(server.on_bytes(more)));
    CHECK(more.empty());
  }
}

TEST_CASE("octets that come while cookies are wanted are left alone") {
  auto server = make_server();
  wanted(server, ordinary);
  std::span<const std::byte> more = ordinary;
  CHECK(silent(server.on_bytes(more)));
  CHECK(more.size() == ordinary.size());
}

TEST_CASE("trouble with keys or cookies is an internal error") {
  const auto is_internal = [](const ke_response& r) {
    return r.close && r.refusal == ke_error{ke_errc::internal}
           && r.bytes == list(type::error, true, {2}) + end_record();
  };
  const auto ready = [] {
    auto server = make_server();
    wanted(server, ordinary);
    return server;
  };
  CHECK(is_internal(ready().fail()));
  CHECK(is_internal(ready().answer({})));
  CHECK(is_internal(ready().answer(octets(63))));
  CHECK(is_internal(make_server().answer(cookies(64))));
}

TEST_CASE("a pool with a good token gets cookies for the keys it brings") {
  struct size_of {
    std::uint16_t aead;
    std::size_t key;
  };
  for (const auto [aead, size] :
       {size_of{15, 32}, size_of{16, 48}, size_of{17, 64}, size_of{30, 16}}) {
    const auto keys = count_up(2 * size);
    for (const bool token_first : {true, false}) {
      auto server = pool_server();
      const auto fixed = record(type::fixed_keys, true, keys);
      const auto w
        = wanted(server, (token_first ? token + fixed : fixed + token) + ntpv4
                           + list(type::aead, true, {aead}) + end_record());
      REQUIRE(w.given_keys);
      CHECK(w.given_keys->aead == to_aead(aead));
      CHECK(w.given_keys->c2s == aead_key{std::span{keys}.first(size)});
      CHECK(w.given_keys->s2c == aead_key{std::span{keys}.last(size)});
      const auto r = server.answer(cookies(64));
      CHECK(r.close);
      CHECK(split(r.bytes).size() == 10);
    }
  }
}

TEST_CASE("a pool's keys must have the size of the one AEAD it names") {
  for (const std::size_t size : {0U, 32U, 63U, 65U, 128U, 129U, 1000U})
    CHECK(
      refuses(token + record(type::fixed_keys, true, octets(size)) + ordinary,
              {ke_errc::key_length, static_cast<std::uint16_t>(size)}, 1,
              pool_server()));
  const auto keys = token + record(type::fixed_keys, true, octets(64));
  CHECK(refuses(keys + ntpv4 + list(type::aead, true, {15, 17}) + end_record(),
                about(ke_errc::record_length, type::aead), 1, pool_server()));
  CHECK(refuses(
    keys + list(type::next_protocol, true, {0, 1}) + aead_15 + end_record(),
    about(ke_errc::record_length, type::next_protocol), 1, pool_server()));
  CHECK(refuses(keys + keys + ordinary,
                about(ke_errc::duplicate_record, type::fixed_keys), 1,
                pool_server()));
}

TEST_CASE("to strangers the records of pools are unknown") {
  const octets bad_tokens[]
    = {{},
       record(type::authentication_token, false, ""),
       record(type::authentication_token, false, "let me i"),
       record(type::authentication_token, false, "let me im"),
       record(type::authentication_token, false, "let me in "),
       token + record(type::authentication_token, false, "no")};
  for (const auto& bad : bad_tokens)
    for (const auto t :
         {type::fixed_keys, type::supported_protocols, type::supported_aeads}) {
      CHECK(refuses(bad + record(t, true, octets(64)) + stay + ordinary,
                    about(ke_errc::not_permitted, t), 0, pool_server()));
      auto server = pool_server();
      const auto w
        = wanted(server, bad + record(t, false, octets(64)) + stay + ordinary);
      CHECK_FALSE(w.given_keys);
      CHECK(server.answer(cookies(64)).close);
      CHECK(
        refuses(bad + record(t, false, octets(64)) + stay + ordinary + ordinary,
                {ke_errc::trailing_data}, 1, pool_server()));
    }
  CHECK(refuses(token + record(type::fixed_keys, true, octets(64)) + ordinary,
                about(ke_errc::not_permitted, type::fixed_keys), 0,
                make_server()));
}

TEST_CASE("a pool is told which protocols and AEADs we have") {
  const auto protocols = record(type::supported_protocols, true);
  const auto aeads = record(type::supported_aeads, true);
  const auto protocols_answer = list(type::supported_protocols, true, {0});
  const auto aeads_answer
    = list(type::supported_aeads, true, {15, 32, 30, 16, 17, 64, 16, 48});
  {
    auto server = pool_server();
    const auto r = response(server, token + protocols + end_record());
    CHECK(r.bytes == protocols_answer + end_record());
    CHECK(r.close);
  }
  {
    auto server = pool_server();
    CHECK(response(server, token + aeads + end_record()).bytes
          == aeads_answer + end_record());
  }
  auto server = pool_server();
  CHECK(response(server, protocols + token + aeads + stay + end_record()).bytes
        == protocols_answer + aeads_answer + stay + end_record());
}

TEST_CASE("a question for lists is no key exchange as well") {
  const auto question = token + record(type::supported_aeads, true);
  CHECK(refuses(question + ntpv4 + end_record(),
                about(ke_errc::unexpected_record, type::next_protocol), 1,
                pool_server()));
  CHECK(refuses(question + aead_15 + end_record(),
                about(ke_errc::unexpected_record, type::aead), 1,
                pool_server()));
  CHECK(refuses(
    question + record(type::fixed_keys, true, octets(64)) + end_record(),
    about(ke_errc::unexpected_record, type::fixed_keys), 1, pool_server()));
}

TEST_CASE("a pool keeps its connection for as many requests as are allowed") {
  const auto fixed = record(type::fixed_keys, true, octets(64));
  auto server = pool_server(5);
  for (int i = 1; i <= 5; ++i) {
    // Who has shown the token once has shown it for this connection.
    const auto proof = i == 1 ? token : octets{};
    const auto r = response(server, proof + stay + fixed + ordinary);
    CHECK_FALSE(r.refusal);
    const auto records = split(r.bytes);
    CHECK(r.close == (i == 5));
    CHECK((records.back().t == type::keep_alive) == (i < 5));
    CHECK(records.size() == (i < 5 ? 11 : 10));
  }
  CHECK(silent(give(server, token + stay + fixed + ordinary)));
}

TEST_CASE("a pool need not wait for its answer") {
  const auto fixed = record(type::fixed_keys, true, octets(64));
  const auto both = token + stay + fixed + ordinary + token + fixed + ordinary;
  auto server = pool_server();
  std::span<const std::byte> rest = both;
  for (int i = 1; i <= 2; ++i) {
    CHECK(std::holds_alternative<ke_cookies_wanted>(server.on_bytes(rest)));
    CHECK(rest.empty() == (i == 2));
    CHECK(server.answer(cookies(64)).close == (i == 2));
  }
}

TEST_CASE("a connection that was kept gives no keys of its own") {
  const auto question
    = token + stay + record(type::supported_protocols, true) + end_record();
  auto server = pool_server();
  CHECK_FALSE(response(server, question).close);
  const auto r = response(server, ordinary);
  CHECK(r.refusal == about(ke_errc::missing_record, type::fixed_keys));
  CHECK(r.close);
}

TEST_CASE("a mistake ends a pool's connection, a lack of common AEADs not") {
  const auto pool = token + stay + record(type::fixed_keys, true, octets(64));
  auto server = pool_server();
  const auto none = response(server, pool + ntpv4 + list(type::aead, true, {31})
                                       + end_record());
  CHECK(none.refusal == ke_error{ke_errc::no_common_aead});
  CHECK_FALSE(none.close);
  CHECK(none.bytes == ntpv4 + record(type::aead, true) + stay + end_record());
  const auto bad = response(server, pool + end_record());
  CHECK(bad.close);
  CHECK(bad.refusal == about(ke_errc::missing_record, type::next_protocol));
}

TEST_CASE("each message of a pool has the limit for itself") {
  const auto request = token + stay + record(type{99}, false, octets(3000))
                       + record(type::supported_protocols, true) + end_record();
  auto server = pool_server();
  for (int i = 0; i < 10; ++i)
    CHECK_FALSE(response(server, request).refusal);
}

} // namespace concert::ntp
