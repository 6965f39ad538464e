#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::actors::testing {

TEST_CASE("a wrong clock locks to the majority of three servers by one step") {
  machine d;
  d.server(machine::c).error_s = 0.3;
  d.start();
  CHECK(d.error() == doctest::Approx(0.25).epsilon(1e-6));
  d.run_for(2min);
  CHECK(d.state() == "synchronized");
  CHECK(d.source_state(machine::a) == "selected");
  CHECK(d.source_state(machine::b) == "selected");
  CHECK(d.source_state(machine::c) == "falseticker");
  CHECK(d.clock().done().steps == 1);
  CHECK(d.clock().done().last_step_s == doctest::Approx(-0.25).epsilon(0.01));
  CHECK(d.worst_error(1h) < 1e-3);
  CHECK(d.clock().done().steps == 1);
  CHECK(std::abs(d.error()) < 200e-6);
  CHECK(d.clock().correction().ppm() == doctest::Approx(-40).epsilon(0.05));
}

TEST_CASE("the document shows the clock's true error and its bound") {
  machine d;
  d.start();
  d.run_for(10min);
  const auto s = d.status();
  CHECK(s.clock.kind == "virtual");
  REQUIRE(s.clock.true_error_s);
  CHECK(*s.clock.true_error_s == doctest::Approx(d.error()).epsilon(0.01));
  REQUIRE(s.system.max_error_s);
  CHECK(std::abs(d.error()) < *s.system.max_error_s);
  CHECK(*s.system.max_error_s < 20e-3);
}

TEST_CASE("the kernel's status says that the clock is right, and how much") {
  machine d;
  d.start();
  CHECK(d.clock().done().statuses == 0);
  d.run_for(10min);
  CHECK(d.clock().status().synchronized);
  CHECK(d.clock().status().leap == ntp::leap_indicator::none);
  CHECK(d.clock().status().max_error_s < 20e-3);
  CHECK(d.clock().status().max_error_s > std::abs(d.error()));
}

TEST_CASE("our own clients get the right time once we have it") {
  machine d;
  d.start();
  auto early = d.sim().network().ask(machine::listen, machine::client);
  d.run_for(50ms);
  REQUIRE(early->reply);
  CHECK(early->reply->leap == ntp::leap_indicator::unsynchronized);
  d.run_for(10min);
  const auto answer = d.ask_server();
  REQUIRE(answer);
  CHECK(answer->reply->leap == ntp::leap_indicator::none);
  CHECK(answer->reply->stratum == 2);
  CHECK(std::abs(answer->offset_s) < 1e-3);
  REQUIRE(d.status().servers.size() == 1);
  CHECK(d.status().servers[0].stats["accepted_packets"] == 2);
}

TEST_CASE("the same seed gives the same history, another one another") {
  const auto history = [](std::uint64_t seed) {
    machine d{seed};
    d.sim().network().path(machine::a).loss = 0.2;
    d.start();
    d.run_for(1h);
    return d.sim().world().trace();
  };
  const auto first = history(1);
  CHECK(history(1) == first);
  CHECK(history(2) != first);
}

TEST_CASE("lossy and asymmetric paths spoil nothing but accuracy") {
  machine d;
  for (const auto* address : {machine::a, machine::b, machine::c}) {
    auto& path = d.sim().network().path(address);
    path.loss = 0.3;
    path.forward_s += 2e-3;
    path.jitter_s = 1e-3;
  }
  d.start();
  d.run_for(30min);
  CHECK(d.state() == "synchronized");
  CHECK(d.worst_error(1h) < 3e-3);
  CHECK(d.clock().done().steps == 1);
}

} // namespace concert::actors::testing
