#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

namespace concert::actors::testing {

namespace {

using addresses = std::vector<std::string>;

} // namespace

TEST_CASE("a reload adds and removes sources and leaves the others alone") {
  machine m;
  m.start(server_source(machine::a) + server_source(machine::b));
  m.run_for(10min);
  const auto asked = m.server(machine::a).asked();
  m.reload(server_source(machine::a) + server_source(machine::c));
  CHECK(m.source_addresses() == addresses{machine::a, machine::c});
  CHECK(m.server(machine::a).asked() <= asked + 1);
  m.run_for(3min);
  CHECK(m.state() == "synchronized");
  CHECK(m.source_state(machine::c) == "selected");
  CHECK(m.sim().actors("source").size() == 2);
  CHECK(m.sim().actors("spawner").size() == 2);
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("a reload of a bad file is refused, and everything goes on") {
  machine m;
  m.start();
  m.run_for(10min);
  m.reload("[[source]]\nmode = \"server\"\n");
  CHECK(m.logged("config-refused"));
  CHECK(m.logged("config-kept"));
  CHECK(m.source_addresses() == addresses{machine::a, machine::b, machine::c});
  CHECK(m.worst_error(10min) < 1e-3);
  CHECK(m.state() == "synchronized");
  m.reload(server_source(machine::a));
  CHECK(m.source_addresses() == addresses{machine::a});
}

TEST_CASE("a reload moves the server to another address") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(m.ask_server());
  const std::string sources = server_source(machine::a)
                              + server_source(machine::b)
                              + server_source(machine::c);
  m.reload(sources + "[[server]]\nlisten = \"10.0.0.2:1123\"\n");
  CHECK_FALSE(m.ask_server());
  const auto query = m.sim().network().ask("10.0.0.2:1123", machine::client);
  m.run_for(1s);
  REQUIRE(query->reply);
  CHECK(query->reply->stratum == 2);
  REQUIRE(m.status().servers.size() == 1);
  CHECK(m.status().servers[0].address == "10.0.0.2:1123");
  m.reload(sources);
  CHECK(m.status().servers.empty());
}

TEST_CASE("a reload changes who may ask the server") {
  machine m;
  m.start();
  m.run_for(10min);
  REQUIRE(m.ask_server());
  m.reload(machine::usual_config()
           + "denylist = { filter = [\"198.51.100.0/24\"], "
             "action = \"deny\" }\n");
  const auto answer = m.ask_server();
  REQUIRE(answer);
  CHECK(answer->reply->stratum == 0);
  CHECK(answer->reply->reference_id == ntp::code_of("DENY"));
}

TEST_CASE("a port in use is tried again, and the status says so") {
  machine m;
  m.sim().network().ports_in_use = true;
  m.start();
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  REQUIRE(m.status().servers.size() == 1);
  CHECK(m.status().servers[0].listening == false);
  CHECK(m.status().servers[0].problem
        == "cannot bind 10.0.0.2:123: Address already in use");
  m.sim().network().ports_in_use = false;
  m.run_for(65s);
  CHECK(m.status().servers[0].listening == true);
  CHECK(m.status().servers[0].problem.empty());
  CHECK(m.ask_server());
}

TEST_CASE("limits of the steering change with a reload") {
  machine m;
  m.start();
  m.run_for(10min);
  CHECK(m.status().system.required_sources == 2);
  m.reload("[synchronization]\nminimum-agreeing-sources = 3\n"
           + machine::usual_config());
  CHECK(m.status().system.required_sources == 3);
}

} // namespace concert::actors::testing
