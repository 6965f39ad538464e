#include "tools/ntp_sim/daemon_file.hpp"

#include <doctest/doctest.h>

namespace concert::sim {

namespace {

config::daemon_config read(const sim::scenario& s) {
  const auto text = sim::daemon_file(s, "/nowhere/state");
  REQUIRE(text);
  const auto parsed = config::parse(*text, "ntp.toml");
  REQUIRE(parsed);
  return parsed->config;
}

sim::scenario two_servers() {
  sim::scenario s;
  s.min_poll = 0;
  s.max_poll = 1;
  s.world.servers.resize(2);
  s.world.servers[0].address = "10.0.0.1";
  s.world.servers[1].address = "2001:db8::1";
  return s;
}

} // namespace

TEST_CASE("the daemon is told of each server and of the poll limits") {
  const auto c = read(two_servers());
  REQUIRE(c.sources.size() == 2);
  CHECK(c.sources[0].address.host == "10.0.0.1");
  CHECK(c.sources[1].address.host == "2001:db8::1");
  CHECK(c.sources[1].min_poll == 0);
  CHECK(c.sources[1].max_poll == 1);
  CHECK(c.state_file == "/nowhere/state");
}

TEST_CASE("what the scenario says lies over what is made") {
  auto s = two_servers();
  s.config = "max-error = 0.25\n[[source]]\nmode = \"server\"\n"
             "address = \"10.0.0.9\"\n";
  const auto c = read(s);
  CHECK(c.steering.max_error_s == 0.25);
  CHECK(c.sources.size() == 3);
  CHECK(c.sources[0].max_poll == 1);
}

TEST_CASE("a scenario may bring all its sources itself") {
  auto s = two_servers();
  s.sources = false;
  s.config = "[[source]]\nmode = \"pool\"\naddress = \"pool.test\"\n";
  const auto c = read(s);
  REQUIRE(c.sources.size() == 1);
  CHECK(c.sources[0].mode == config::source_mode::pool);
}

} // namespace concert::sim
