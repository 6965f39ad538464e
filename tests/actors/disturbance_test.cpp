#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::actors::testing {

TEST_CASE("a step by somebody else is noticed, and the sources are asked") {
  machine m;
  m.start();
  m.run_for(30min);
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(0.2));
  m.run_for(5min);
  CHECK(m.logged("clock-stepped-by-others"));
  CHECK(m.run_until(30min, [&] { return std::abs(m.error()) < 1e-3; }));
  CHECK(m.clock().done().steps == 1);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("after a step by somebody else no source's poll is waited for") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    machine m{seed};
    m.start(server_source(machine::a, "minpoll = 9")
            + server_source(machine::b, "minpoll = 9")
            + server_source(machine::c, "minpoll = 9"));
    m.run_for(6h);
    m.clock().foreign_step(ntp::ntp_duration::from_seconds(0.2));
    const auto then = m.sim().world().time();
    // The status is refreshed each 64 s; the polls are spread over 32 s.
    m.run_for(64s + 32s + 1s);
    for (const auto* address : {machine::a, machine::b, machine::c})
      CHECK(m.server(address).last_asked() > then);
  }
}

TEST_CASE("after a suspend the sources are asked, and the clock is right") {
  machine m;
  m.start();
  m.run_for(30min);
  m.sim().world().suspend(2h);
  // The clock that ran meanwhile counts seconds and drifts.
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(-0.3));
  const auto asked = m.server(machine::a).asked();
  m.run_for(3min);
  CHECK(m.logged("suspended"));
  CHECK(m.server(machine::a).asked() > asked);
  CHECK(m.run_until(30min, [&] { return std::abs(m.error()) < 1e-3; }));
  CHECK(m.state() == "synchronized");
}

TEST_CASE("a frequency that is not ours is not fought, until it is left") {
  machine m;
  m.start();
  m.run_for(30min);
  m.clock().foreign_frequency(ntp::frequency::from_ppm(-30));
  CHECK(m.run_until(5min, [&] { return m.state() == "contested"; }));
  const auto done = m.clock().done().frequencies;
  m.run_for(2min);
  CHECK(m.clock().done().frequencies == done);
  CHECK(m.clock().correction().ppm() == doctest::Approx(-30));
  CHECK(m.run_until(30min, [&] { return m.state() == "synchronized"; }));
  CHECK(m.run_until(
    1h, [&] { return std::abs(m.clock().correction().ppm() + 40) < 2; }));
  CHECK(std::abs(m.error()) < 20e-3);
}

TEST_CASE("a clock that may not be set is a sentence in the status") {
  machine m;
  m.clock().refuse_changes(true);
  m.start();
  m.run_for(10min);
  CHECK(m.status().system.state_reason.find("the clock may not be set")
        != std::string::npos);
  CHECK(m.clock().done().steps == 0);
  m.clock().refuse_changes(false);
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  CHECK(std::abs(m.error()) < 1e-3);
}

TEST_CASE("an oscillator that changes its rate is followed") {
  machine m;
  m.start();
  m.run_for(30min);
  m.clock().change_oscillator(5e-6);
  CHECK(m.worst_error(1h) < 5e-3);
  m.run_for(1h);
  CHECK(std::abs(m.error()) < 1e-3);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("twenty sources and a long flood of clients share one daemon") {
  machine m;
  std::string text = "[[server]]\nlisten = \"10.0.0.2:123\"\n";
  for (int i = 1; i <= 20; ++i) {
    const auto address = "203.0.113." + std::to_string(i);
    m.server(address);
    text += server_source(address);
  }
  m.start(text);
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  std::vector<std::shared_ptr<const client_query>> queries;
  queries.reserve(200);
  for (int i = 0; i < 200; ++i)
    queries.push_back(m.sim().network().ask(
      machine::listen, "198.51.100." + std::to_string(i + 1)));
  m.run_for(1s);
  for (const auto& q : queries)
    CHECK(q->reply);
}

} // namespace concert::actors::testing
