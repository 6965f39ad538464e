#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <string>

namespace concert::actors::testing {

namespace {

void check_whole(machine& m) {
  const auto s = m.status();
  CHECK(s.system.state == "synchronized");
  CHECK(s.sources.size() == 3);
  for (const auto& source : s.sources)
    CHECK(source.state == "selected");
  REQUIRE(s.servers.size() == 1);
  CHECK(s.servers[0].listening == true);
  const auto answer = m.ask_server();
  REQUIRE(answer);
  CHECK(answer->reply->leap == ntp::leap_indicator::none);
  CHECK(answer->reply->stratum == 2);
  CHECK(std::abs(answer->offset_s) < 1e-3);
}

} // namespace

TEST_CASE("after any one actor is killed the whole re-forms within two polls") {
  for (const char* kind :
       {"config_manager", "state_keeper", "steering", "publisher", "server",
        "server_worker", "spawner", "source"}) {
    CAPTURE(std::string{kind});
    machine m;
    m.start();
    m.run_for(10min);
    check_whole(m);
    const auto before = m.worst_error(5min);
    const auto count = m.sim().actors(kind).size();
    const auto victim = m.sim().actors(kind).front()->id();
    REQUIRE(m.sim().kill(kind));
    const auto after = m.worst_error(131s);
    CHECK(after < 1.5 * before + 50e-6);
    check_whole(m);
    CHECK(m.clock().done().steps == 1);
    const auto now = m.sim().actors(kind);
    CHECK(now.size() == count);
    for (const auto& actor : now)
      CHECK(actor->id() != victim);
  }
}

TEST_CASE("what was stepped so far counts after a restart of the steering") {
  machine m;
  m.start();
  m.run_for(10min);
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(5));
  m.run_for(2h);
  REQUIRE(m.clock().done().steps == 2);
  const auto before = m.status().system.accumulated_steps_s;
  REQUIRE(before.value_or(0) == doctest::Approx(5).epsilon(0.01));
  REQUIRE(m.sim().kill("steering"));
  m.run_for(10min);
  CHECK(m.status().system.accumulated_steps_s == before);
}

TEST_CASE("an actor that dies again and again is started ever more rarely") {
  machine m;
  m.start();
  m.run_for(10min);
  std::set<caf::actor_id> lives;
  for (int i = 0; i < 600; ++i) {
    for (const auto& actor : m.sim().actors("publisher"))
      lives.insert(actor->id());
    m.sim().kill("publisher");
    m.run_for(100ms);
  }
  CHECK(lives.size() > 3);
  CHECK(lives.size() < 15);
  m.run_for(1min);
  check_whole(m);
}

TEST_CASE("a steering that is killed in a slew leaves the clock at its base "
          "frequency, and the next one does not step") {
  machine m;
  m.start();
  m.run_for(30min);
  m.stop();
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(0.1));
  m.start();
  CHECK(m.run_until(
    10min, [&] { return std::abs(m.clock().correction().ppm()) > 500; }));
  m.run_for(20s);
  const auto before = m.error();
  CHECK(before < 0.095);
  CHECK(before > 0.02);
  m.sim().kill("steering");
  CHECK(m.clock().correction().ppm() == doctest::Approx(-40).epsilon(0.05));
  m.run_for(10s);
  CHECK(m.error() == doctest::Approx(before).epsilon(0.02));
  CHECK(m.run_until(30min, [&] { return std::abs(m.error()) < 1e-3; }));
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("an actor that throws is started again, and harms nobody") {
  machine m;
  m.start();
  m.run_for(10min);
  m.sim().network().out_of_memory = 1;
  const auto before = m.sim().actors("source").size();
  CHECK(m.worst_error(3min) < 1e-3);
  CHECK(m.sim().network().out_of_memory == 0);
  CHECK(m.logged("actor-failed actor=source"));
  CHECK(m.sim().actors("source").size() == before);
  check_whole(m);
}

TEST_CASE("a source that always throws is started ever more rarely") {
  machine m;
  m.start();
  m.run_for(10min);
  constexpr int many = 1'000'000;
  m.sim().network().out_of_memory = many;
  m.run_for(1h);
  CHECK(many - m.sim().network().out_of_memory < 150);
  CHECK(m.state() == "holdover");
  m.sim().network().out_of_memory = 0;
  CHECK(m.run_until(20min, [&] { return m.state() == "synchronized"; }));
  m.run_for(10min);
  check_whole(m);
}

TEST_CASE("a source that is started again does not burst beyond its budget") {
  machine m;
  m.start();
  m.run_for(10min);
  const auto before = m.server(machine::a).asked();
  for (int i = 0; i < 30; ++i) {
    m.sim().kill("source");
    m.run_for(10s);
  }
  CHECK(m.server(machine::a).asked() - before <= 8 + 300 / 64 + 1);
}

} // namespace concert::actors::testing
