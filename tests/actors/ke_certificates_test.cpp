#include "actors/ke_certificates.hpp"

#include "platform/log.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>

#include <filesystem>

namespace concert::actors {

namespace {

using platform::testing::issue;
using platform::testing::overwrite;
using platform::testing::tls_site;

struct fixture {
  fixture() { platform::log::set_level(platform::log::level::none); }
  ~fixture() { platform::log::set_level(platform::log::level::info); }

  /// Sets the files of a pair, whether they exist or not.
  void set_files(const std::string& name) {
    certificates.set_files(
      {{site / (name + ".pem"), site / (name + "-key.pem")}});
  }

  std::string shown() const {
    const auto all = certificates.status();
    return all.size() == 1 && all[0].names.size() == 1 ? all[0].names[0] : "";
  }

  tls_site site;
  int loads = 0;
  ke_certificates certificates{[this](auto files) {
                                 ++loads;
                                 return platform::tls_server::load(files);
                               },
                               "test"};
};

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "certificates are loaded once their files are there") {
  set_files("server");
  CHECK_FALSE(certificates.current());
  CHECK(certificates.problem().find("server.pem") != std::string::npos);
  CHECK(certificates.status().empty());
  CHECK(loads == 1);
  certificates.look();
  CHECK(loads == 1);

  site.pair("server", "DNS:one.example");
  certificates.look();
  CHECK(loads == 2);
  REQUIRE(certificates.current());
  CHECK(certificates.problem().empty());
  CHECK(shown() == "one.example");
  CHECK(certificates.status()[0].file == (site / "server.pem").string());
  CHECK(certificates.status()[0].not_after
        == platform::testing::test_day + platform::testing::year);
  certificates.look();
  set_files("server");
  CHECK(loads == 2);
  certificates.load();
  CHECK(loads == 3);
}

TEST_CASE_FIXTURE(fixture, "files that are no good leave the earlier ones") {
  site.pair("server", "DNS:one.example");
  set_files("server");
  const auto first = certificates.current();
  REQUIRE(first);

  overwrite(site / "server.pem", "nothing");
  certificates.look();
  CHECK(certificates.current() == first);
  CHECK(certificates.problem().find("server.pem") != std::string::npos);
  CHECK(shown() == "one.example");
  const int tried = loads;
  certificates.look();
  CHECK(loads == tried);

  // A certificate without the key that belongs to it.
  overwrite(site / "server.pem",
            platform::testing::pem(
              issue(site.authority(), "DNS:two.example").certificate));
  certificates.look();
  CHECK(certificates.current() == first);
  CHECK_FALSE(certificates.problem().empty());

  site.pair("server", "DNS:two.example");
  certificates.look();
  CHECK(shown() == "two.example");
  CHECK(certificates.problem().empty());
}

TEST_CASE_FIXTURE(fixture, "other files take the place of those that were") {
  site.pair("one", "DNS:one.example");
  site.pair("two", "DNS:two.example");
  set_files("one");
  set_files("two");
  CHECK(shown() == "two.example");
  set_files("three");
  CHECK(shown() == "two.example");
  CHECK(certificates.problem().find("three.pem") != std::string::npos);
}

} // namespace concert::actors
