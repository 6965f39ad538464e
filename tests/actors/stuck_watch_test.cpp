#include "actors/stuck_watch.hpp"

#include "actors/messages.hpp"
#include "platform/log.hpp"
#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <thread>

namespace concert::actors::testing {

namespace {

/// The log of one test.
class log_file {
public:
  log_file() { REQUIRE(platform::log::to_file(folder_.path() / "log")); }

  std::size_t count(std::string_view what) const {
    std::ifstream in{folder_.path() / "log"};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    std::size_t result = 0;
    for (auto at = text.find(what); at != std::string::npos;
         at = text.find(what, at + 1))
      ++result;
    return result;
  }

private:
  scratch folder_;
};

} // namespace

TEST_CASE("a handler that hangs is told once, and once more when it goes on") {
  const log_file log;
  actor_registry registry;
  const auto actor = registry.add({.id = 7, .kind = "k", .name = "n"});
  stuck_watch watch{watched::all_but_control};
  stuck_watch of_others{watched::control};
  {
    actor->on_enqueue();
    const actor_stats::handling_scope scope{*actor, &typeid(ping), 0};
    watch.look(registry);
    CHECK(log.count("actor-stuck") == 0);
    std::this_thread::sleep_for(stuck_watch::longest_handling + 50ms);
    of_others.look(registry);
    CHECK(log.count("actor-stuck") == 0);
    watch.look(registry);
    watch.look(registry);
    CHECK(log.count("actor-stuck actor=k name=\"n\" message=ping") == 1);
  }
  watch.look(registry);
  watch.look(registry);
  CHECK(log.count("actor-goes-on actor=k") == 1);
}

TEST_CASE("a mailbox that fills is told once, and once more when it is empty") {
  const log_file log;
  actor_registry registry;
  const auto actor
    = registry.add({.id = 7, .kind = "publisher", .placement = "control"});
  stuck_watch watch{watched::control};
  for (std::uint64_t i = 0; i < stuck_watch::deepest_mailbox; ++i)
    actor->on_enqueue();
  watch.look(registry);
  watch.look(registry);
  CHECK(log.count("mailbox-fills actor=publisher") == 1);
  { const actor_stats::handling_scope scope{*actor, &typeid(ping), 0}; }
  watch.look(registry);
  watch.look(registry);
  CHECK(log.count("mailbox-emptied actor=publisher") == 1);
}

} // namespace concert::actors::testing
