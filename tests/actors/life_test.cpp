#include "platform/state_file.hpp"
#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

namespace concert::actors::testing {

TEST_CASE("SIGTERM ends everything with the clock left true and remembered") {
  machine m;
  m.start();
  m.run_for(30min);
  const auto error = m.error();
  m.stop();
  CHECK_FALSE(m.sim().is_running());
  CHECK(m.sim().exit_code() == 0);
  CHECK(m.clock().correction().ppm() == doctest::Approx(-40).epsilon(0.02));
  CHECK(m.clock().status().synchronized);
  CHECK(m.clock().status().max_error_s > std::abs(error));
  CHECK(m.clock().status().max_error_s < 0.1);
  const auto saved = platform::load_state(m.state_file());
  REQUIRE(saved);
  REQUIRE(saved->oscillator);
  CHECK(saved->oscillator->ppm() == doctest::Approx(-40).epsilon(0.02));
  CHECK(saved->started_this_boot);
  CHECK(saved->sources.size() == 3);
  m.run_for(1h);
  CHECK(std::abs(m.error()) < 2e-3);
}

TEST_CASE("SIGTERM in a slew leaves the base frequency in force") {
  machine m{1, {.initial_offset_s = 9e-3, .frequency_error = 40e-6}};
  m.start();
  CHECK(m.run_until(
    1min, [&] { return std::abs(m.clock().correction().ppm()) > 200; }));
  m.stop();
  CHECK_FALSE(m.sim().is_running());
  CHECK(std::abs(m.clock().correction().ppm()) < 100);
  CHECK(m.clock().done().guards == 0);
}

TEST_CASE("SIGTERM before anything was heard touches nothing") {
  machine m{1, {.initial_offset_s = 0.2, .initial_correction = 12e-6}};
  m.start();
  m.stop();
  CHECK_FALSE(m.sim().is_running());
  CHECK(m.clock().correction().ppm() == doctest::Approx(12).epsilon(0.001));
  CHECK(m.clock().done().frequencies == 0);
  CHECK(m.clock().done().steps == 0);
  CHECK(m.clock().done().statuses == 0);
}

TEST_CASE(
  "a restart in the same boot neither steps nor bursts, and remembers") {
  machine m;
  m.start();
  m.run_for(30min);
  const auto before = m.worst_error(5min);
  m.stop();
  const auto asked = m.server(machine::a).asked();
  const auto frequency = m.clock().correction().ppm();
  m.run_for(2s);
  m.start();
  CHECK(m.clock().correction().ppm() == doctest::Approx(frequency));
  CHECK(m.worst_error(5min) < 1.5 * before + 50e-6);
  CHECK(m.state() == "synchronized");
  CHECK(m.clock().done().steps == 1);
  CHECK(std::abs(m.clock().correction().ppm() - frequency) < 2);
  CHECK(m.server(machine::a).asked() - asked <= 10);
}

TEST_CASE("many restarts in a row ask each server once each") {
  machine m;
  m.start();
  m.run_for(30min);
  const auto asked = m.server(machine::a).asked();
  for (int i = 0; i < 20; ++i) {
    m.stop();
    m.start();
    m.run_for(10s);
  }
  CHECK(m.server(machine::a).asked() - asked <= 21);
}

TEST_CASE(
  "a restart after a step by others slews, since the boot is the same") {
  machine m;
  m.start();
  m.run_for(30min);
  m.stop();
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(0.1));
  m.start();
  CHECK(m.run_until(30min, [&] { return std::abs(m.error()) < 1e-3; }));
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("a corrupt state file does not keep the clock from being set") {
  machine m;
  std::ofstream{m.state_file()} << "not a state file";
  m.start();
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("a state file that cannot be written is one warning") {
  machine m;
  std::filesystem::create_directory(m.state_file());
  m.start();
  m.run_for(3h);
  CHECK(m.state() == "synchronized");
  const auto log = m.log();
  const auto first = log.find("state-not-saved");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("state-not-saved", first + 1) == std::string::npos);
  std::filesystem::remove(m.state_file());
  m.stop();
  CHECK(platform::load_state(m.state_file()));
}

TEST_CASE("a process that dies in a slew leaves the base frequency") {
  machine m{1, {.initial_offset_s = 9e-3, .frequency_error = 40e-6}};
  m.start();
  CHECK(m.run_until(
    1min, [&] { return std::abs(m.clock().correction().ppm()) > 200; }));
  m.sim().kill_daemon();
  CHECK(std::abs(m.clock().correction().ppm()) < 100);
  m.start();
  m.run_for(10min);
  CHECK(std::abs(m.error()) < 1e-3);
}

} // namespace concert::actors::testing
