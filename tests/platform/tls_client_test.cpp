#include "platform/tls_client.hpp"

#include "platform/tls_certificates.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace concert::platform::testing {

namespace {

/// What the client says of a server with this pair; empty if all is well.
std::string verdict(const tls_site& site, const certificate_files& pair,
                    const std::string& host = "time.example",
                    std::optional<std::chrono::seconds> judged_at = test_day) {
  const connection c{*site.client(), *serve({pair}), host, judged_at};
  CHECK(c.is_open() == (c.client->state() == tls_state::open));
  CHECK((c.client->state() == tls_state::failed)
        == (c.client->failure().fault == tls_fault::certificate));
  return c.client->failure().text;
}

} // namespace

TEST_CASE("a name must be in the certificate, and the error lists those there "
          "are") {
  const tls_site site;
  const auto pair = site.pair(
    "server",
    "DNS:time.example,DNS:*.pool.example,IP:192.0.2.1,IP:2001:db8::1");
  for (const char* host :
       {"time.example", "TIME.example", "time.example.", "a.pool.example",
        "192.0.2.1", "2001:db8::1", "2001:DB8:0::1", "::ffff:192.0.2.1"}) {
    CAPTURE(host);
    CHECK(verdict(site, pair, host).empty());
  }
  for (const char* host :
       {"example", "sub.time.example", "pool.example", "a.b.pool.example",
        "common.example", "192.0.2.2", "2001:db8::2"}) {
    CAPTURE(host);
    CHECK(verdict(site, pair, host)
          == "the name " + std::string{host}
               + " is not in the certificate (it has time.example, "
                 "*.pool.example, 192.0.2.1, 2001:db8::1)");
  }
}

TEST_CASE("the common name does not count") {
  const tls_site site;
  CHECK(verdict(site, site.pair("server", ""), "common.example")
        == "the name common.example is not in the certificate (it has none: it "
           "has no subjectAltName)");
}

TEST_CASE("many and strange names do not fill the log") {
  const tls_site site;
  std::string names;
  for (int i = 0; i < 50; ++i)
    names
      += (i ? ",DNS:" : "DNS:") + std::string(200, 'x') + "\x1b[31m\xc3\xa9";
  const auto text = verdict(site, site.pair("server", names));
  CHECK(text.size() < 1500);
  CHECK(text.ends_with(" and 45 more)"));
  CHECK(
    std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }));
}

TEST_CASE("what cannot be a name is refused before anything is sent") {
  const tls_site site;
  const auto client = site.client();
  const std::string with_nul{"time.example\0.evil", 18};
  for (const std::string& host :
       {std::string{}, std::string{"."}, std::string{".example"},
        std::string{"a..b"}, std::string{"a b"}, std::string{"a\nb"},
        std::string{"*.example"}, with_nul, std::string(64, 'a'),
        std::string{"fe80::1%eth0"}, std::string{"192.0.2.1:4460"}}) {
    CAPTURE(host);
    const auto refused = client->connect(host, test_day);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid);
  }
}

TEST_CASE("certificates are judged at the time that is given") {
  const tls_site site;
  const auto pair = site.pair("server", "DNS:time.example",
                              {test_day, test_day + std::chrono::hours{1}});
  CHECK(verdict(site, pair, "time.example", test_day).empty());
  CHECK(verdict(site, pair, "time.example", test_day - std::chrono::hours{24})
        == "the certificate of time.example is valid only from 2027-01-15 (the "
           "time is taken to be 2027-01-14)");
  CHECK(verdict(site, pair, "time.example", test_day + std::chrono::hours{48})
        == "the certificate of time.example expired 2027-01-15 (the time is "
           "taken to be 2027-01-17)");
  CHECK(verdict(site, pair, "time.example", std::chrono::seconds{0})
          .ends_with("(the time is taken to be 1970-01-01)"));
}

TEST_CASE("an issuer out of time is named") {
  const tls_site site;
  const auto old = make_authority(
    "Old Issuer", {test_day - year, test_day + std::chrono::hours{1}},
    &site.authority());
  const auto pair = site.write("server", issue(old, "DNS:time.example"),
                               pem(old.certificate));
  CHECK(verdict(site, pair).empty());
  CHECK(
    verdict(site, pair, "time.example", test_day + std::chrono::hours{24})
    == "the certificate of /CN=Old Issuer, issuer for time.example, expired "
       "2027-01-15 (the time is taken to be 2027-01-16)");
}

TEST_CASE("without a time, all but the time is checked") {
  const tls_site site;
  const validity over{test_day - 2 * year, test_day - year};
  const auto pair = site.pair("server", "DNS:time.example", over);
  CHECK_FALSE(verdict(site, pair).empty());
  CHECK(verdict(site, pair, "time.example", std::nullopt).empty());
  CHECK(verdict(site, pair, "other.example", std::nullopt)
          .starts_with("the name other.example is not in the certificate"));

  const tls_site stranger{"Stranger"};
  const auto unknown
    = site.write("unknown", issue(stranger.authority(), "DNS:time.example"));
  CHECK_FALSE(verdict(site, unknown, "time.example", std::nullopt).empty());

  auto forged = issue(site.authority(), "DNS:time.example", over);
  const auto forger = make_authority("Test Authority");
  sign(forged.certificate.get(), forger);
  CHECK_FALSE(
    verdict(site, site.write("forged", forged), "time.example", std::nullopt)
      .empty());
}

TEST_CASE("an unknown issuer is named, with what can be done") {
  const tls_site site;
  const auto stranger = make_authority("Stranger\n\x1b[31m");
  const auto pair = site.write("server", issue(stranger, "DNS:time.example"));
  CHECK(verdict(site, pair)
        == "the certificate of time.example comes from an unknown issuer, "
           "/CN=Stranger\\x0A\\x1B[31m; if it is yours, name its file in "
           "certificate-authority");
  // The same if it sends its authority along.
  const auto full = site.write("full", issue(stranger, "DNS:time.example"),
                               pem(stranger.certificate));
  CHECK(verdict(site, full).find("from an unknown issuer")
        != std::string::npos);
}

TEST_CASE(
  "an issuer between root and server is used, and may be trusted alone") {
  const tls_site site;
  const auto between = make_authority("Between", {}, &site.authority());
  const auto who = issue(between, "DNS:time.example");
  const auto pair = site.write("full", who, pem(between.certificate));
  CHECK(verdict(site, pair).empty());
  CHECK_FALSE(verdict(site, site.write("leaf", who)).empty());

  overwrite(site / "between.pem", pem(between.certificate));
  const auto client = tls_client::open({{site / "between.pem"}});
  REQUIRE(client);
  CHECK(connection{**client, *serve({pair})}.is_open());
}

TEST_CASE("a self-signed certificate may be named as its own authority") {
  const tls_site site;
  auto self = unsigned_identity("self", {});
  add_extension(self.certificate.get(), NID_subject_alt_name,
                "DNS:time.example");
  sign(self.certificate.get(), self);
  const auto pair = site.write("self", self);
  CHECK(verdict(site, pair).find("from an unknown issuer")
        != std::string::npos);
  const auto client = tls_client::open({{pair.chain}});
  REQUIRE(client);
  CHECK(connection{**client, *serve({pair})}.is_open());
}

TEST_CASE("a certificate for something else than servers is not acceptable") {
  const tls_site site;
  auto who = unsigned_identity("mail", {});
  add_extension(who.certificate.get(), NID_subject_alt_name,
                "DNS:time.example");
  add_extension(who.certificate.get(), NID_ext_key_usage, "emailProtection");
  sign(who.certificate.get(), site.authority());
  CHECK(verdict(site, site.write("mail", who))
          .starts_with("the certificate of time.example is not acceptable: "));
}

TEST_CASE("a file of authorities may hold several, and must hold one") {
  const tls_site site;
  const tls_site other{"Other"};
  overwrite(site / "both.pem", pem(other.authority().certificate)
                                 + "# a comment\n"
                                 + pem(site.authority().certificate));
  const auto client = tls_client::open({{site / "both.pem"}});
  REQUIRE(client);
  const auto server = serve({site.pair("server", "DNS:time.example")});
  CHECK(connection{**client, *server}.is_open());

  const auto complaint = [&](const char* name) {
    const auto refused = tls_client::open({{site / name}});
    REQUIRE_FALSE(refused);
    return refused.error().text;
  };
  overwrite(site / "empty.pem", "");
  CHECK(complaint("empty.pem").ends_with("empty.pem is empty"));
  overwrite(site / "text.pem", "nothing\n");
  CHECK(complaint("text.pem").find("there is no certificate in ")
        != std::string::npos);
  const auto whole = pem(site.authority().certificate);
  overwrite(site / "half.pem", whole + whole.substr(0, whole.size() / 2));
  CHECK(complaint("half.pem").find("certificate 2 of ") != std::string::npos);
  CHECK(complaint("none.pem").ends_with("none.pem: No such file or directory"));
  CHECK(complaint(".").ends_with("Is a directory"));
}

TEST_CASE("no part of a certificate is accepted as the whole") {
  const tls_site site;
  const auto whole = pem(site.authority().certificate);
  // The last two characters may be absent.
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    overwrite(site / "part.pem", whole.substr(0, size));
    CAPTURE(size);
    CHECK_FALSE(read_certificates(site / "part.pem"));
  }
}

TEST_CASE("a client may go before its sessions") {
  const tls_site site;
  const auto server = serve({site.pair("server", "DNS:time.example")});
  auto client = site.client();
  const auto a = connect(*client, "time.example");
  client.reset();
  const auto b = accept(*server);
  converse(*a, *b);
  CHECK(a->state() == tls_state::open);
}

} // namespace concert::platform::testing
