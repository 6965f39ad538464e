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
    CHECK(o.form == output_form::json);
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

TEST_CASE("a source is added by lines of its table") {
  const options o = parsed({"source", "add", "server", "192.0.2.1", "--persist",
                            "noselect=true", "poll-interval-limits={ min = 4 }",
                            "ntp-version=auto"});
  CHECK(o.what == command::source_add);
  CHECK(o.value
        == "mode = \"server\"\naddress = \"192.0.2.1\"\nnoselect = true\n"
           "poll-interval-limits = { min = 4 }\nntp-version = \"auto\"\n");
  CHECK(o.persist);
  const options m = parsed({"source", "modify", "a:123", "offset=-0.5"});
  CHECK(m.what == command::source_modify);
  CHECK(m.source == "a:123");
  CHECK(m.value == "offset = -0.5\n");
  CHECK(refused({"source", "add", "clock", "a"}) == 2);
  CHECK(refused({"source", "add", "server"}) == 2);
  CHECK(refused({"source", "add", "server", "a", "noselect"}) == 2);
  CHECK(refused({"source", "add", "server", "a", "=1"}) == 2);
  CHECK(refused({"source", "modify", "a"}) == 2);
  CHECK(refused({"source"}) == 2);
}

TEST_CASE("values may be negative or text") {
  CHECK(parsed({"set", "a.b", "info"}).value == "\"info\"");
  CHECK(parsed({"set", "a.b", "[1, 2]"}).value == "[1, 2]");
  CHECK(parsed({"set", "a.b", "-1.5"}).value == "-1.5");
  CHECK(parsed({"set", "a.b", ""}).value == "\"\"");
  CHECK(refused({"set", "a.b"}) == 2);
}

TEST_CASE("changes of sources take one or all") {
  CHECK(parsed({"offline"}).source.empty());
  CHECK(parsed({"online", "a"}).source == "a");
  CHECK(parsed({"burst"}).what == command::burst);
  CHECK(parsed({"makestep"}).what == command::step);
  CHECK(parsed({"force-sync", "-y"}).confirmed);
  CHECK(parsed({"reload", "--discard"}).discard);
  CHECK(parsed({"get"}).key.empty());
  CHECK(refused({"why"}) == 2);
  CHECK(refused({"source", "remove"}) == 2);
}

TEST_CASE("only tables have a form for spreadsheets") {
  CHECK(parsed({"-f", "csv", "sources"}).form == output_form::csv);
  CHECK(parsed({"source", "list", "-f", "csv"}).form == output_form::csv);
  CHECK(refused({"status", "-f", "csv"}) == 2);
  CHECK(parse_options({"watch", "-f", "csv"}).error().text.find("tables")
        != std::string::npos);
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
