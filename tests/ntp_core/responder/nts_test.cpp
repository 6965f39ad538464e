#include "ntp_core/nts/nts_client.hpp"
#include "ntp_core/packet/packet.hpp"
#include "tests/ntp_core/responder/served.hpp"
#include "tests/ntp_core/support/nts_packets.hpp"

#include <doctest/doctest.h>

#include <set>

namespace concert::ntp {

using namespace std::chrono_literals;
using test::access_of;
using test::authenticator_shape;
using test::client;
using test::cookie_field;
using test::every_aead;
using test::field;
using test::filled;
using test::from_hex;
using test::keys_for;
using test::octets;
using test::placeholder_field;
using test::received;
using test::request;
using test::request_header;
using test::sealed;
using test::seeded_random;
using test::served;
using test::to_octets;
using test::toy_cipher;
using test::uid_field;
using test::zeros;

namespace {

constexpr auto siv = aead_id::aes_siv_cmac_256;
constexpr auto later = received + ntp_duration::from_seconds(1e-3);

std::shared_ptr<const cookie_keys> server_keys(std::uint8_t seed = 1) {
  return std::make_shared<cookie_keys>(
    std::vector<cookie_keys::key>{{seed, secret<32>{filled(32, seed)}}});
}

struct served_with_nts : served {
  explicit served_with_nts(responder_config c = {}) : served(std::move(c)) {
    machine.on_keys(server_keys());
  }
};

octets cookie_for(const session_keys& keys, std::uint8_t seed = 1) {
  toy_cipher cipher;
  seeded_random random{7};
  octets cookie(cookie_size(keys.aead));
  server_keys(seed)->seal(keys, cipher, random, cookie);
  return cookie;
}

/// What is before the authenticator of a request.
octets open_part(aead_id id, std::size_t placeholders = 0) {
  const auto cookie = cookie_for(keys_for(id));
  auto bytes = request() + uid_field() + cookie_field(cookie);
  for (std::size_t i = 0; i < placeholders; ++i)
    bytes = bytes + placeholder_field(cookie.size());
  return bytes;
}

octets nts_request(aead_id id, std::size_t placeholders = 0) {
  return sealed(open_part(id, placeholders), id, keys_for(id).c2s,
                {nonce_size(id), 0, {}});
}

/// An opened reply.
struct opened_reply {
  packet_header header;
  std::vector<octets> cookies;
};

/// The last reply, if a client with these keys believes it.
std::optional<opened_reply> believed(const served& s, const session_keys& keys,
                                     const octets& uid = filled(32, 0x55)) {
  const auto bytes = std::span{s.out}.first(s.last.size);
  const auto p = parse_packet(bytes);
  if (!p)
    return std::nullopt;
  const auto f = find_nts_fields(*p, bytes);
  if (!f || !f->has_authenticator() || !f->cookie.empty()
      || !std::ranges::equal(f->unique_identifier, uid))
    return std::nullopt;
  octets plaintext(f->sealed.size() - aead_tag_size);
  if (!toy_cipher{}.open(keys.aead, keys.s2c.bytes(), f->nonce, f->associated,
                         f->sealed, plaintext))
    return std::nullopt;
  const auto fields = read_sealed_fields(plaintext);
  REQUIRE(fields);
  opened_reply r{p->header, {}};
  for (const auto& field : *fields) {
    CHECK(field.type == extension_type::nts_cookie);
    r.cookies.emplace_back(field.body.begin(), field.body.end());
  }
  return r;
}

/// Whether the last reply is an NTSN of 48 + 36 octets with the identifier.
bool is_refusal(const served& s) {
  const auto bytes = std::span{s.out}.first(s.last.size);
  const auto p = parse_packet(bytes);
  if (!p || s.last.what != response::kiss_nts || s.last.nts)
    return false;
  const auto f = find_nts_fields(*p, bytes);
  return f && bytes.size() == header_size + 36
         && std::ranges::equal(f->unique_identifier, filled(32, 0x55))
         && p->header.stratum == 0
         && p->header.leap == leap_indicator::unsynchronized
         && p->header.reference_id == code_of("NTSN")
         && p->header.origin == request_header().transmit;
}

} // namespace

TEST_CASE("an authentic request gets an authentic answer with a new cookie") {
  for (const auto id : every_aead) {
    served_with_nts s;
    const auto bytes = nts_request(id);
    const auto r = s.ask(bytes);
    CHECK(r.what == response::answered);
    CHECK(r.why == reason::nts);
    CHECK(r.nts);
    CHECK(!believed(s, keys_for(id))); // not before it is sealed
    s.stamp(later);
    const auto got = believed(s, keys_for(id));
    REQUIRE(got);
    CHECK(s.last.size == bytes.size());
    CHECK(got->header.stratum == 3);
    CHECK((got->header.transmit - later).seconds() == doctest::Approx(0.5));
    REQUIRE(got->cookies.size() == 1);
    CHECK(got->cookies[0] != cookie_for(keys_for(id)));
    CHECK(server_keys()->open(got->cookies[0], s.cipher) == keys_for(id));
    CHECK(s.machine.counters().at(response::answered, reason::nts) == 1);
  }
}

TEST_CASE("a cookie comes for each placeholder, and never more than eight") {
  for (const auto id : every_aead)
    for (const std::size_t placeholders : {1, 2, 7, 8, 9, 40}) {
      served_with_nts s;
      const auto bytes = nts_request(id, placeholders);
      s.ask(bytes);
      const auto sealed_before = s.cipher.sealed;
      s.stamp(later);
      CHECK(s.cipher.sealed == sealed_before + 1);
      const auto got = believed(s, keys_for(id));
      REQUIRE(got);
      const auto expected = std::min<std::size_t>(placeholders + 1, 8);
      CHECK(got->cookies.size() == expected);
      CHECK(sealed_before == static_cast<int>(expected));
      CHECK(std::set<octets>(got->cookies.begin(), got->cookies.end()).size()
            == expected);
      for (const auto& c : got->cookies)
        CHECK(server_keys()->open(c, s.cipher) == keys_for(id));
    }
}

TEST_CASE("hidden placeholders earn no cookies (CVE-2026-26076)") {
  served_with_nts s;
  octets inner;
  for (int i = 0; i < 40; ++i)
    inner = inner + placeholder_field(104);
  for (int i = 0; i < 100; ++i)
    inner = inner + placeholder_field(0);
  s.ask(sealed(open_part(siv), siv, keys_for(siv).c2s, {16, 0, inner}));
  s.stamp(later);
  REQUIRE(believed(s, keys_for(siv)));
  CHECK(believed(s, keys_for(siv))->cookies.size() == 1);
}

TEST_CASE("what our client asks the server answers, and the client believes") {
  for (const auto id : every_aead) {
    served_with_nts s;
    nts_client asker{s.cipher, s.random};
    nts_credentials credentials{keys_for(id), {}, {}};
    const auto cookie = cookie_for(keys_for(id));
    credentials.cookies.emplace_back(cookie.begin(), cookie.end());
    asker.give(credentials);
    for (int i = 0; i < 20; ++i) {
      octets bytes(nts_client::longest_request);
      const auto header = request();
      std::copy(header.begin(), header.end(), bytes.begin());
      bytes.resize(asker.complete_request(bytes));
      asker.on_sent();
      s.ask(bytes);
      s.stamp(later);
      const auto reply = std::span{s.out}.first(s.last.size);
      CHECK(asker.judge(*parse_packet(reply), reply)
            == nts_client::judgement::authentic);
    }
    CHECK(asker.credentials()->cookies.size() == 8);
  }
}

TEST_CASE("requests of every valid shape are answered in no more octets") {
  const auto& c2s = keys_for(siv).c2s;
  const auto answered
    = [&](const octets& bytes, const octets& uid = filled(32, 0x55)) {
        served_with_nts s;
        s.ask(bytes);
        s.stamp(later);
        const auto got = believed(s, keys_for(siv), uid);
        return got && got->cookies.size() == 1;
      };
  const auto open = open_part(siv);
  CHECK(answered(sealed(open, siv, c2s)));
  for (const std::size_t nonce : {17, 18, 19, 20, 32, 100})
    CHECK(answered(sealed(open, siv, c2s, {nonce, 0, {}})));
  for (const std::size_t nonce : {1, 12, 13, 15})
    CHECK(answered(sealed(open, siv, c2s, {nonce, 16, {}})));
  CHECK(answered(sealed(open, siv, c2s, {16, 60, {}})));
  CHECK(answered(sealed(open, siv, c2s, {16, 0, field(0x9999, 12)})));
  CHECK(answered(sealed(open + field(0x2005, 24), siv, c2s)));
  const auto cookie = cookie_field(cookie_for(keys_for(siv)));
  CHECK(answered(sealed(request() + uid_field(200) + cookie, siv, c2s),
                 filled(200, 0x55)));
  CHECK(answered(sealed(request() + cookie + uid_field(), siv, c2s)));
}

TEST_CASE("requests that lack a field or break a rule of length get silence "
          "and cost no sealing") {
  const auto& c2s = keys_for(siv).c2s;
  const auto seal
    = [&](const octets& bytes, const authenticator_shape& shape = {}) {
        return sealed(bytes, siv, c2s, shape);
      };
  served_with_nts s;
  const auto silent
    = [&](const octets& bytes) { return s.silent(bytes, reason::malformed); };
  const auto uid = uid_field();
  const auto cookie = cookie_field(cookie_for(keys_for(siv)));
  const auto start = request();
  CHECK(silent(start + uid + cookie));
  CHECK(silent(seal(start + uid)));
  CHECK(silent(seal(start + cookie)));
  CHECK(silent(seal(start + uid_field(28) + cookie)));
  CHECK(silent(seal(start + uid + uid + cookie)));
  CHECK(silent(seal(start + uid + cookie + cookie)));
  CHECK(silent(seal(seal(start + uid + cookie))));
  CHECK(silent(seal(start + uid + cookie) + field(0x2005, 24)));
  CHECK(silent(seal(start + uid + cookie) + zeros(20)));
  CHECK(silent(seal(start + uid + cookie) + zeros(4)));
  CHECK(silent(seal(start + uid + cookie + placeholder_field(100))));
  CHECK(silent(seal(start + uid + cookie, {12, 0, {}})));
  CHECK(silent(seal(start + uid + cookie, {4, 8, {}})));
  CHECK(silent(seal(start + uid + cookie, {16, 0, field(0x9999, 4, 3)})));
  CHECK(silent(seal(start + uid + cookie, {16, 0, field(0x9999, 4, 12)})));
  CHECK(silent(seal(start + uid + cookie, {16, 0, field(0x0404, 36)})));
  const auto good = seal(start + uid + cookie);
  for (const auto* lengths :
       {"ffffffff", "ffff0010", "0010ffff", "fffd0010", "0010fffd", "00140010",
        "00100014", "00000010", "00100000", "0010000f"}) {
    auto bad = good;
    const auto sizes = from_hex(lengths);
    std::copy(sizes.begin(), sizes.end(), bad.end() - 36);
    CHECK(silent(bad));
  }
  CHECK(s.cipher.sealed == 0);
}

TEST_CASE("a wrong mode is silence before anything is decrypted") {
  responder_config c;
  c.answer_symmetric_active = true;
  served_with_nts s{c};
  for (const int mode : {0, 1, 2, 4, 5, 6, 7}) {
    auto bytes = nts_request(siv);
    bytes[0] = static_cast<std::byte>(0x20 | mode);
    CHECK(s.ask(bytes).size == 0);
  }
  CHECK(s.cipher.opened == 0);
  auto third = nts_request(siv);
  third[0] = std::byte{0x1b}; // all of it one MAC
  CHECK(s.silent(third, reason::malformed));
}

TEST_CASE("a cookie that is not ours gets NTSN with the identifier") {
  served_with_nts s;
  const auto ask = [&](const octets& cookie) {
    s.ask(sealed(request() + uid_field() + cookie_field(cookie), siv,
                 keys_for(siv).c2s));
    CHECK(s.last.why == reason::nts_cookie);
    return is_refusal(s);
  };
  CHECK(ask(cookie_for(keys_for(siv), 2)));
  CHECK(ask(zeros(104)));
  for (const std::size_t size : {12, 20, 100, 108, 700})
    CHECK(ask(zeros(size)));
  const auto cookie = cookie_for(keys_for(siv));
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    auto bad = cookie;
    bad[i] ^= std::byte{1};
    served_with_nts fresh;
    fresh.ask(sealed(request() + uid_field() + cookie_field(bad), siv,
                     keys_for(siv).c2s));
    CHECK(is_refusal(fresh));
  }
}

TEST_CASE("a request of which any octet was changed is not answered") {
  const auto good = nts_request(siv, 1);
  for (std::size_t i = 0; i < good.size(); ++i) {
    served_with_nts s;
    auto bad = good;
    bad[i] ^= std::byte{0x10};
    const auto r = s.ask(bad);
    CHECK(r.what != response::answered);
    CHECK(!r.nts);
  }
}

TEST_CASE("a wrong authenticator gets NTSN with the identifier") {
  served_with_nts s;
  auto bytes = nts_request(siv);
  bytes.back() ^= std::byte{1};
  s.ask(bytes);
  CHECK(is_refusal(s));
  CHECK(s.last.why == reason::nts_forged);
  s.ask(sealed(open_part(siv), siv, keys_for(siv).s2c));
  CHECK(is_refusal(s));
}

TEST_CASE("refusals are limited for all clients together") {
  served_with_nts s;
  const auto bad = sealed(open_part(siv), siv, keys_for(siv).s2c);
  octets out(bad.size());
  const auto refused = [&](mono_time now, int tries) {
    int n = 0;
    for (int i = 0; i < tries; ++i)
      n += s.machine.respond(bad, client, received, now, out).size > 0 ? 1 : 0;
    return n;
  };
  CHECK(refused(mono_time{1h}, 1000) == 100);
  CHECK(refused(mono_time{1h} + 500ms, 1000) == 50);
  CHECK(refused(mono_time{2h}, 1000) == 100);
  CHECK(s.machine.counters().at(response::kiss_nts, reason::nts_forged) == 250);
  CHECK(s.machine.counters().at(response::ignored, reason::nts_forged) == 2750);
  s.ask(nts_request(siv)); // who is authentic does not suffer
  CHECK(s.last.what == response::answered);
}

TEST_CASE("cookies of an older key are good, and new ones are of the newest") {
  served s;
  s.machine.on_keys(std::make_shared<cookie_keys>(std::vector<cookie_keys::key>{
    {2, secret<32>{filled(32, 2)}}, {1, secret<32>{filled(32, 1)}}}));
  s.ask(nts_request(siv));
  s.stamp(later);
  const auto got = believed(s, keys_for(siv));
  REQUIRE(got);
  CHECK(server_keys(2)->open(got->cookies.at(0), s.cipher));
  CHECK(!server_keys(1)->open(got->cookies.at(0), s.cipher));
}

TEST_CASE("keys may change between a reply and its stamp") {
  served_with_nts s;
  s.ask(nts_request(siv));
  s.machine.on_keys(nullptr);
  s.stamp(later);
  CHECK(believed(s, keys_for(siv)));
  CHECK(s.silent(nts_request(siv), reason::malformed));
}

TEST_CASE("a reply that waits too long for its stamp is never believed") {
  served_with_nts s;
  const auto first = s.ask(nts_request(siv));
  const auto bytes = s.out;
  const auto stamp_first = [&](std::uint32_t others) {
    for (std::uint32_t i = 0; i < others; ++i)
      s.ask(nts_request(siv));
    s.last = first;
    s.out = bytes;
    s.stamp(later);
    return believed(s, keys_for(siv)).has_value();
  };
  CHECK(stamp_first(nts_server::most_unsealed - 1));
  CHECK(!stamp_first(1));
}

TEST_CASE("without a cipher requests with NTS get silence") {
  responder machine{std::make_shared<responder_config>(), 42};
  machine.on_keys(server_keys());
  octets out(2048);
  const auto r
    = machine.respond(nts_request(siv), client, received, mono_time{1h}, out);
  CHECK(r.what == response::ignored);
  CHECK(r.why == reason::malformed);
}

TEST_CASE("where NTS is required it satisfies, and a refusal is still NTSN") {
  for (const auto how : {refusal::deny, refusal::ignore}) {
    responder_config c;
    c.require_nts = how;
    served_with_nts s{c};
    CHECK(s.ask(nts_request(siv)).why == reason::nts);
    CHECK(s.ask(request()).why == reason::nts_required);
    CHECK(s.ask(request() + uid_field()).why == reason::nts_required);
    s.ask(sealed(open_part(siv), siv, keys_for(siv).s2c));
    CHECK(is_refusal(s));
  }
}

TEST_CASE("kisses to authentic requests are authentic and bring a cookie") {
  responder_config denying;
  denying.access = access_of({"192.0.2.0/24"});
  served_with_nts denied{denying};
  denied.ask(nts_request(siv));
  CHECK(denied.last.what == response::kiss_deny);
  denied.stamp(later);
  const auto deny = believed(denied, keys_for(siv));
  REQUIRE(deny);
  CHECK(deny->header.reference_id == code_of("DENY"));
  CHECK(deny->cookies.size() == 1);

  responder_config limiting;
  limiting.rate = {16, 1000ms, 1, 16, 1};
  served_with_nts limited{limiting};
  for (int i = 0; i < 100 && limited.last.what != response::kiss_rate; ++i)
    limited.ask(nts_request(siv));
  REQUIRE(limited.last.what == response::kiss_rate);
  limited.stamp(later);
  const auto rate = believed(limited, keys_for(siv));
  REQUIRE(rate);
  CHECK(rate->header.reference_id == code_of("RATE"));
}

TEST_CASE("who is denied learns nothing more from a bad cookie") {
  responder_config denying;
  denying.access = access_of({"192.0.2.0/24"});
  served_with_nts s{denying};
  s.ask(sealed(open_part(siv), siv, keys_for(siv).s2c));
  CHECK(s.last.what == response::kiss_deny);
  CHECK(!s.last.nts);
  denying.deny_action = refusal::ignore;
  served_with_nts silent{denying};
  CHECK(silent.silent(nts_request(siv), reason::access));
  CHECK(silent.cipher.opened == 0);
}

TEST_CASE("interleaved mode works with NTS, and its replies need no seal when "
          "they are stamped") {
  served_with_nts s;
  s.ask(nts_request(siv));
  CHECK(s.last.seal_ticket != 0);
  s.stamp(later);
  const auto first = believed(s, keys_for(siv));
  REQUIRE(first);
  auto h = request_header();
  h.origin = first->header.receive;
  h.receive = ntp_timestamp::from_bits(0x1234567);
  const auto open = open_part(siv);
  const octets fields(open.begin() + header_size, open.end());
  s.ask(sealed(to_octets(h) + fields, siv, keys_for(siv).c2s));
  CHECK(s.last.why == reason::nts_interleaved);
  CHECK(s.last.interleaved);
  CHECK(s.last.wants_transmit_stamp);
  CHECK(s.last.seal_ticket == 0);
  s.stamp(later + ntp_duration::from_seconds(1));
  const auto second = believed(s, keys_for(siv));
  REQUIRE(second);
  CHECK(second->header.origin == h.receive);
  CHECK(second->header.transmit == first->header.transmit);
}

} // namespace concert::ntp
