#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::actors::testing {

namespace {

std::uint64_t handled(const actor_stats& stats, const std::type_info& type) {
  for (const auto& slot : stats.types)
    if (slot.type.load() != nullptr && *slot.type.load() == type)
      return slot.handled.load();
  return 0;
}

} // namespace

TEST_CASE("every living actor is listed, with nothing left in its mailbox") {
  machine m;
  m.start();
  m.run_for(10min);
  const auto all = m.sim().world().registry().list();
  const auto count = [&](std::string_view kind) {
    return std::count_if(all.begin(), all.end(),
                         [&](const auto& s) { return s->kind == kind; });
  };
  CHECK(all.size() == 13);
  for (const char* kind : {"supervisor", "config_manager", "state_keeper",
                           "steering", "publisher", "server", "server_worker"})
    CHECK(count(kind) == 1);
  CHECK(count("spawner") == 3);
  CHECK(count("source") == 3);
  for (const auto& stats : all) {
    CAPTURE(stats->kind);
    CHECK(stats->mailbox_depth() == 0);
    CHECK((stats->handled > 0 || stats->kind == "supervisor"));
    CHECK(stats->in_handler == nullptr);
  }
}

TEST_CASE("messages are counted by their type") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(10min);
  for (const auto& stats : m.sim().world().registry().list()) {
    if (stats->kind == "steering") {
      CHECK(handled(*stats, typeid(source_announcement)) == 1);
      CHECK(handled(*stats, typeid(wiring)) == 1);
      CHECK(handled(*stats, typeid(ntp::source_report))
            >= m.server(machine::a).asked());
    } else if (stats->kind == "spawner") {
      CHECK(handled(*stats, typeid(resolved)) == 1);
    }
  }
}

TEST_CASE("a step of the clock is told to every source") {
  machine m;
  m.start();
  m.run_for(10min);
  REQUIRE(m.clock().done().steps == 1);
  for (const auto& stats : m.sim().world().registry().list())
    if (stats->kind == "source")
      CHECK(handled(*stats, typeid(clock_stepped)) == 1);
}

TEST_CASE("a mailbox that is not emptied shows") {
  machine m;
  m.start();
  m.run_for(1min);
  const auto steering = m.sim().actors("steering").front();
  for (int i = 0; i < 5; ++i)
    caf::anon_send(caf::actor_cast<steering_actor>(steering), deadline{});
  const auto list = m.sim().world().registry().list();
  const auto it = std::find_if(list.begin(), list.end(), [](const auto& s) {
    return s->kind == "steering";
  });
  REQUIRE(it != list.end());
  CHECK((*it)->mailbox_depth() == 5);
  m.sim().settle();
  CHECK((*it)->mailbox_depth() == 0);
}

TEST_CASE("a trace shows who told whom what") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(10min);
  trace_ring ring{1000};
  m.sim().world().registry().trace("steering", &ring);
  m.run_for(5min);
  m.sim().world().registry().trace("", nullptr);
  const auto entries = ring.read();
  const auto source = m.sim().actors("source").front()->id();
  const auto steering = m.sim().actors("steering").front()->id();
  CHECK(std::any_of(entries.begin(), entries.end(), [&](const auto& e) {
    return e.sender == source && e.receiver == steering
           && *e.type == typeid(ntp::source_report);
  }));
  for (const auto& e : entries)
    CHECK(e.receiver == steering);
  const auto count = entries.size();
  m.run_for(5min);
  CHECK(ring.read().size() == count);
}

TEST_CASE("a trace keeps the newest") {
  trace_ring ring{3};
  for (std::uint64_t i = 1; i <= 5; ++i)
    ring.append({.at = {}, .sender = i});
  const auto kept = ring.read();
  REQUIRE(kept.size() == 3);
  CHECK(kept.front().sender == 3);
  CHECK(kept.back().sender == 5);
}

TEST_CASE("an actor that ended is not listed") {
  machine m;
  m.start();
  m.run_for(1min);
  const auto id = m.sim().actors("source").front()->id();
  m.sim().kill("source");
  const auto list = m.sim().world().registry().list();
  CHECK(std::none_of(list.begin(), list.end(),
                     [&](const auto& s) { return s->id == id; }));
}

} // namespace concert::actors::testing
