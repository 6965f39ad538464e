#include "ctl/options.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

namespace {

options parsed(const std::vector<std::string>& arguments) {
  const auto o = parse_options(arguments);
  INFO((o ? "" : o.error().text));
  REQUIRE(o.has_value());
  return *o;
}

int refused(const std::vector<std::string>& arguments) {
  const auto o = parse_options(arguments);
  REQUIRE_FALSE(o.has_value());
  CHECK_FALSE(o.error().text.empty());
  return o.error().code;
}

} // namespace

TEST_CASE("options stand before or after the command") {
  for (const auto& arguments :
       {std::vector<std::string>{"-f", "json", "-s", "/s", "sources"},
        std::vector<std::string>{"sources", "--format=json", "--socket",
                                 "/s"}}) {
    const options o = parsed(arguments);
    CHECK(o.what == command::sources);
    CHECK(o.json);
    CHECK(o.socket.value() == "/s");
    CHECK_FALSE(o.config.has_value());
  }
}

TEST_CASE("chronyc's names for commands are understood") {
  CHECK(parsed({"sourcestats"}).what == command::sources);
  CHECK(parsed({"waitsync"}).what == command::wait_sync);
  CHECK(parsed({"authdata"}).what == command::nts);
  CHECK(parsed({"tracking"}).what == command::tracking);
}

TEST_CASE("limits are lengths of time") {
  const options c = parsed({"check", "--max-error", "100ms", "--warn", "50us"});
  CHECK(c.limits.critical_s == doctest::Approx(0.1));
  CHECK(c.limits.warning_s.value() == doctest::Approx(50e-6));
  CHECK_FALSE(parsed({"check"}).limits.warning_s.has_value());
  CHECK(parsed({"check"}).limits.critical_s == 1);
  const options w = parsed({"wait-sync", "--max-error=2", "--timeout", "3min"});
  CHECK(w.max_error_s == 2);
  CHECK(w.timeout_s == 180);
  const options v = parsed({"watch", "--count", "3", "--interval", "500ms"});
  CHECK(v.count == 3);
  CHECK(v.interval_s == 0.5);
  CHECK(parsed({"validate", "--strict", "-c", "x"}).strict);
}

TEST_CASE("what cannot be understood is code 2, for a plug-in unknown") {
  CHECK(refused({}) == 2);
  CHECK(refused({"stat"}) == 2);
  CHECK(refused({"status", "--colour"}) == 2);
  CHECK(refused({"status", "-f", "xml"}) == 2);
  CHECK(refused({"status", "sources"}) == 2);
  CHECK(refused({"wait-sync", "--timeout", "soon"}) == 2);
  CHECK(refused({"watch", "--count", "-1"}) == 2);
  CHECK(refused({"check", "--max-error", "big"}) == 3);
  CHECK(refused({"check", "--max-err"}) == 3);
}

TEST_CASE("help and version succeed") {
  const auto version = parse_options({"-V"});
  CHECK(version.error().code == 0);
  CHECK(version.error().text == "ntp-ctl " CONCERT_VERSION "\n");
  const auto help = parse_options({"--help"});
  CHECK(help.error().code == 0);
  CHECK(help.error().text.find("wait-sync") != std::string::npos);
  CHECK(parse_options({"check", "-h"}).error().text.find("--max-error")
        != std::string::npos);
}

} // namespace concert::ctl
