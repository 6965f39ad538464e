#include "actors/inspector.hpp"

#include "actors/trace_follower.hpp"
#include "actors/type_name.hpp"
#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

namespace concert::actors::testing {

namespace {

using ctl::control_refusal;
using ctl::control_request;
using ctl::control_verb;

config::control_config with_faults() {
  config::control_config result;
  result.fault_injection = true;
  return result;
}

control_request request_for(control_verb what, std::vector<std::string> actors,
                            std::string value = "") {
  control_request result;
  result.what = what;
  result.actors = std::move(actors);
  result.value = std::move(value);
  return result;
}

ctl::control_answer ask(machine& m, const control_request& request,
                        const config::control_config& config = with_faults()) {
  return inspect(m.sim().world(), config, request);
}

std::vector<ctl::actor_status> actors(machine& m, const char* who) {
  const auto answer = ask(m, request_for(control_verb::actors, {who}));
  if (answer.problem)
    return {};
  const auto read = ctl::read_actors(answer.result);
  REQUIRE(read);
  CHECK(read->enabled);
  return read->actors;
}

ctl::control_answer inject(machine& m, const char* who, const char* value) {
  return ask(m, request_for(control_verb::inject, {who}, value));
}

/// What a trace follower said to one connection.
struct connection {
  bool open = true;
  std::vector<ctl::traced_message> lines;
  std::vector<ctl::control_refusal> refusals;
  std::vector<trace_follower_actor> followers;

  answer_sink sink() {
    return [this](const ctl::control_answer& a) {
      if (a.problem)
        refusals.push_back(a.problem->why);
      else
        lines.push_back(ctl::read_traced_message(a.result).value());
      return open;
    };
  }
};

/// Starts a trace as the publisher does.
void follow(machine& m, connection& to, std::vector<std::string> who) {
  auto publisher
    = caf::actor_cast<caf::actor>(m.sim().actors("publisher").front());
  to.followers.push_back(spawn_actor<trace_follower>(
    publisher.home_system(), m.sim().world(),
    request_for(control_verb::trace, std::move(who)), to.sink()));
  m.sim().settle();
}

} // namespace

TEST_CASE("the inspector tells what each actor is and has done") {
  machine m;
  m.start();
  m.run_for(10min);
  const auto steering = actors(m, "steering");
  REQUIRE(steering.size() == 1);
  const auto& s = steering.front();
  CHECK(s.kind == "steering");
  CHECK(s.placement == "pool");
  CHECK(s.handled > 30);
  CHECK(s.mailbox_depth == 0);
  CHECK(s.handling.empty());
  CHECK(std::any_of(s.messages.begin(), s.messages.end(), [](const auto& t) {
    return t.type == "source_report" && t.handled > 10;
  }));
  CHECK(actors(m, "192.0.2.1:123").size() == 2); // the spawner and its source
  CHECK(actors(m, std::to_string(s.id).c_str()).size() == 1);
  CHECK(actors(m, "nobody").empty());
}

TEST_CASE("a mailbox that is filled on purpose shows, and empties") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(!inject(m, "steering", "fill 1000").problem);
  CHECK(actors(m, "steering").front().mailbox_depth == 1000);
  m.run_for(5min);
  CHECK(actors(m, "steering").front().mailbox_depth == 0);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("an actor that is killed on purpose is started again") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(!inject(m, "steering", "kill").problem);
  m.run_for(10min);
  const auto s = actors(m, "steering");
  REQUIRE(s.size() == 1);
  CHECK(s.front().restarts == 1);
  CHECK(s.front().last_error.find("on purpose") != std::string::npos);
  CHECK(m.state() == "synchronized");
  CHECK(m.logged("actor-failed"));
  CHECK(m.logged("fault-injected"));
}

TEST_CASE("a handler that is held up on purpose shows as the slowest") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(!inject(m, "steering", "stick 20ms").problem);
  m.sim().settle();
  const auto s = actors(m, "steering").front();
  const auto slow = std::max_element(
    s.messages.begin(), s.messages.end(),
    [](const auto& a, const auto& b) { return a.slowest_s < b.slowest_s; });
  CHECK(slow->type == "harmless");
  CHECK(slow->slowest_s >= 0.02);
}

TEST_CASE("faults are refused where they are not allowed or make no sense") {
  machine m;
  m.start();
  const auto why = [](const ctl::control_answer& a) { return a.problem->why; };
  const auto kill = request_for(control_verb::inject, {"steering"}, "kill");
  CHECK(why(ask(m, kill, {})) == control_refusal::not_now);
  CHECK(why(inject(m, "nobody", "kill")) == control_refusal::not_found);
  for (const char* value :
       {"", "kill 3", "stick", "stick -1s", "stick 61s", "fill", "fill 0",
        "fill 100001", "fill 1x", "drown"}) {
    CAPTURE(value);
    CHECK(why(inject(m, "steering", value)) == control_refusal::invalid);
  }
  CHECK(why(ask(m, request_for(control_verb::inject, {}, "kill")))
        == control_refusal::invalid);
}

TEST_CASE(
  "the map has every kind of actor, and every message that it handles") {
  machine m;
  m.start();
  m.run_for(10min);
  std::map<std::string, std::set<std::string>> map;
  for (const auto& i : interface_map())
    for (const auto& [message, answer] : i.messages)
      map[i.kind].insert(message);
  CHECK(map.at("steering").contains("source_report"));
  for (const auto& stats : m.sim().world().registry().list()) {
    CAPTURE(stats->who.kind);
    CHECK(map.contains(stats->who.kind));
  }
  const auto answer = ask(m, request_for(control_verb::interface_map, {}));
  REQUIRE(!answer.problem);
  CHECK(ctl::read_interfaces(answer.result)->size() == interface_map().size());
}

TEST_CASE("answers stand in the map beside their requests") {
  const auto all = interface_map();
  const auto it = std::find_if(all.begin(), all.end(), [](const auto& i) {
    return i.kind == "publisher";
  });
  REQUIRE(it != all.end());
  const std::pair<std::string, std::string> pair{"get_document", "document"};
  CHECK(std::count(it->messages.begin(), it->messages.end(), pair) == 1);
}

TEST_CASE("a trace is sent as it happens, until its reader is gone") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(10min);
  connection c;
  follow(m, c, {"steering"});
  REQUIRE(c.lines.size() == 1); // says that it is on
  m.run_for(5min);
  CHECK(std::any_of(c.lines.begin(), c.lines.end(), [](const auto& l) {
    return l.sender_kind == "source" && l.sender_name == "192.0.2.1:123"
           && l.receiver_kind == "steering" && l.type == "source_report"
           && l.lost == 0;
  }));
  for (const auto& l : c.lines)
    CHECK((l.receiver == 0 || l.receiver_kind == "steering"));
  c.open = false;
  m.run_for(1min);
  CHECK(m.sim().actors("trace_follower").empty());
  const auto count = c.lines.size();
  m.run_for(5min);
  CHECK(c.lines.size() == count);
}

TEST_CASE("a reader who is gone is noticed though nothing happens") {
  machine m;
  m.start();
  m.run_for(1min);
  connection c;
  follow(m, c, {"state_keeper"});
  c.open = false;
  m.run_for(5s);
  CHECK(m.sim().actors("trace_follower").empty());
}

TEST_CASE("a fifth trace is refused, and one of nobody") {
  machine m;
  m.start();
  m.run_for(1min);
  connection c;
  for (int i = 0; i < 4; ++i)
    follow(m, c, {});
  CHECK(c.refusals.empty());
  follow(m, c, {});
  CHECK(c.refusals == std::vector{control_refusal::busy});
  follow(m, c, {"nobody"});
  CHECK(c.refusals.back() == control_refusal::not_found);
  c.open = false;
  m.run_for(5s);
  c = {};
  follow(m, c, {});
  CHECK(c.refusals.empty());
}

TEST_CASE("types are named without their namespaces") {
  CHECK(type_name(typeid(ntp::source_report)) == "source_report");
  CHECK(type_name(typeid(caf::down_msg)) == "down_msg");
  CHECK(type_name(typeid(std::vector<ntp::source_id>))
        == "vector<source_id, allocator<source_id> >");
}

} // namespace concert::actors::testing
