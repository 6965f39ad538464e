#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <thread>
#include <utility>

namespace concert::actors::testing {

namespace {

std::uint64_t handled(const actor_stats& stats, const std::type_info& type) {
  for (const auto& slot : stats.types)
    if (slot.type.load() != nullptr && *slot.type.load() == type)
      return slot.handled.load();
  return 0;
}

std::shared_ptr<const actor_stats> find(machine& m, std::string_view kind) {
  const auto list = m.sim().world().registry().list();
  const auto it = std::find_if(list.begin(), list.end(), [&](const auto& s) {
    return s->who.kind == kind;
  });
  REQUIRE(it != list.end());
  return *it;
}

std::uint64_t sum(const duration_counts& counts) {
  const auto all = counts.read();
  return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
}

std::vector<trace_entry> drained(actor_registry::trace& trace) {
  std::vector<trace_entry> result;
  while (const auto entry = trace.take())
    result.push_back(*entry);
  return result;
}

} // namespace

TEST_CASE("every living actor is listed, with nothing left in its mailbox") {
  machine m;
  m.start();
  m.run_for(10min);
  const auto all = m.sim().world().registry().list();
  const auto count = [&](std::string_view kind) {
    return std::count_if(all.begin(), all.end(),
                         [&](const auto& s) { return s->who.kind == kind; });
  };
  CHECK(all.size() == 14);
  for (const char* kind :
       {"supervisor", "config_manager", "state_keeper", "steering", "publisher",
        "recorder", "server", "server_worker"})
    CHECK(count(kind) == 1);
  CHECK(count("spawner") == 3);
  CHECK(count("source") == 3);
  for (const auto& stats : all) {
    CAPTURE(stats->who.kind);
    CHECK(stats->mailbox_depth() == 0);
    CHECK(stats->handling().type == nullptr);
  }
}

TEST_CASE("an actor's parent is the one that started it") {
  machine m;
  m.start();
  m.run_for(1min);
  const auto root = find(m, "supervisor");
  CHECK(root->who.parent == 0);
  CHECK(find(m, "steering")->who.parent == root->who.id);
  const auto all = m.sim().world().registry().list();
  for (const auto& stats : all) {
    if (stats->who.kind != "source")
      continue;
    const auto parent
      = std::find_if(all.begin(), all.end(), [&](const auto& s) {
          return s->who.id == stats->who.parent;
        });
    REQUIRE(parent != all.end());
    CHECK((*parent)->who.kind == "spawner");
  }
}

TEST_CASE("messages are counted by their type") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(10min);
  const auto steering = find(m, "steering");
  CHECK(handled(*steering, typeid(source_announcement)) == 1);
  CHECK(handled(*steering, typeid(wiring)) == 1);
  CHECK(handled(*steering, typeid(ntp::source_report))
        >= m.server(machine::a).asked());
  CHECK(handled(*find(m, "spawner"), typeid(resolved)) == 1);
}

TEST_CASE("what does not come in masses is timed, each message of it") {
  actor_stats stats{{.id = 1, .kind = "k"}, true};
  for (int i = 0; i < 10; ++i) {
    stats.on_enqueue();
    const actor_stats::handling_scope scope{stats, &typeid(ping), 0};
  }
  CHECK(sum(stats.wait) == 10);
  CHECK(sum(stats.handling_time) == 10);
}

TEST_CASE("of a busy actor's messages one in 64 is timed") {
  actor_stats stats{{.id = 1, .kind = "k"}, true};
  for (int i = 0; i < 64'000; ++i) {
    stats.on_enqueue();
    const actor_stats::handling_scope scope{stats, &typeid(ping), 0};
  }
  // Unless the machine stood still for long, again and again.
  CHECK(sum(stats.handling_time) < 20'000);
  CHECK(sum(stats.handling_time) >= 1000);
  CHECK(stats.handled() == 64'000);
}

TEST_CASE("durations are counted by powers of two of 256 ns") {
  duration_counts counts;
  for (const auto d : {0ns, 255ns, 256ns, 511ns, 512ns})
    counts.add(d);
  counts.add(24h);
  const auto all = counts.read();
  CHECK(all[0] == 2);
  CHECK(all[1] == 2);
  CHECK(all[2] == 1);
  CHECK(all.back() == 1);
}

TEST_CASE("types beyond the places for them are counted together") {
  actor_stats stats{{.id = 1, .kind = "k"}, true};
  const auto handle = [&](const std::type_info& type) {
    const actor_stats::handling_scope scope{stats, &type, 0};
  };
  const auto many = [&]<std::size_t... I>(std::index_sequence<I...>) {
    (handle(typeid(std::array<int, I + 1>)), ...);
  };
  many(std::make_index_sequence<30>{});
  CHECK(handled(stats, typeid(std::array<int, 1>)) == 1);
  CHECK(handled(stats, typeid(other_types)) == 30 - 19);
}

TEST_CASE("a step of the clock is told to every source") {
  machine m;
  m.start();
  m.run_for(10min);
  REQUIRE(m.clock().done().steps == 1);
  for (const auto& stats : m.sim().world().registry().list())
    if (stats->who.kind == "source")
      CHECK(handled(*stats, typeid(clock_stepped)) == 1);
}

TEST_CASE("a mailbox that is not emptied shows") {
  machine m;
  m.start();
  m.run_for(1min);
  const auto steering = m.sim().actors("steering").front();
  for (int i = 0; i < 5; ++i)
    caf::anon_send(caf::actor_cast<steering_actor>(steering), deadline{});
  CHECK(find(m, "steering")->mailbox_depth() == 5);
  m.sim().settle();
  CHECK(find(m, "steering")->mailbox_depth() == 0);
}

TEST_CASE("what an actor has in its hands shows, and since when") {
  actor_stats stats{{.id = 1, .kind = "k"}, true};
  stats.on_enqueue();
  const auto before = actor_stats::clock::now();
  {
    const actor_stats::handling_scope scope{stats, &typeid(ping), 0};
    const auto held = stats.handling();
    REQUIRE(held.type != nullptr);
    CHECK(*held.type == typeid(ping));
    CHECK(held.since >= before);
    CHECK(held.since <= actor_stats::clock::now());
    CHECK(stats.mailbox_depth() == 0);
  }
  CHECK(stats.handling().type == nullptr);
}

TEST_CASE("an actor that rests inside a handler does not hang, and its rest is "
          "not counted") {
  actor_stats stats{{.id = 1, .kind = "k"}, true};
  stats.on_enqueue();
  {
    const actor_stats::handling_scope scope{stats, &typeid(ping), 0};
    const auto before = actor_stats::clock::now();
    {
      const actor_stats::resting_scope rest{stats};
      CHECK(stats.handling().type == nullptr);
      CHECK(stats.mailbox_depth() == 0);
      std::this_thread::sleep_for(300ms);
    }
    REQUIRE(stats.handling().type != nullptr);
    CHECK(stats.handling().since >= before + 300ms);
  }
  const auto counts = stats.handling_time.read();
  // None of 268 ms or more.
  CHECK(std::all_of(counts.begin() + 21, counts.end(),
                    [](auto n) { return n == 0; }));
  CHECK(sum(stats.handling_time) == 1);
}

TEST_CASE("a trace shows who told whom what") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(10min);
  auto trace = m.sim().world().registry().start_trace({"steering"});
  REQUIRE(trace);
  m.run_for(5min);
  const auto entries = drained(*trace);
  const auto source = m.sim().actors("source").front()->id();
  const auto steering = m.sim().actors("steering").front()->id();
  CHECK(std::any_of(entries.begin(), entries.end(), [&](const auto& e) {
    return e.sender == source && e.receiver == steering
           && *e.type == typeid(ntp::source_report) && e.wait >= 0ns;
  }));
  for (const auto& e : entries)
    CHECK(e.receiver == steering);
}

TEST_CASE("actors that start later are traced too") {
  machine m;
  m.start(server_source(machine::a));
  m.run_for(1min);
  auto trace = m.sim().world().registry().start_trace({"source"});
  REQUIRE(trace);
  m.sim().kill("source");
  m.run_for(5min);
  const auto later = m.sim().actors("source").front()->id();
  const auto entries = drained(*trace);
  CHECK(std::any_of(entries.begin(), entries.end(),
                    [&](const auto& e) { return e.receiver == later; }));
}

TEST_CASE("there are four traces at most, and each can end") {
  actor_registry registry;
  const auto actor = registry.add({.id = 7, .kind = "k"});
  std::vector<std::unique_ptr<actor_registry::trace>> traces(4);
  for (auto& t : traces)
    t = registry.start_trace({});
  CHECK(registry.start_trace({}) == nullptr);
  const auto handle = [&] {
    const actor_stats::handling_scope scope{*actor, &typeid(ping), 3};
  };
  handle();
  for (const auto& t : traces)
    CHECK(drained(*t).size() == 1);
  handle();
  traces.pop_back();
  traces.push_back(registry.start_trace({"7"}));
  REQUIRE(traces.back());
  CHECK(drained(*traces.back()).empty());
  CHECK(drained(*traces.front()).size() == 1);
}

TEST_CASE("a trace that nobody reads keeps the oldest and counts the others") {
  trace_ring ring{4};
  for (std::uint64_t i = 1; i <= 6; ++i)
    ring.append({.at = {}, .sender = i});
  CHECK(ring.lost() == 2);
  for (std::uint64_t i = 1; i <= 4; ++i)
    CHECK(ring.take()->sender == i);
  CHECK(!ring.take());
  ring.append({.at = {}, .sender = 9});
  CHECK(ring.take()->sender == 9);
}

TEST_CASE("many threads can write to one trace") {
  constexpr std::uint64_t each = 20'000;
  trace_ring ring{256};
  std::vector<std::thread> writers;
  for (std::uint64_t w = 1; w <= 3; ++w)
    writers.emplace_back([&ring, w] {
      for (std::uint64_t i = 1; i <= each; ++i)
        ring.append({.at = {}, .sender = w, .receiver = i});
    });
  std::array<std::uint64_t, 4> last{};
  std::uint64_t taken = 0;
  const auto take_all = [&] {
    while (const auto e = ring.take()) {
      CHECK(e->receiver > last.at(e->sender));
      last.at(e->sender) = e->receiver;
      ++taken;
    }
  };
  while (taken + ring.lost() < 3 * each)
    take_all();
  for (auto& w : writers)
    w.join();
  CHECK(taken + ring.lost() == 3 * each);
}

TEST_CASE("who takes the place of an actor that failed knows of it") {
  machine m;
  m.start();
  m.run_for(1min);
  CHECK(find(m, "publisher")->restarts == 0);
  m.sim().kill("publisher");
  m.run_for(1s);
  CHECK(find(m, "publisher")->restarts == 1);
  CHECK(find(m, "publisher")->last_error().find("kill") != std::string::npos);
  m.sim().kill("publisher");
  m.run_for(1min);
  CHECK(find(m, "publisher")->restarts == 2);
  CHECK(find(m, "steering")->restarts == 0);
}

TEST_CASE("an actor that ended is not listed") {
  machine m;
  m.start();
  m.run_for(1min);
  const auto id = m.sim().actors("source").front()->id();
  m.sim().kill("source");
  const auto list = m.sim().world().registry().list();
  CHECK(std::none_of(list.begin(), list.end(),
                     [&](const auto& s) { return s->who.id == id; }));
}

TEST_CASE("without statistics only who the actors are is known") {
  machine m;
  m.sim().world().registry().keep_statistics(false);
  m.start();
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  const auto steering = find(m, "steering");
  CHECK(steering->who.parent == find(m, "supervisor")->who.id);
  CHECK(steering->handled() == 0);
  CHECK(steering->mailbox_depth() == 0);
  CHECK(sum(steering->handling_time) == 0);
}

} // namespace concert::actors::testing
