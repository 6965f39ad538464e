#include "ctl/check.hpp"

#include "ctl/status.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

namespace concert::ctl {

namespace {

observation seen(const daemon_status& status) {
  return read_observation(to_json(status)).value();
}

} // namespace

TEST_CASE("a synchronized clock within its limits is in order") {
  const observation o = seen(samples::locked());
  const check_limits limits{0.05, 0.1};
  const auto r = check(o, limits);
  CHECK(r.level == verdict::ok);
  CHECK(check_line(r, o, limits)
        == "NTP OK: 23.0 us slow of the agreed time, +/- 85.0 us; at most "
           "2.42 ms wrong | max_error=0.00242s;0.05;0.1;0 "
           "estimated_error=8.5e-05s;;;0 offset=2.3e-05s "
           "selected_sources=3;;;0\n");
}

TEST_CASE("a clock beyond a limit warns, then is critical") {
  const observation o = seen(samples::locked());
  CHECK(check(o, {0.001, 0.1}).level == verdict::warning);
  CHECK(check(o, {0.001, 0.002}).level == verdict::critical);
  CHECK(check(o, {std::nullopt, 0.00242}).level == verdict::ok);
}

TEST_CASE("a clock that is not synchronized is critical, holdover a warning") {
  CHECK(check(seen(samples::lonely()), {{}, 100}).level == verdict::critical);
  CHECK(check(seen(samples::holdover()), {{}, 1}).level == verdict::warning);
  CHECK(check(seen(samples::holdover()), {{}, 0.01}).level
        == verdict::critical);
  CHECK(check(seen(samples::starting()), {{}, 100}).level == verdict::warning);
}

TEST_CASE("a daemon that does not tell its error is unknown") {
  const observation o;
  const auto r = check(o, {});
  CHECK(r.level == verdict::unknown);
  CHECK(check_line(r, o, {})
        == "NTP UNKNOWN: the daemon does not tell its error\n");
}

TEST_CASE("a certificate warns before it ends and is critical after") {
  daemon_status s = samples::nts();
  s.nts_ke_servers.resize(1);
  auto& certificates = s.nts_ke_servers[0].certificates;
  const check_limits limits{{}, 1};
  const auto now_critical = check(seen(s), limits);
  CHECK(now_critical.level == verdict::critical);
  CHECK(now_critical.sentence.starts_with(
    "the certificate /etc/concert/tls/older.pem expired 3 h ago; 23.0 us "
    "slow"));
  certificates.pop_back();
  const auto soon = check(seen(s), limits);
  CHECK(soon.level == verdict::warning);
  CHECK(soon.sentence.starts_with("the certificate /etc/concert/tls/old.pem "
                                  "expires in 5 d"));
  certificates.pop_back();
  CHECK(check(seen(s), limits).level == verdict::ok);
}

TEST_CASE("the worse of clock and certificates comes first") {
  daemon_status s = samples::nts();
  s.nts_ke_servers[0].certificates.pop_back();
  const auto r = check(seen(s), {{}, 0.002});
  CHECK(r.level == verdict::critical);
  CHECK(r.sentence.starts_with("the clock may be"));
  CHECK(r.sentence.ends_with("expires in 5 d"));
}

TEST_CASE("a bar in a reason does not end the sentence") {
  daemon_status s = samples::lonely();
  s.system.state_reason = "a|b";
  const observation o = seen(s);
  const std::string line = check_line(check(o, {}), o, {});
  CHECK(line.find("a/b") != std::string::npos);
}

TEST_CASE("the judgement as JSON has the exit code") {
  const observation o = seen(samples::locked());
  const check_limits limits{std::nullopt, 0.1};
  rapidjson::Document d;
  d.Parse(check_json(check(o, limits), o, limits).c_str());
  REQUIRE(d.IsObject());
  CHECK(d["level"] == "OK");
  CHECK(d["exit_code"].GetInt() == 0);
  CHECK(d["warning_limit"].IsNull());
  CHECK(d["critical_limit"].GetDouble() == 0.1);
}

TEST_CASE("too few sources and too high a stratum warn if they shall") {
  const auto o = read_observation(to_json(samples::locked())).value();
  check_limits limits;
  limits.min_sources = o.system.selected_sources.value();
  limits.max_stratum = o.system.stratum.value();
  CHECK(check(o, limits).level == verdict::ok);
  ++*limits.min_sources;
  CHECK(check(o, limits).level == verdict::warning);
  CHECK(check_line(check(o, limits), o, limits).find("selected_sources=3;4:;;0")
        != std::string::npos);
  limits.min_sources.reset();
  --*limits.max_stratum;
  CHECK(check(o, limits).level == verdict::warning);
  CHECK(check(o, limits).sentence.find("stratum") != std::string::npos);
}

} // namespace concert::ctl
