#include "ctl/commands.hpp"
#include "ctl/status.hpp"
#include "tests/ctl/fake_daemon.hpp"
#include "tests/ctl/golden.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

namespace concert::ctl {

namespace {

using manner = fake_daemon::manner;

outcome why(const fake_daemon& daemon, const std::string& source,
            output_form form = output_form::plain) {
  options o;
  o.what = command::why;
  o.form = form;
  o.socket = daemon.path();
  o.source = source;
  return run_why(o);
}

std::string locked() {
  return frame(to_json(samples::locked()));
}

} // namespace

TEST_CASE("why tells each test with its value and limit, and what failed") {
  const fake_daemon daemon{locked(), manner::answers};
  const outcome r = why(daemon, "liar.example.com");
  CHECK(r.code == 0);
  CHECK(r.err.empty());
  CHECK(matches_golden("why-liar", r.out));
}

TEST_CASE("a source may be called by name, address, number or a part of them") {
  const fake_daemon daemon{locked(), manner::answers};
  for (const char* name : {"liar.example.com", "liar.example.com:123",
                           "192.0.2.4", "192.0.2.4:123", "4", "liar"}) {
    const outcome r = why(daemon, name);
    CHECK_MESSAGE(r.code == 0, name);
    CHECK_MESSAGE(r.out.starts_with("liar.example.com (192.0.2.4:123)"), name);
  }
}

TEST_CASE("all remotes of a pool are explained") {
  daemon_status s = samples::locked();
  for (auto& source : s.sources)
    source.name = "pool.example.org:123";
  const fake_daemon daemon{frame(to_json(s)), manner::answers};
  const outcome r = why(daemon, "pool.example.org");
  CHECK(r.code == 0);
  for (const char* part : {"(192.0.2.1:123) is used", "(192.0.2.2:123) is used",
                           "(192.0.2.4:123) is not used"})
    CHECK_MESSAGE(r.out.find(part) != std::string::npos, part);
}

TEST_CASE("a name that several sources could mean lists them") {
  const fake_daemon daemon{locked(), manner::answers};
  const outcome r = why(daemon, "example");
  CHECK(r.code == 1);
  CHECK(r.out.empty());
  CHECK(r.err
        == "ntp-ctl: example may be any of\n"
           "  ntp1.example.net (192.0.2.1:123)\n"
           "  a-rather-long-name.ntp.example.org (192.0.2.3:123)\n"
           "  liar.example.com (192.0.2.4:123)\n");
}

TEST_CASE("a name that no source has lists those there are") {
  const fake_daemon daemon{locked(), manner::answers};
  const outcome r = why(daemon, "nobody\x1b[31m");
  CHECK(r.code == 1);
  CHECK(r.err.starts_with("ntp-ctl: nobody?[31m is no source; there are\n"));
  CHECK(r.err.find("time.cloudflare.com (192.0.2.2:123)") != std::string::npos);
  const fake_daemon lonely{frame(to_json(samples::lonely())), manner::answers};
  CHECK(why(lonely, "x").err == "ntp-ctl: x is no source; there are none\n");
}

TEST_CASE("why as JSON has the tests of the document") {
  const fake_daemon daemon{locked(), manner::answers};
  rapidjson::Document d;
  d.Parse(why(daemon, "liar", output_form::json).out.c_str());
  REQUIRE(d.IsObject());
  const auto& liar = d["sources"][0];
  CHECK(liar["used"].IsFalse());
  CHECK(liar["state"] == "falseticker");
  REQUIRE(liar["tests"].Size() == 6);
  const auto& interval = liar["tests"][3];
  CHECK(interval["name"] == "interval");
  CHECK(interval["passed"].IsFalse());
  CHECK(interval["value"].GetDouble() == 0.29868);
  CHECK(interval["limit"].GetDouble() == 0);
  CHECK(interval["unit"] == "s");
  CHECK(liar["tests"][0]["value"].IsNull());
}

TEST_CASE("why as CSV has a line for each test") {
  const fake_daemon daemon{locked(), manner::answers};
  const std::string text = why(daemon, "liar", output_form::csv).out;
  CHECK(
    text.starts_with("name,address,state,test,passed,value,limit,unit,text\n"
                     "liar.example.com:123,192.0.2.4:123,falseticker,reachable,"
                     "true,,,,answers\n"));
  CHECK(text.find(",majority,true,3,3,sources,3 of 4 usable sources agree\n")
        != std::string::npos);
}

TEST_CASE("a daemon that does not know tests gives its reason alone") {
  const fake_daemon daemon{locked(), manner::answers};
  const outcome r = why(daemon, "ntp1.example.net");
  CHECK(r.out
        == "ntp1.example.net (192.0.2.1:123) is used: agrees with the "
           "majority\n  The daemon does not tell its tests.\n");
}

TEST_CASE("why without a daemon says where it should be") {
  options o;
  o.what = command::why;
  o.socket = "/nonexistent/observe";
  o.source = "x";
  const outcome r = run_why(o);
  CHECK(r.code == 3);
  CHECK(r.err.find("/nonexistent/observe") != std::string::npos);
}

} // namespace concert::ctl
