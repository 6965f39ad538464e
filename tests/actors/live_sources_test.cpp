#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::actors::testing {

namespace {

std::string with_c(const std::string& more) {
  return server_source(machine::a) + server_source(machine::b)
         + server_source(machine::c, more);
}

const ctl::observed_source* find(const ctl::observation& all,
                                 const std::string& address) {
  for (const auto& s : all.sources)
    if (s.address == address + ":123")
      return &s;
  return nullptr;
}

} // namespace

TEST_CASE("a source that changes goes on with its samples, as do the others") {
  machine m;
  m.start(with_c(""));
  m.run_for(30min);
  const auto before = m.status();
  m.reload(with_c("noselect = true\noffset = 0.001\n"
                  "poll-interval-limits = { min = 5, max = 5 }\n"));
  m.run_for(1min);
  const auto after = m.status();
  for (const auto* address : {machine::a, machine::b, machine::c}) {
    const auto* was = find(before, address);
    const auto* is = find(after, address);
    REQUIRE(was);
    REQUIRE(is);
    CHECK(is->id == was->id);
    CHECK(is->reachability == 255);
    CHECK(is->requests >= was->requests);
  }
  const auto* changed = find(after, machine::c);
  CHECK(changed->state == "candidate");
  CHECK(changed->poll == 5);
  CHECK(changed->offset_s.value_or(0) == doctest::Approx(0.001).epsilon(0.2));
  CHECK(m.worst_error(10min) < 1e-3);
  m.reload(with_c(""));
  CHECK(m.source_state(machine::c) == "selected");
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("a source taken offline is not asked, and is there again at once") {
  machine m;
  m.start(with_c(""));
  m.run_for(30min);
  m.reload(with_c("offline = true\n"));
  const auto asked = m.server(machine::c).asked();
  m.run_for(1h);
  CHECK(m.server(machine::c).asked() == asked);
  CHECK(m.state() == "synchronized");
  const auto seen = m.status();
  REQUIRE(find(seen, machine::c));
  CHECK(find(seen, machine::c)->reachability == 255);
  CHECK(find(seen, machine::c)->state_reason.find("a person has said so")
        != std::string::npos);
  m.reload(with_c(""));
  m.run_for(10s);
  CHECK(m.server(machine::c).asked() > asked);
  CHECK(m.source_state(machine::c) == "selected");
}

TEST_CASE("with all sources offline the clock says so and stays honest") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(30min);
  m.reload(server_source(machine::a, "offline = true\n"));
  CHECK(m.state() == "offline");
  m.run_for(1h);
  CHECK(std::abs(m.error()) < *m.status().system.max_error_s);
  m.reload(server_source(machine::a));
  m.run_for(1min);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("a name that is offline is not looked up before it is online") {
  machine m;
  const std::string name = "pool.example.org";
  m.sim().network().name(name).addresses = {
    *ntp::ip_address::parse(machine::b), *ntp::ip_address::parse(machine::c)};
  m.start(server_source(machine::a) + pool_source(name, 2, "offline = true\n"));
  m.run_for(10min);
  CHECK(m.sim().network().lookups(name).empty());
  CHECK(m.source_addresses() == std::vector<std::string>{machine::a});
  m.reload(server_source(machine::a) + pool_source(name, 2));
  m.run_for(1min);
  CHECK(m.source_addresses().size() == 3);
}

TEST_CASE("a pool that grows or shrinks keeps its oldest members") {
  machine m;
  const std::string name = "pool.example.org";
  m.sim().network().name(name).addresses
    = {*ntp::ip_address::parse(machine::a), *ntp::ip_address::parse(machine::b),
       *ntp::ip_address::parse(machine::c)};
  m.start(pool_source(name, 3));
  m.run_for(10min);
  const auto before = m.status().sources;
  REQUIRE(before.size() == 3);
  m.reload(pool_source(name, 1));
  const auto left = m.status().sources;
  REQUIRE(left.size() == 1);
  CHECK(std::ranges::any_of(before,
                            [&](const auto& s) { return s.id == left[0].id; }));
  CHECK(left[0].reachability == 255);
  CHECK(m.sim().actors("spawner").size() == 1);
  m.reload(pool_source(name, 2));
  m.run_for(1min);
  const auto after = m.status().sources;
  REQUIRE(after.size() == 2);
  CHECK(std::ranges::any_of(after,
                            [&](const auto& s) { return s.id == left[0].id; }));
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("a burst asks at once, and as long as there are tokens") {
  machine m;
  m.start();
  m.run_for(30min);
  const auto before = m.server(machine::a).asked();
  REQUIRE(m.sim().tell<spawner_actor>("spawner", burst_wanted{}));
  m.run_for(10s);
  CHECK(m.server(machine::a).asked() >= before + 4);
  CHECK(m.logged("source-burst"));
  for (int i = 0; i < 4; ++i) {
    REQUIRE(m.sim().tell<spawner_actor>("spawner", burst_wanted{}));
    m.run_for(10s);
  }
  CHECK(m.server(machine::a).asked() <= before + 11);
  CHECK(m.logged("polls=0"));
}

TEST_CASE("a person's step that is not worth it says so, and changes nothing") {
  machine m;
  m.start();
  m.run_for(30min);
  REQUIRE(
    m.sim().tell<steering_actor>("steering", step_wanted{"uid 0 pid 123"}));
  m.run_for(1s);
  CHECK(m.logged("step-wanted who=\"uid 0 pid 123\""));
  CHECK(m.logged("step-refused who=\"uid 0 pid 123\""));
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("force-sync ends a panic with one step, and tells who wanted it") {
  machine m;
  m.start();
  m.run_for(30min);
  for (const auto* address : {machine::a, machine::b, machine::c})
    m.server(address).error_s = 3000;
  REQUIRE(m.run_until(2h, [&] { return m.state() == "panic"; }));
  REQUIRE(
    m.sim().tell<steering_actor>("steering", force_sync{"uid 0 pid 123"}));
  CHECK(m.run_until(1h, [&] { return m.clock().done().steps == 2; }));
  CHECK(m.logged("step-done who=\"uid 0 pid 123\""));
  CHECK(m.run_until(1h, [&] { return m.state() == "synchronized"; }));
  CHECK(std::abs(m.error() - 3000) < 1);
}

} // namespace concert::actors::testing
