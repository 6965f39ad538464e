#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

namespace concert::actors::testing {

TEST_CASE("actors killed at random never move the clock wrongly, and the whole "
          "re-forms") {
  constexpr std::array kinds{"config_manager", "state_keeper", "steering",
                             "publisher",      "server",       "server_worker",
                             "spawner",        "source"};
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    machine m{seed};
    seeded_random chance{seed};
    m.start();
    m.run_for(30min);
    double worst = 0;
    for (int i = 0; i < 60; ++i) {
      const auto all = m.sim().actors(kinds[chance.next() % kinds.size()]);
      if (!all.empty())
        caf::anon_send_exit(all[chance.next() % all.size()],
                            caf::exit_reason::kill);
      // Sometimes before anybody could handle anything.
      if (chance.next() % 4 != 0)
        m.run_for(ntp::nanoseconds_of(40 * chance.uniform()));
      worst = std::max(worst, std::abs(m.error()));
    }
    CHECK(worst < 1e-3);
    CHECK(m.worst_error(20min) < 1e-3);
    const auto s = m.status();
    CHECK(s.system.state == "synchronized");
    CHECK(s.sources.size() == 3);
    CHECK(m.clock().done().steps == 1);
    const auto answer = m.ask_server();
    REQUIRE(answer);
    CHECK(std::abs(answer->offset_s) < 1e-3);
    m.stop();
    CHECK_FALSE(m.sim().is_running());
  }
}

TEST_CASE("a reload and a shutdown among deaths end well") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    machine m{seed};
    seeded_random chance{seed};
    m.start();
    m.run_for(5min);
    for (const char* kind : {"server", "spawner", "config_manager", "steering"})
      for (const auto& actor : m.sim().actors(kind))
        if (chance.next() % 2 == 0)
          caf::anon_send_exit(actor, caf::exit_reason::kill);
    m.reload(server_source(machine::a));
    m.run_for(1min);
    m.reload(machine::usual_config());
    m.run_for(5min);
    CHECK(m.source_addresses().size() == 3);
    CHECK(m.ask_server());
    for (const auto& actor : m.sim().actors("steering"))
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    m.stop();
    CHECK_FALSE(m.sim().is_running());
    CHECK(m.sim().exit_code() == 0);
    CHECK(std::abs(m.clock().correction().ppm() + 40) < 20);
  }
}

} // namespace concert::actors::testing
