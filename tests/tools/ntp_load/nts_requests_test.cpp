#include "tools/ntp_load/nts_requests.hpp"

#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/packet/header.hpp"
#include "ntp_core/responder/responder.hpp"
#include "platform/aead.hpp"
#include "platform/nonce_source.hpp"
#include "tools/ntp_load/messages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace concert::load {

namespace {

using namespace std::chrono_literals;

const std::array<std::byte, ntp::cookie_keys::key_octets> zeros{};

/// A server of ours, and the sessions that it gave out.
struct server {
  server() {
    auto config = std::make_shared<ntp::responder_config>();
    config->access
      = {{}, std::array{ntp::ip_prefix{}}, ntp::access_order::deny_first};
    responder.on_config(std::move(config));
    ntp::served_time time;
    time.valid = true;
    time.stratum = 1;
    responder.on_time(time);
    responder.on_keys(keys);
  }

  nts_session session(ntp::aead_id id, std::size_t cookies) {
    nts_session s;
    s.keys = {id, key(id), key(id)};
    while (cookies-- > 0)
      keys->seal(s.keys, *cipher, *random,
                 s.cookies.emplace_back(ntp::cookie_size(id)));
    return s;
  }

  ntp::aead_key key(ntp::aead_id id) const {
    std::vector<std::byte> octets(ntp::key_size(id));
    for (auto& octet : octets)
      octet = static_cast<std::byte>(random->next() & 0xff);
    return ntp::aead_key{octets};
  }

  std::vector<std::byte> answer(std::span<const std::byte> request) {
    constexpr auto now = ntp::ntp_timestamp::from_bits(0xe8000000'00000000);
    std::vector<std::byte> out(request.size());
    auto r
      = responder.respond(request, {ntp::ip_address::v4({192, 0, 2, 1}), 1234},
                          now, ntp::mono_time{1h}, out);
    out.resize(r.size);
    if (r.size > 0)
      responder.stamp(r, out, now);
    return out;
  }

  std::unique_ptr<ntp::aead_cipher> cipher = platform::aead::make().value();
  std::unique_ptr<ntp::random_source> random
    = platform::nonce_source::make().value();
  std::shared_ptr<const ntp::cookie_keys> keys
    = std::make_shared<ntp::cookie_keys>(std::vector<ntp::cookie_keys::key>{
      {1, ntp::secret<ntp::cookie_keys::key_octets>{zeros}}});
  ntp::responder responder{std::make_shared<ntp::responder_config>(), 1,
                           cipher.get(), random.get()};
};

std::vector<std::byte> request_of(nts_requests& requests,
                                  std::uint64_t transmit) {
  std::vector<std::byte> bytes(requests.size());
  write_request(std::span{bytes}.first(ntp::header_size), 4);
  exchange e;
  e.transmit = transmit;
  write_fields(bytes, e, 0);
  requests.complete(bytes, transmit);
  return bytes;
}

} // namespace

TEST_CASE("requests with NTS are answered with as many octets, and checked") {
  for (const auto id :
       {ntp::aead_id::aes_siv_cmac_256, ntp::aead_id::aes_siv_cmac_384,
        ntp::aead_id::aes_siv_cmac_512, ntp::aead_id::aes_128_gcm_siv}) {
    server s;
    std::vector<nts_session> sessions(10);
    for (auto& one : sessions)
      one = s.session(id, 8);
    auto requests = nts_requests::make(std::move(sessions)).value();
    for (std::uint64_t transmit = 1; transmit < 50; ++transmit) {
      const auto answer = s.answer(request_of(requests, transmit));
      CHECK(answer.size() == requests.size());
      CHECK(requests.is_ours(answer, transmit));
      CHECK(requests.is_authentic(answer, transmit));
      CHECK(!requests.is_ours(answer, transmit + 1));
      CHECK(!requests.is_authentic(answer, transmit + 1));
    }
  }
}

TEST_CASE("no two requests with NTS share an identifier, and all sessions and "
          "cookies have their turn") {
  server s;
  auto requests
    = nts_requests::make({s.session(ntp::aead_id::aes_siv_cmac_256, 8),
                          s.session(ntp::aead_id::aes_siv_cmac_256, 8)})
        .value();
  std::set<std::vector<std::byte>> identifiers;
  std::set<std::vector<std::byte>> cookies;
  for (std::uint64_t transmit = 1; transmit <= 500; ++transmit) {
    const auto bytes = request_of(requests, transmit);
    identifiers.insert({bytes.begin() + 52, bytes.begin() + 84});
    cookies.insert({bytes.begin() + 88, bytes.begin() + 192});
  }
  CHECK(identifiers.size() == 500);
  CHECK(cookies.size() == 16);
}

TEST_CASE("an answer that was changed anywhere is not authentic") {
  server s;
  auto requests
    = nts_requests::make({s.session(ntp::aead_id::aes_siv_cmac_256, 1)})
        .value();
  const auto answer = s.answer(request_of(requests, 5));
  REQUIRE(requests.is_authentic(answer, 5));
  for (std::size_t i = 0; i < answer.size(); ++i) {
    auto changed = answer;
    changed[i] ^= std::byte{1};
    CHECK(!requests.is_authentic(changed, 5));
  }
  for (std::size_t size = 0; size < answer.size(); ++size)
    CHECK(!requests.is_authentic(std::span{answer}.first(size), 5));
}

TEST_CASE("a refusal has the identifier and no authenticator") {
  server s;
  auto session = s.session(ntp::aead_id::aes_siv_cmac_256, 1);
  session.cookies[0][40] ^= std::byte{1};
  auto requests = nts_requests::make({session}).value();
  const auto answer = s.answer(request_of(requests, 5));
  CHECK(requests.is_ours(answer, 5));
  CHECK(!requests.is_authentic(answer, 5));
  CHECK(ntp::parse_header(answer)->reference_id == ntp::code_of("NTSN"));
}

TEST_CASE("sessions whose requests differ in size are refused, and none") {
  server s;
  CHECK(!nts_requests::make({}));
  CHECK(!nts_requests::make({s.session(ntp::aead_id::aes_siv_cmac_256, 0)}));
  CHECK(!nts_requests::make({s.session(ntp::aead_id::aes_siv_cmac_256, 1),
                             s.session(ntp::aead_id::aes_siv_cmac_512, 1)}));
}

} // namespace concert::load
