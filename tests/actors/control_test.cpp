// What is asked at the control socket, in virtual time.

#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <memory>

namespace concert::actors::testing {

namespace {

using ctl::control_refusal;
using ctl::control_verb;
using addresses = std::vector<std::string>;

ctl::control_answer ask(machine& m, const ctl::control_request& request) {
  auto given = std::make_shared<std::optional<ctl::control_answer>>();
  const auto path = m.state_file().parent_path() / "control";
  REQUIRE(m.sim().world().control(
    path.string(),
    {request, {4711, 4711, 12, true}, [given](const ctl::control_answer& a) {
       *given = a;
       return true;
     }}));
  m.run_for(1s);
  REQUIRE(*given);
  return **given;
}

ctl::control_request wish(control_verb what, const std::string& key = "",
                          const std::string& value = "") {
  ctl::control_request r;
  r.what = what;
  r.key = key;
  r.value = value;
  return r;
}

ctl::control_request about(control_verb what, const std::string& source,
                           const std::string& value = "") {
  auto r = wish(what, "", value);
  r.source = source;
  return r;
}

control_refusal why_not(const ctl::control_answer& a) {
  REQUIRE(a.problem);
  CHECK_FALSE(a.problem->text.empty());
  return a.problem->why;
}

bool done(const ctl::control_answer& a) {
  if (a.problem)
    MESSAGE(a.problem->text);
  return !a.problem && !a.result.empty();
}

bool contains(const ctl::control_answer& a, std::string_view what) {
  return a.result.find(what) != std::string::npos;
}

constexpr auto agreeing = "synchronization.minimum-agreeing-sources";

std::string kept_in(const machine& m) {
  return "[control]\nruntime-path = \""
         + (m.state_file().parent_path() / "runtime.toml").string() + "\"\n";
}

} // namespace

TEST_CASE("whoever asks is told who answers and whether it may change things") {
  machine m;
  m.start();
  CHECK(ask(m, wish(control_verb::hello)).result
        == R"({"program":"ntp-daemon","version":")"
             + std::string{m.status().program.version}
             + R"(","protocol":1,"rights":true})");
  CHECK(contains(ask(m, wish(control_verb::status)), "\"system\""));
}

TEST_CASE("a threshold is changed while the daemon runs, and back") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(m.status().system.required_sources == 2);
  const auto changed = ask(m, wish(control_verb::set, agreeing, "3"));
  CHECK(done(changed));
  CHECK(contains(changed, "\"to\":\"3\""));
  CHECK(contains(changed, "\"persisted\":false"));
  CHECK(m.status().system.required_sources == 3);
  CHECK(contains(ask(m, wish(control_verb::get, agreeing)), "\"value\":\"3\""));
  CHECK(contains(ask(m, wish(control_verb::diff)), agreeing));
  CHECK(m.logged("config-changed uid=4711 pid=12 request=set key=\""
                 + std::string{agreeing}));
  CHECK_FALSE(m.logged("config-reloaded"));
  CHECK(done(ask(m, wish(control_verb::unset, agreeing))));
  CHECK(m.status().system.required_sources == 2);
  CHECK(ask(m, wish(control_verb::diff)).result == R"({"changes":[]})");
}

TEST_CASE("what would not be valid changes nothing and says why") {
  machine m;
  m.start();
  m.run_for(10min);
  for (const auto& r :
       {wish(control_verb::set, agreeing, "-2"),
        wish(control_verb::set, agreeing, "= ["),
        wish(control_verb::set, "synchronization.minimum-agreing", "2"),
        wish(control_verb::source_add, "", "mode = \"server\""),
        about(control_verb::source_modify, machine::a, "noselekt = true")}) {
    CAPTURE(r.value);
    CHECK(why_not(ask(m, r)) == control_refusal::invalid);
  }
  CHECK(why_not(ask(m, about(control_verb::source_remove, "192.0.2.77")))
        == control_refusal::not_found);
  CHECK(why_not(ask(m, wish(control_verb::get, "no.such")))
        == control_refusal::not_found);
  CHECK(why_not(ask(m, about(control_verb::burst, "192.0.2.77")))
        == control_refusal::not_found);
  CHECK(m.logged("config-change-refused uid=4711 pid=12"));
  CHECK(ask(m, wish(control_verb::diff)).result == R"({"changes":[]})");
  CHECK(m.worst_error(5min) < 1e-3);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("a source is added, selected and removed; the others go on") {
  machine m;
  m.start(server_source(machine::a) + server_source(machine::b));
  m.run_for(10min);
  const auto asked = m.server(machine::a).asked();
  CHECK(done(ask(m, wish(control_verb::source_add, "",
                         "mode = \"server\"\naddress = \"192.0.2.3\""))));
  const auto listed = ask(m, wish(control_verb::source_list));
  CHECK(contains(listed, "\"source\":\"192.0.2.3:123\""));
  CHECK(contains(listed, "\"origin\":\"runtime\""));
  CHECK(contains(listed, "\"origin\":\"file\""));
  CHECK(m.server(machine::a).asked() <= asked + 1);
  m.run_for(3min);
  CHECK(m.source_state(machine::c) == "selected");
  CHECK(done(ask(m, about(control_verb::burst, machine::c))));
  CHECK(done(ask(m, about(control_verb::source_remove, machine::c))));
  CHECK(m.source_addresses() == addresses{machine::a, machine::b});
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("run-time changes outlive the configuration manager and a reload") {
  machine m;
  m.start();
  m.run_for(10min);
  REQUIRE(done(ask(m, wish(control_verb::set, agreeing, "3"))));
  REQUIRE(m.sim().kill("config_manager"));
  m.run_for(1s);
  CHECK(contains(ask(m, wish(control_verb::diff)), agreeing));
  m.reload(machine::usual_config());
  CHECK(m.status().system.required_sources == 3);
  auto forget = wish(control_verb::reload);
  forget.discard = true;
  CHECK(done(ask(m, forget)));
  CHECK(m.status().system.required_sources == 2);
}

TEST_CASE(
  "a reload of files that are not valid is refused and forgets nothing") {
  machine m;
  m.start();
  m.run_for(1min);
  REQUIRE(done(ask(m, wish(control_verb::set, agreeing, "3"))));
  m.write_config("[sorce]\n");
  auto forget = wish(control_verb::reload);
  CHECK(why_not(ask(m, forget)) == control_refusal::invalid);
  forget.discard = true;
  CHECK(why_not(ask(m, forget)) == control_refusal::invalid);
  m.write_config(machine::usual_config());
  CHECK(done(ask(m, wish(control_verb::reload))));
  CHECK(m.status().system.required_sources == 3);
}

TEST_CASE("what is persisted is there after a restart of the daemon") {
  machine m;
  const auto config = kept_in(m) + machine::usual_config();
  m.start(config);
  m.run_for(1min);
  REQUIRE(done(ask(m, wish(control_verb::set, agreeing, "3"))));
  CHECK(contains(ask(m, wish(control_verb::reload)),
                 "\"pending\":[\"" + std::string{agreeing} + "\"]"));
  const auto kept = ask(m, wish(control_verb::persist));
  CHECK(contains(kept, "\"persisted\":true"));
  CHECK(contains(kept, agreeing));
  CHECK(ask(m, wish(control_verb::persist)).result
        == R"({"kept":[],"persisted":true})");
  CHECK(std::filesystem::exists(m.state_file().parent_path() / "runtime.toml"));
  m.stop();
  m.start(config);
  m.run_for(1min);
  CHECK(m.status().system.required_sources == 3);
}

TEST_CASE("where nothing can be written nothing is lost") {
  machine m;
  m.start("[control]\nruntime-path = \"/nonexistent/runtime.toml\"\n"
          + machine::usual_config());
  m.run_for(1min);
  REQUIRE(done(ask(m, wish(control_verb::set, agreeing, "3"))));
  CHECK(why_not(ask(m, wish(control_verb::persist)))
        == control_refusal::failed);
  auto kept = wish(control_verb::set, agreeing, "1");
  kept.persist = true;
  CHECK(why_not(ask(m, kept)) == control_refusal::failed);
  CHECK(m.status().system.required_sources == 3);
}

TEST_CASE("the log's level changes while the daemon runs") {
  machine m;
  m.start();
  CHECK_FALSE(platform::log::enabled(platform::log::level::debug));
  REQUIRE(done(
    ask(m, wish(control_verb::set, "observability.log-level", "\"debug\""))));
  CHECK(platform::log::enabled(platform::log::level::debug));
  platform::log::set_level(platform::log::level::info);
}

} // namespace concert::actors::testing
