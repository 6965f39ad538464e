#include "actors/interfaces.hpp"
#include "ntp_core/nts/nts_client.hpp"
#include "platform/aead.hpp"
#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace concert::actors::testing {

namespace {

constexpr auto aead = ntp::aead_id::aes_siv_cmac_256;

ntp::aead_key key_of(std::uint8_t value) {
  return ntp::aead_key{
    std::vector<std::byte>(ntp::key_size(aead), std::byte{value})};
}

std::shared_ptr<const ntp::cookie_keys> server_keys(std::uint8_t value) {
  const std::vector<std::byte> octets(ntp::cookie_keys::key_octets,
                                      std::byte{value});
  return std::make_shared<ntp::cookie_keys>(std::vector<ntp::cookie_keys::key>{
    {value, ntp::secret<ntp::cookie_keys::key_octets>{octets}}});
}

/// A client with keys and cookies, however it got them.
class client {
public:
  explicit client(const ntp::cookie_keys& server) {
    ntp::nts_credentials credentials{{aead, key_of(1), key_of(2)}, {}, {}};
    for (std::size_t i = 0; i < ntp::most_cookies; ++i) {
      auto& cookie = credentials.cookies.emplace_back(ntp::cookie_size(aead));
      server.seal(credentials.keys, *cipher_, random_, cookie);
    }
    nts_.give(std::move(credentials));
  }

  /// Asks the machine; what is to be said of its answer, if there is one.
  std::optional<ntp::nts_client::judgement> ask(machine& m) {
    std::vector<std::byte> request(ntp::nts_client::longest_request);
    ntp::packet_header header;
    header.transmit = ntp::ntp_timestamp::from_bits(random_.next() | 1);
    ntp::encode(header, std::span{request}.first<ntp::header_size>());
    request.resize(nts_.complete_request(request));
    nts_.on_sent();
    const auto answer
      = m.sim().network().ask(machine::listen, machine::client, request);
    m.run_for(1s);
    if (answer->empty())
      return std::nullopt;
    const auto p = ntp::parse_packet(*answer);
    REQUIRE(p);
    CHECK(p->header.origin == header.transmit);
    last_ = p->header;
    return nts_.judge(*p, *answer);
  }

  const ntp::packet_header& last() const { return last_; }
  std::size_t cookies() const { return nts_.credentials()->cookies.size(); }

private:
  seeded_random random_{7};
  std::unique_ptr<ntp::aead_cipher> cipher_ = platform::aead::make().value();
  ntp::nts_client nts_{*cipher_, random_};
  ntp::packet_header last_;
};

using judgement = ntp::nts_client::judgement;

void give_keys(machine& m, std::shared_ptr<const ntp::cookie_keys> keys) {
  REQUIRE(m.sim().tell<worker_actor>("server_worker",
                                     cookie_keys_changed{std::move(keys)}));
}

} // namespace

TEST_CASE("a worker answers with NTS as soon as it has the keys") {
  machine m;
  m.start();
  m.run_for(30min);
  client c{*server_keys(1)};
  CHECK(!c.ask(m));
  CHECK(c.cookies() == ntp::most_cookies - 1);
  give_keys(m, server_keys(1));
  CHECK(c.ask(m) == judgement::authentic);
  CHECK(c.cookies() == ntp::most_cookies);
  CHECK(c.last().stratum == 2);
  CHECK(m.ask_server());
  give_keys(m, nullptr);
  CHECK(!c.ask(m));
}

TEST_CASE("keys that were given before a server came are for it as well") {
  machine m;
  const auto usual = machine::usual_config();
  const auto server = usual.substr(usual.find("[[server]]"));
  m.start(usual.substr(0, usual.size() - server.size())
          + "[[server]]\nlisten = \"10.0.0.2:1123\"\n");
  give_keys(m, server_keys(1));
  m.reload(usual + "[[server]]\nlisten = \"10.0.0.2:1123\"\n");
  m.run_for(30min);
  client c{*server_keys(1)};
  CHECK(c.ask(m) == judgement::authentic);
}

TEST_CASE("a cookie of keys that are gone is refused, and each is counted") {
  machine m;
  m.start();
  m.run_for(30min);
  give_keys(m, server_keys(2));
  client old{*server_keys(1)};
  client current{*server_keys(2)};
  CHECK(old.ask(m) == judgement::refused);
  CHECK(current.ask(m) == judgement::authentic);
  const auto counters = m.status().servers.at(0).counters;
  const auto count
    = [&](const std::string& response, const std::string& reason) {
        for (const auto& c : counters)
          if (c.response == response && c.reason == reason)
            return c.packets;
        return std::uint64_t{0};
      };
  CHECK(count("answered", "nts") == 1);
  CHECK(count("kiss-nts", "nts-cookie") == 1);
}

} // namespace concert::actors::testing
