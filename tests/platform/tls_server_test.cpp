#include "platform/tls_server.hpp"

#include "platform/privileges.hpp"
#include "platform/sanitizers.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace concert::platform::testing {

namespace {

namespace fs = std::filesystem;

/// Whether a client that wants `host` is content with what the server shows.
bool shows(const tls_server& server, const tls_client& client,
           const std::string& host) {
  return connection{client, server, host}.is_open();
}

std::string complaint(const certificate_files& pair) {
  const auto refused = tls_server::load({{pair}});
  REQUIRE_FALSE(refused);
  return refused.error().text;
}

} // namespace

TEST_CASE("the name that a client asks for chooses the certificate") {
  const tls_site site;
  const auto server
    = serve({site.pair("first", "DNS:*.pool.example,IP:192.0.2.1"),
             site.pair("second", "DNS:b.example,DNS:c.other"),
             site.pair("third", "DNS:*.pool.other")});
  const auto client = site.client();
  for (const char* host :
       {"a.pool.example", "B.example", "c.other", "d.pool.other"}) {
    CAPTURE(host);
    CHECK(shows(*server, *client, host));
  }
  // No name is sent for an address, so that it gets the first.
  CHECK(shows(*server, *client, "192.0.2.1"));
  const connection none{*client, *server, "a.b.pool.other"};
  CHECK(none.client->failure().text
        == "the name a.b.pool.other is not in the certificate (it has "
           "*.pool.example, 192.0.2.1)");
}

TEST_CASE("an exact name goes before a wildcard") {
  const tls_site site;
  const tls_site other{"Other"};
  const auto exact = issue(other.authority(), "DNS:b.pool.example");
  const auto server = serve(
    {site.pair("first", "DNS:*.pool.example"), site.write("second", exact)});
  CHECK(shows(*server, *other.client(), "b.pool.example"));
  CHECK(shows(*server, *site.client(), "a.pool.example"));
}

TEST_CASE("what a server shows can be looked up, an expired certificate too") {
  const tls_site site;
  const validity over{test_day - 2 * year, test_day - year};
  const std::vector pairs{
    site.pair("first", "DNS:a.example,IP:2001:db8::1,email:x@a.example", over),
    site.pair("second", "")};
  const auto server = serve(pairs);
  const auto& infos = server->certificates();
  REQUIRE(infos.size() == 2);
  CHECK(infos[0].file == pairs[0].chain);
  CHECK(infos[0].names == std::vector<std::string>{"a.example", "2001:db8::1"});
  CHECK(infos[0].not_before == over.from);
  CHECK(infos[0].not_after == over.until);
  CHECK(infos[1].names.empty());
  CHECK(infos[1].not_after == test_day + year);
}

TEST_CASE("what cannot be loaded is named, with the reason") {
  const tls_site site;
  const auto good = site.pair("good", "DNS:a.example");
  const auto other = site.pair("other", "DNS:b.example");
  CHECK(complaint({good.chain, other.private_key})
        == "the private key " + other.private_key.string()
             + " does not belong to the first certificate in "
             + good.chain.string());
  CHECK(complaint({site / "none.pem", good.private_key})
        == "cannot read the certificate file " + (site / "none.pem").string()
             + ": No such file or directory");
  CHECK(complaint({good.chain, site / "none.pem"})
        == "cannot read the private key " + (site / "none.pem").string()
             + ": No such file or directory");
  // The files in each other's place.
  CHECK(complaint({good.private_key, good.chain})
        == "there is no certificate in " + good.private_key.string()
             + ": it must be a PEM file");
  CHECK(complaint({good.chain, good.chain})
        == "cannot use the private key " + good.chain.string()
             + ": there is none: it must be a PEM file");
  const auto bad = site / "bad.pem";
  overwrite(bad, "");
  CHECK(complaint({bad, good.private_key})
        == "the certificate file " + bad.string() + " is empty");
  CHECK(complaint({good.chain, bad})
        == "the private key " + bad.string() + " is empty");
  overwrite(bad, std::string(3 << 20, '\n'));
  CHECK(complaint({bad, good.private_key}).ends_with("is longer than 1 MiB"));
  overwrite(bad, "-----BEGIN CERTIFICATE-----\nAAAA\n"
                 "-----END CERTIFICATE-----\n");
  CHECK(complaint({bad, good.private_key})
          .starts_with("certificate 1 of " + bad.string() + " is damaged: "));
  CHECK_FALSE(tls_server::load({}));
}

TEST_CASE("a key with a passphrase is refused, and nobody is asked") {
  const tls_site site;
  const auto who = issue(site.authority(), "DNS:a.example");
  const auto pair = site.write("server", who);
  overwrite(pair.private_key, pem(who.key, "secret"));
  CHECK(complaint(pair)
        == "cannot use the private key " + pair.private_key.string()
             + ": its passphrase can be entered by nobody: keep it without "
               "one");
}

TEST_CASE("a key too weak for TLS is refused by name") {
  const tls_site site;
  auto weak = unsigned_identity("weak", {});
  weak.key.reset(EVP_RSA_gen(1024));
  X509_set_pubkey(weak.certificate.get(), weak.key.get());
  sign(weak.certificate.get(), weak);
  const auto pair = site.write("weak", weak);
  CHECK(complaint(pair)
        == "cannot use the certificate " + pair.chain.string()
             + ": ee key too small");
}

TEST_CASE("whatever a pair of files holds, loading ends") {
  const tls_site site;
  const auto pair = site.pair("server", "DNS:a.example");
  for (const auto* file : {&pair.chain, &pair.private_key}) {
    const auto whole = contents(*file);
    // The last two characters may be absent.
    for (std::size_t at = 0; at + 2 < whole.size(); at += 3) {
      auto text = whole;
      text[at] = static_cast<char>(text[at] ^ 0x11);
      overwrite(*file, text);
      // Some changes are to be found only by the peer, in the signature.
      if (const auto loaded = tls_server::load({{pair}}); !loaded)
        CHECK(loaded.error().text.find(".pem") != std::string::npos);
      overwrite(*file, whole.substr(0, at));
      CHECK_FALSE(tls_server::load({{pair}}));
    }
    overwrite(*file, whole);
  }
  CHECK(tls_server::load({{pair}}));
}

TEST_CASE("without permission, the commands that give it are named") {
  if (geteuid() != 0 || thread_sanitizer) {
    MESSAGE("skipped: needs root and a process with one thread");
    return;
  }
  const tls_site site;
  const auto pair = site.pair("server", "DNS:a.example");
  // As programs that renew certificates arrange it: links into a closed folder.
  fs::create_directory(site / "closed");
  fs::rename(pair.private_key, site / "closed/key.pem");
  fs::create_symlink("closed/key.pem", pair.private_key);
  chmod((site / ".").c_str(), 0755);
  chmod((site / "closed").c_str(), 0700);
  chmod((site / "closed/key.pem").c_str(), 0600);

  const auto said_to_nobody = [&](const std::string& wanted) {
    return in_child([&] {
             if (!keep_only("nobody", {}))
               return 1;
             const auto refused = tls_server::load({{pair}});
             return !refused && refused.error().code == errc::permission
                        && refused.error().text
                             == "cannot read the private key "
                                  + pair.private_key.string()
                                  + ": Permission denied; let the daemon's "
                                    "group read it: "
                                  + wanted
                      ? 0
                      : 2;
           })
           == 0;
  };
  const auto folder = (site / "closed").string();
  CHECK(said_to_nobody("chgrp nogroup " + folder + " && chmod g+x " + folder));
  chmod(folder.c_str(), 0711);
  const auto key = folder + "/key.pem";
  CHECK(said_to_nobody("chgrp nogroup " + key + " && chmod g+r " + key));
  CHECK(chown(key.c_str(), 0, 65534) == 0);
  chmod(key.c_str(), 0640);
  CHECK_FALSE(said_to_nobody(""));
  CHECK(in_child([&] {
          return keep_only("nobody", {}) && tls_server::load({{pair}}) ? 0 : 1;
        })
        == 0);
}

TEST_CASE("that files have changed is seen without reading them") {
  const tls_site site;
  const std::vector pairs{site.pair("server", "DNS:a.example")};
  const auto server = serve(pairs);
  CHECK(stamps_of(pairs) == server->stamps());

  // Replaced by another file of the same size, as `mv` does it.
  const auto& key = pairs[0].private_key;
  const auto text = contents(key);
  overwrite(site / "new", text);
  fs::rename(site / "new", key);
  const auto replaced = stamps_of(pairs);
  CHECK(replaced != server->stamps());
  CHECK(replaced == stamps_of(pairs));

  overwrite(key, text + "\n");
  const auto longer = stamps_of(pairs);
  CHECK(longer != replaced);

  fs::remove(key);
  const auto gone = stamps_of(pairs);
  CHECK(gone != longer);
  CHECK(gone[1] == file_stamp{});
  CHECK(gone[0] == server->stamps()[0]);
}

TEST_CASE("a session keeps the certificate that it began with over a reload") {
  const tls_site site;
  const std::vector pairs{site.pair("server", "DNS:old.example")};
  auto server = serve(pairs);
  const auto client = site.client();
  const connection open{*client, *server, "old.example"};
  const auto half = accept(*server);
  const auto asking = connect(*client, "old.example");

  site.pair("server", "DNS:new.example");
  server = serve(pairs);
  CHECK(shows(*server, *client, "new.example"));
  CHECK_FALSE(shows(*server, *client, "old.example"));

  converse(*asking, *half);
  CHECK(half->state() == tls_state::open);
  CHECK(open.client->write(octets("request")));
  converse(*open.client, *open.server);
  CHECK(text_of(open.server->read()) == "request");
}

TEST_CASE("the script for a try-out authority makes what both sides take") {
  const temporary_folder folder;
  const auto dir = (folder / "ca").string();
  const auto script = "tools/try-ca " + dir;
  const auto run = [](const std::string& command) {
    // NOLINTNEXTLINE(cert-env33-c): it is a script that is tested
    return std::system((command + " >/dev/null 2>&1").c_str());
  };
  REQUIRE(run(script + " time.example '*.pool.example' 192.0.2.1 2001:db8::1")
          == 0);
  const std::vector<certificate_files> pairs{
    {dir + "/server.pem", dir + "/server-key.pem"}};
  const auto server = serve(pairs);
  CHECK(server->certificates()[0].names
        == std::vector<std::string>{"time.example", "*.pool.example",
                                    "192.0.2.1", "2001:db8::1"});
  const auto client = tls_client::open({{dir + "/ca.pem"}});
  REQUIRE(client);
  const auto now = server->certificates()[0].not_before;
  for (const char* host : {"time.example", "a.pool.example", "192.0.2.1"})
    CHECK(connection{**client, *server, host, now}.is_open());
  CHECK((fs::status(pairs[0].private_key).permissions() & fs::perms::all)
        == fs::perms{0600});

  const auto before = stamps_of(pairs);
  CHECK(run(script + " other.example") != 0);
  CHECK(stamps_of(pairs) == before);
  CHECK(run("tools/try-ca " + (folder / "b").string() + " 'a,IP:192.0.2.9'")
        != 0);
  CHECK(run("tools/try-ca " + (folder / "b").string()) != 0);
  CHECK_FALSE(fs::exists(folder / "b"));
}

} // namespace concert::platform::testing
