#include "platform/tls_session.hpp"

#include "ntp_core/nts/session_keys.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>
#include <openssl/err.h>

#include <array>
#include <random>

namespace concert::platform::testing {

namespace {

/// A server for time.example, and its clients.
struct fixture {
  tls_site site;
  std::shared_ptr<const tls_server> server
    = serve({site.pair("server", "DNS:time.example")});
  std::shared_ptr<const tls_client> client = site.client();
};

bytes random_bytes(std::size_t size) {
  std::mt19937 random{1};
  bytes out(size);
  for (auto& b : out)
    b = static_cast<std::byte>(random());
  return out;
}

/// Shakes hands with one octet changed on its way, in the first flight of
/// either side; whether there was such an octet. Then either it failed, or both
/// sides have the same keys.
bool survives_false_octet(const fixture& f, bool of_client, std::size_t at) {
  const auto a = connect(*f.client, "time.example");
  const auto b = accept(*f.server);
  auto flight = a->take_output();
  if (!of_client) {
    b->feed(flight);
    flight = b->take_output();
  }
  if (at >= flight.size())
    return false;
  flight[at] ^= std::byte{0x20};
  (of_client ? *b : *a).feed(flight);
  converse(*a, *b);
  std::array<std::byte, 32> key_a{};
  std::array<std::byte, 32> key_b{};
  const bool both = a->export_key(ntp::exporter_label, {}, key_a)
                    && b->export_key(ntp::exporter_label, {}, key_b);
  // Only the version in the header of a plain record is looked at by nobody.
  CHECK((!both || (key_a == key_b && at < 5)));
  return true;
}

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "two ends shake hands and exchange, octet by octet") {
  for (const std::size_t step : {1, 2, 5, 100, 1 << 20}) {
    CAPTURE(step);
    const auto a = connect(*client, "time.example");
    const auto b = accept(*server);
    CHECK(a->state() == tls_state::handshaking);
    CHECK_FALSE(a->write(octets("early")));
    converse(*a, *b, step);
    REQUIRE(a->state() == tls_state::open);
    REQUIRE(b->state() == tls_state::open);

    CHECK(a->write(octets("request")));
    CHECK(a->write({}));
    a->close();
    CHECK_FALSE(a->write(octets("more")));
    CHECK_FALSE(a->write({}));
    converse(*a, *b, step);
    CHECK(b->state() == tls_state::peer_closed);
    CHECK(text_of(b->read()) == "request");
    CHECK(b->read().empty());

    // The client has closed its direction alone.
    CHECK(b->write(octets("response")));
    b->close();
    b->close();
    converse(*a, *b, step);
    CHECK(a->state() == tls_state::peer_closed);
    CHECK(text_of(a->read()) == "response");
    a->end_of_input();
    CHECK(a->state() == tls_state::peer_closed);
    CHECK(a->failure() == tls_failure{});
  }
}

TEST_CASE_FIXTURE(fixture, "no ticket follows the handshake") {
  const auto a = connect(*client, "time.example");
  const auto b = accept(*server);
  b->feed(a->take_output());
  a->feed(b->take_output());
  b->feed(a->take_output());
  CHECK(b->state() == tls_state::open);
  CHECK(b->take_output().empty());
}

TEST_CASE_FIXTURE(fixture, "a server's tickets are no concern of its client") {
  const auto who = issue(site.authority(), "DNS:time.example");
  other_end peer{TLS_server_method()};
  SSL_CTX_use_certificate(peer.context(), who.certificate.get());
  SSL_CTX_use_PrivateKey(peer.context(), who.key.get());
  SSL_CTX_set_num_tickets(peer.context(), 5);
  SSL_CTX_set_alpn_select_cb(
    peer.context(),
    [](SSL*, const unsigned char** out, unsigned char* size,
       const unsigned char* offered, unsigned, void*) {
      *out = offered + 1;
      *size = offered[0];
      return SSL_TLSEXT_ERR_OK;
    },
    nullptr);
  SSL* ssl = peer.start();
  SSL_set_accept_state(ssl);
  const auto session = connect(*client, "time.example");
  peer.converse(*session);
  SSL_write(ssl, "response", 8);
  SSL_shutdown(ssl);
  peer.pass_on(*session);
  CHECK(text_of(session->read()) == "response");
  CHECK(session->state() == tls_state::peer_closed);
}

TEST_CASE_FIXTURE(fixture, "both ends export the same keys, one per context") {
  const auto early = connect(*client, "time.example");
  std::array<std::byte, 64> a{};
  std::array<std::byte, 64> b{};
  const std::array<std::byte, 5> c2s{{{}, {}, {}, std::byte{15}, {}}};
  const std::array<std::byte, 5> s2c{{{}, {}, {}, std::byte{15}, std::byte{1}}};
  a.fill(std::byte{1});
  CHECK_FALSE(early->export_key(ntp::exporter_label, c2s, a));
  CHECK(a == b);

  const connection c{*client, *server};
  const connection other{*client, *server};
  REQUIRE(c.client->export_key(ntp::exporter_label, c2s, a));
  REQUIRE(c.server->export_key(ntp::exporter_label, c2s, b));
  CHECK(a == b);
  REQUIRE(c.server->export_key(ntp::exporter_label, s2c, b));
  CHECK(a != b);
  REQUIRE(c.server->export_key("EXPORTER-something-else", c2s, b));
  CHECK(a != b);
  REQUIRE(other.client->export_key(ntp::exporter_label, c2s, b));
  CHECK(a != b);

  // The server exports after the client's close_notify as well.
  c.client->close();
  converse(*c.client, *c.server);
  CHECK(c.server->state() == tls_state::peer_closed);
  REQUIRE(c.server->export_key(ntp::exporter_label, c2s, b));
  CHECK(a == b);
}

TEST_CASE_FIXTURE(fixture, "a client that does not ask for NTS-KE is refused") {
  constexpr unsigned char http[] = "\x08http/1.1";
  for (const bool none : {true, false}) {
    CAPTURE(none);
    other_end web{TLS_client_method()};
    if (!none)
      SSL_CTX_set_alpn_protos(web.context(), http, sizeof http - 1);
    SSL_set_connect_state(web.start());
    const auto session = accept(*server);
    web.converse(*session);
    CHECK(web.reason() == "tlsv1 alert no application protocol");
    CHECK(session->state() == tls_state::failed);
    CHECK(session->failure().fault == tls_fault::application);
    CHECK(session->failure().text.find("ntske/1") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "among several protocols NTS-KE is chosen") {
  constexpr unsigned char list[] = "\x08http/1.1\x07ntske/1";
  other_end peer{TLS_client_method()};
  SSL_CTX_set_alpn_protos(peer.context(), list, sizeof list - 1);
  SSL_set_connect_state(peer.start());
  const auto session = accept(*server);
  peer.converse(*session);
  CHECK(session->state() == tls_state::open);
}

TEST_CASE_FIXTURE(fixture, "a server that does not choose NTS-KE is refused") {
  const auto who = issue(site.authority(), "DNS:time.example");
  for (const bool none : {true, false}) {
    CAPTURE(none);
    other_end web{TLS_server_method()};
    SSL_CTX_use_certificate(web.context(), who.certificate.get());
    SSL_CTX_use_PrivateKey(web.context(), who.key.get());
    if (!none)
      SSL_CTX_set_alpn_select_cb(
        web.context(),
        [](SSL*, const unsigned char** out, unsigned char* size,
           const unsigned char*, unsigned, void*) {
          static constexpr unsigned char h2[] = "h2";
          *out = h2;
          *size = 2;
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    SSL_set_accept_state(web.start());
    const auto session = connect(*client, "time.example");
    web.converse(*session);
    CHECK(session->state() == tls_state::failed);
    // A protocol that nobody offered is an offence against TLS itself.
    CHECK(session->failure().fault
          == (none ? tls_fault::application : tls_fault::protocol));
    CHECK_FALSE(session->write(octets("request")));
    std::array<std::byte, 32> key{};
    CHECK_FALSE(session->export_key(ntp::exporter_label, {}, key));
  }
}

TEST_CASE_FIXTURE(fixture, "TLS 1.2 is refused from either side") {
  other_end old{TLS_client_method()};
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  SSL_CTX_set_alpn_protos(old.context(), alpn_list, sizeof alpn_list);
  SSL_set_connect_state(old.start());
  const auto session = accept(*server);
  old.converse(*session);
  CHECK(old.reason() == "tlsv1 alert protocol version");
  CHECK(session->failure().fault == tls_fault::version);

  const auto who = issue(site.authority(), "DNS:time.example");
  other_end old_server{TLS_server_method()};
  SSL_CTX_set_max_proto_version(old_server.context(), TLS1_2_VERSION);
  SSL_CTX_use_certificate(old_server.context(), who.certificate.get());
  SSL_CTX_use_PrivateKey(old_server.context(), who.key.get());
  SSL_set_accept_state(old_server.start());
  const auto asking = connect(*client, "time.example");
  old_server.converse(*asking);
  CHECK(asking->failure().fault == tls_fault::version);
}

TEST_CASE_FIXTURE(fixture, "a refusal by the peer is told in its words") {
  const tls_site stranger{"Stranger"};
  const auto a = connect(*stranger.client(), "time.example");
  const auto b = accept(*server);
  converse(*a, *b);
  CHECK(b->state() == tls_state::failed);
  CHECK(b->failure()
        == tls_failure{tls_fault::refused, "the peer refused: unknown CA"});
}

TEST_CASE_FIXTURE(fixture, "garbage ends a session of either side at once") {
  const auto junk = random_bytes(1 << 20);
  const auto b = accept(*server);
  b->feed(junk);
  CHECK(b->state() == tls_state::failed);
  CHECK(b->failure().fault == tls_fault::protocol);
  CHECK(b->take_output().size() < 100);

  const auto a = connect(*client, "time.example");
  a->feed(octets("HTTP/1.1 400 Bad Request\r\n\r\n"));
  CHECK(a->state() == tls_state::failed);
  CHECK(a->failure().fault == tls_fault::protocol);

  connection c{*client, *server};
  c.client->feed(junk);
  CHECK(c.client->state() == tls_state::failed);
  CHECK(c.server->state() == tls_state::open);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE_FIXTURE(fixture, "one false octet in the handshake is found out") {
  for (const bool of_client : {true, false})
    for (std::size_t at = 0; survives_false_octet(*this, of_client, at);
         at += 7) {
      CAPTURE(of_client);
      CAPTURE(at);
    }
}

TEST_CASE_FIXTURE(fixture, "every part of a request, and then the end, is no "
                           "success") {
  const auto request = [&](connection& c) {
    c.client->write(octets("request"));
    c.client->close();
    return c.client->take_output();
  };
  connection first{*client, *server};
  const auto size = request(first).size();
  for (std::size_t cut = 0; cut < size; ++cut) {
    CAPTURE(cut);
    connection c{*client, *server};
    const auto sent = request(c);
    c.server->feed(std::span{sent}.first(cut));
    CHECK(c.server->state() == tls_state::open);
    c.server->end_of_input();
    CHECK(c.server->failure().fault == tls_fault::cut_off);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "every prefix of a handshake, and then the end, is a "
                  "failure and nothing worse") {
  const auto a = connect(*client, "time.example");
  const auto hello = a->take_output();
  for (std::size_t cut = 0; cut <= hello.size(); ++cut) {
    CAPTURE(cut);
    const auto b = accept(*server);
    b->feed(std::span{hello}.first(cut));
    CHECK(b->state() == tls_state::handshaking);
    CHECK(b->take_output().empty() == (cut < hello.size()));
    b->end_of_input();
    CHECK(b->failure()
          == tls_failure{tls_fault::cut_off,
                         "the peer ended the connection in the handshake"});
    b->feed(hello);
    CHECK(b->take_output().empty());
  }
  for (std::size_t cut = 0; cut < 600; cut += 3) {
    CAPTURE(cut);
    const auto asking = connect(*client, "time.example");
    const auto b = accept(*server);
    b->feed(asking->take_output());
    const auto answer = b->take_output();
    REQUIRE(answer.size() > 600);
    asking->feed(std::span{answer}.first(cut));
    CHECK(asking->state() == tls_state::handshaking);
    asking->end_of_input();
    CHECK(asking->failure().fault == tls_fault::cut_off);
  }
}

TEST_CASE_FIXTURE(fixture, "what follows close_notify is not looked at") {
  connection c{*client, *server};
  c.client->write(octets("request"));
  c.client->close();
  converse(*c.client, *c.server);
  CHECK(c.server->state() == tls_state::peer_closed);
  c.server->feed(random_bytes(1 << 20));
  CHECK(c.server->state() == tls_state::peer_closed);
  CHECK(text_of(c.server->read()) == "request");
  CHECK(c.server->write(octets("response")));
}

TEST_CASE_FIXTURE(fixture, "a peer that sends without end is given up") {
  connection c{*client, *server};
  const bytes block(4000);
  std::size_t sent = 0;
  while (c.server->state() == tls_state::open && sent < 1 << 20) {
    REQUIRE(c.client->write(block));
    sent += block.size();
    converse(*c.client, *c.server);
  }
  CHECK(c.server->failure().fault == tls_fault::too_much);
  CHECK(sent > tls_session::buffer_limit);
  CHECK(sent <= tls_session::buffer_limit + block.size());
  CHECK(c.server->read().size() <= tls_session::buffer_limit);
}

TEST_CASE_FIXTURE(fixture, "whoever reads may be sent any amount") {
  connection c{*client, *server};
  const bytes block(60'000, std::byte{7});
  for (int i = 0; i < 20; ++i) {
    REQUIRE(c.client->write(block));
    converse(*c.client, *c.server);
    CHECK(c.server->read() == block);
  }
}

TEST_CASE_FIXTURE(fixture, "what nobody takes away is bounded") {
  connection c{*client, *server};
  CHECK_FALSE(c.client->write(bytes(tls_session::buffer_limit + 1)));
  std::size_t written = 0;
  while (c.client->write(bytes(1000)))
    written += 1000;
  CHECK(written > 0);
  CHECK(written <= tls_session::buffer_limit);
  CHECK(c.client->take_output().size() < tls_session::buffer_limit + 2000);
}

TEST_CASE_FIXTURE(fixture, "a peer that demands new keys without end is "
                           "bounded") {
  other_end peer{TLS_client_method()};
  SSL_CTX_set_alpn_protos(peer.context(), alpn_list, sizeof alpn_list);
  SSL* ssl = peer.start();
  SSL_set_connect_state(ssl);
  const auto session = accept(*server);
  peer.converse(*session);
  REQUIRE(session->state() == tls_state::open);
  for (int i = 0; i < 5000 && session->state() == tls_state::open; ++i) {
    REQUIRE(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    SSL_do_handshake(ssl);
    peer.pass_on(*session);
  }
  CHECK(session->failure().fault == tls_fault::too_much);
  CHECK(session->take_output().size() < tls_session::buffer_limit + 5000);
}

TEST_CASE_FIXTURE(fixture, "no call leaves an error behind for its thread") {
  const auto b = accept(*server);
  b->feed(octets("nonsense that is no record of TLS at all"));
  CHECK(ERR_peek_error() == 0);
  b->write(octets("x"));
  b->close();
  CHECK(ERR_peek_error() == 0);
  CHECK_FALSE(tls_client::open({{site / "none.pem"}}));
  CHECK(ERR_peek_error() == 0);
  // And what somebody else left does not confuse a session.
  ERR_raise(ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL);
  const connection c{*client, *server};
  CHECK(c.is_open());
}

} // namespace concert::platform::testing
