#include "ntp_core/nts/nts_client.hpp"

#include "tests/ntp_core/support/nts_packets.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <iterator>
#include <set>

namespace concert::ntp {

using test::cookie_field;
using test::every_aead;
using test::field;
using test::field_of;
using test::filled;
using test::keys_for;
using test::octets;
using test::placeholder_field;
using test::sealed;
using test::seeded_random;
using test::to_octets;
using test::toy_cipher;
using test::uid_field;
using test::zeros;
using judgement = nts_client::judgement;

namespace {

nts_credentials credentials(aead_id id, std::size_t cookies,
                            std::size_t cookie_octets = 104) {
  nts_credentials c;
  c.keys = keys_for(id);
  for (std::size_t i = 0; i < cookies; ++i)
    c.cookies.emplace_back(cookie_octets, static_cast<std::byte>(i + 1));
  return c;
}

/// A client, and its server.
struct exchange {
  explicit exchange(nts_credentials c
                    = credentials(aead_id::aes_siv_cmac_256, 8)) {
    client.give(std::move(c));
  }

  /// Sends a request.
  void ask() {
    request.assign(nts_client::longest_request, std::byte{});
    const auto header = to_octets(packet_header{});
    std::copy(header.begin(), header.end(), request.begin());
    request.resize(client.complete_request(request));
    client.on_sent();
  }

  nts_fields asked() const {
    const auto p = parse_packet(request);
    REQUIRE(p);
    const auto f = find_nts_fields(*p, request);
    REQUIRE(f);
    return *f;
  }

  octets uid() const {
    const auto f = asked();
    return field_of(
      extension_type::unique_identifier,
      octets(f.unique_identifier.begin(), f.unique_identifier.end()));
  }

  /// An answer whose sealed part holds these fields.
  octets answer(const octets& inner = {}, std::size_t padding = 0) const {
    const auto& keys = client.credentials()->keys;
    return sealed(reply_header() + uid(), keys.aead, keys.s2c,
                  {nonce_size(keys.aead), padding, inner});
  }

  static octets reply_header() {
    packet_header h;
    h.mode = packet_mode::server;
    h.stratum = 1;
    return to_octets(h);
  }

  static octets kiss(const char (&code)[5]) {
    packet_header h;
    h.mode = packet_mode::server;
    h.leap = leap_indicator::unsynchronized;
    h.reference_id = code_of(code);
    return to_octets(h);
  }

  judgement judge(const octets& bytes) {
    const auto p = parse_packet(bytes);
    REQUIRE(p);
    return client.judge(*p, bytes);
  }

  std::size_t cookies() const { return client.credentials()->cookies.size(); }

  toy_cipher cipher;
  seeded_random random;
  nts_client client{cipher, random};
  octets request;
};

} // namespace

TEST_CASE("a request is header, identifier, cookie, placeholders and an "
          "authenticator with an empty plaintext") {
  for (const auto id : every_aead) {
    exchange e{credentials(id, 6)};
    e.ask();
    const auto f = e.asked();
    CHECK(f.unique_identifier.size() == 32);
    CHECK(f.cookie.size() == 104);
    CHECK(f.cookie.front() == std::byte{1});
    CHECK(f.placeholders == 2); // five are left, one comes anyway
    CHECK(f.nonce.size() == nonce_size(id));
    CHECK(f.sealed.size() == 16);
    CHECK(f.nonce_room == 16);
    CHECK(f.is_padded_for(id));
    // As ntpsec wants it: 4 + 16 + 16 octets.
    CHECK(e.request.size() - f.associated.size() == 40);
    CHECK(e.request.size() == 48 + 36 + 3 * 108 + 40);
    CHECK(toy_cipher{}.open(id, keys_for(id).c2s.bytes(), f.nonce, f.associated,
                            f.sealed, {}));
  }
}

TEST_CASE("placeholders are zeros as long as the cookie") {
  exchange e{credentials(aead_id::aes_siv_cmac_256, 5)};
  e.ask();
  const auto p = *parse_packet(e.request);
  int seen = 0;
  for (const auto& field : p.extensions)
    if (field.type == extension_type::nts_cookie_placeholder) {
      ++seen;
      CHECK(std::ranges::equal(field.body, zeros(104)));
    }
  CHECK(seen == 3);
}

TEST_CASE("every request has its own identifier, nonce and cookie") {
  exchange e;
  std::set<octets> identifiers;
  std::set<octets> nonces;
  std::set<octets> cookies;
  const auto note = [](auto& set, std::span<const std::byte> bytes) {
    return set.insert(octets(bytes.begin(), bytes.end())).second;
  };
  for (int i = 0; i < 8; ++i) {
    REQUIRE(e.client.can_ask());
    e.ask();
    CHECK(note(identifiers, e.asked().unique_identifier));
    CHECK(note(nonces, e.asked().nonce));
    CHECK(note(cookies, e.asked().cookie));
  }
  CHECK(!e.client.can_ask());
}

TEST_CASE("a request that did not leave keeps its cookie") {
  exchange e;
  octets request(nts_client::longest_request);
  e.client.complete_request(request);
  CHECK(e.cookies() == 8);
  e.client.complete_request(request);
  e.client.on_sent();
  CHECK(e.cookies() == 7);
  e.client.on_sent();
  CHECK(e.cookies() == 7);
}

TEST_CASE("no request is longer than 1,200 octets, whatever its cookie") {
  for (const auto id : every_aead)
    for (std::size_t size = 12; size <= longest_kept_cookie; size += 4) {
      exchange e{credentials(id, 1, size)};
      e.ask();
      const auto f = e.asked();
      CHECK(e.request.size() <= nts_client::longest_request);
      CHECK(f.placeholders <= 7);
      const bool full
        = e.request.size() + 4 + size > nts_client::longest_request;
      CHECK((f.placeholders == 7 || full));
    }
}

TEST_CASE("credentials are taken as far as they can be used") {
  const auto siv = aead_id::aes_siv_cmac_256;
  CHECK(exchange{credentials(siv, 1000)}.cookies() == 8);
  for (const std::size_t size : {0, 4, 8, 101, 102, 1028, 2048})
    CHECK(exchange{credentials(siv, 3, size)}.cookies() == 0);
  for (const std::size_t size : {12, 100, 1024})
    CHECK(exchange{credentials(siv, 3, size)}.cookies() == 3);
  auto wrong = credentials(siv, 3);
  wrong.keys.aead = aead_id::aes_siv_cmac_512;
  CHECK(!exchange{wrong}.client.can_ask());
  auto alternate = credentials(siv, 3);
  alternate.alternate = wrong.keys;
  CHECK(!exchange{alternate}.client.credentials()->alternate);
}

TEST_CASE("an authentic answer brings its cookies, up to eight") {
  for (const auto id : every_aead) {
    exchange e{credentials(id, 3)};
    e.ask();
    octets inner;
    for (std::uint8_t i = 100; i < 107; ++i)
      inner = inner + cookie_field(filled(104, i));
    CHECK(e.judge(e.answer(inner)) == judgement::authentic);
    CHECK(e.cookies() == 8);
    CHECK(e.client.credentials()->cookies.back().front() == std::byte{105});
  }
}

TEST_CASE("of the sealed fields only cookies that can be sent are kept") {
  exchange e{credentials(aead_id::aes_siv_cmac_256, 1)};
  e.ask();
  const auto inner = field(0x9999, 8) + cookie_field({})
                     + cookie_field(zeros(8)) + placeholder_field(104)
                     + cookie_field(filled(100, 9));
  CHECK(e.judge(e.answer(inner)) == judgement::authentic);
  CHECK(e.cookies() == 1);
  CHECK(e.client.credentials()->cookies[0].size() == 100);
}

TEST_CASE("an answer may have additional padding and no cookie") {
  exchange e;
  e.ask();
  CHECK(e.judge(e.answer({}, 40)) == judgement::authentic);
  CHECK(e.cookies() == 7);
}

TEST_CASE("cookies outside of the sealed part are not taken") {
  exchange e{credentials(aead_id::aes_siv_cmac_256, 2)};
  e.ask();
  const auto& keys = e.client.credentials()->keys;
  const auto bytes
    = sealed(exchange::reply_header() + e.uid() + cookie_field(zeros(104)),
             keys.aead, keys.s2c);
  CHECK(e.judge(bytes) == judgement::authentic);
  CHECK(e.cookies() == 1);
}

TEST_CASE("an answer of which any octet was changed is not authentic") {
  exchange e;
  e.ask();
  const auto good = e.answer(cookie_field(zeros(100)));
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{0x10};
    const auto p = parse_packet(bad);
    CHECK((!p || e.client.judge(*p, bad) == judgement::forged));
  }
  CHECK(e.cookies() == 7);
  CHECK(e.judge(good) == judgement::authentic);
}

TEST_CASE("answers without authenticator, with a wrong or doubled identifier, "
          "or with fields after the authenticator are forged") {
  exchange e;
  e.ask();
  const auto& keys = e.client.credentials()->keys;
  const auto start = exchange::reply_header();
  const auto seal
    = [&](const octets& bytes) { return sealed(bytes, keys.aead, keys.s2c); };
  CHECK(e.judge(start) == judgement::forged);
  CHECK(e.judge(start + e.uid()) == judgement::forged);
  CHECK(e.judge(start + e.uid() + cookie_field(zeros(104)))
        == judgement::forged);
  CHECK(e.judge(seal(start)) == judgement::forged);
  CHECK(e.judge(seal(start + uid_field())) == judgement::forged);
  CHECK(e.judge(seal(start + e.uid() + uid_field())) == judgement::forged);
  CHECK(e.judge(seal(start + uid_field() + e.uid())) == judgement::forged);
  CHECK(e.judge(seal(start + e.uid()) + field(0x9999, 28))
        == judgement::forged);
  CHECK(e.judge(sealed(start + e.uid(), keys.aead, keys.c2s))
        == judgement::forged);
  CHECK(e.judge(seal(start + e.uid())) == judgement::authentic);
}

TEST_CASE("an answer whose sealed part is no list of fields is forged") {
  exchange e;
  e.ask();
  CHECK(e.judge(e.answer(field(0x0204, 4, 3))) == judgement::forged);
  CHECK(e.judge(e.answer(field(0x0404, 36))) == judgement::forged);
}

TEST_CASE("an answer longer than any request is forged") {
  exchange e;
  e.ask();
  CHECK(e.judge(e.answer({}, 1200)) == judgement::forged);
  CHECK(e.judge(e.answer(cookie_field(zeros(1200)))) == judgement::forged);
}

TEST_CASE("the answer to the request before is forged") {
  exchange e;
  e.ask();
  const auto old = e.answer();
  e.ask();
  CHECK(e.judge(old) == judgement::forged);
}

TEST_CASE("NTSN refuses only with the identifier of the request") {
  exchange e;
  e.ask();
  CHECK(e.judge(exchange::kiss("NTSN") + e.uid()) == judgement::refused);
  CHECK(e.judge(exchange::kiss("NTSN") + uid_field()) == judgement::forged);
  CHECK(e.judge(exchange::kiss("NTSN")) == judgement::forged);
  CHECK(e.judge(exchange::kiss("DENY") + e.uid()) == judgement::forged);
  CHECK(e.judge(exchange::kiss("RATE") + e.uid()) == judgement::forged);
}

TEST_CASE("after a refusal the alternate keys are tried once") {
  auto c = credentials(aead_id::aes_128_gcm_siv, 4);
  c.alternate = keys_for(aead_id::aes_128_gcm_siv, 7);
  exchange e{c};
  e.ask();
  CHECK(!e.client.on_refusal());
  e.ask();
  CHECK(e.client.credentials()->keys == *c.alternate);
  CHECK(e.judge(e.answer()) == judgement::authentic);
  CHECK(e.client.on_refusal());
  CHECK(e.cookies() == 2);
}

TEST_CASE("once an answer was authentic there is no alternative to its keys") {
  auto c = credentials(aead_id::aes_128_gcm_siv, 4);
  c.alternate = keys_for(aead_id::aes_128_gcm_siv, 7);
  exchange e{c};
  e.ask();
  CHECK(e.judge(e.answer()) == judgement::authentic);
  e.ask();
  CHECK(e.client.on_refusal());
  CHECK(e.client.credentials()->keys == c.keys);
}

TEST_CASE("an answer to a request of before a key exchange is judged by its "
          "own keys, and its cookies are not mixed with the new ones") {
  exchange e{credentials(aead_id::aes_siv_cmac_256, 2)};
  e.ask();
  const auto late = e.answer(cookie_field(zeros(104)));
  auto fresh = credentials(aead_id::aes_siv_cmac_512, 4);
  fresh.keys = keys_for(aead_id::aes_siv_cmac_512, 9);
  e.client.give(fresh);
  CHECK(e.judge(late) == judgement::authentic);
  CHECK(e.cookies() == 4);
  CHECK(!e.client.on_refusal());
  CHECK(e.client.credentials()->keys == fresh.keys);
}

} // namespace concert::ntp
