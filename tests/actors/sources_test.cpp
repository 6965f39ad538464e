#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace concert::actors::testing {

namespace {

const auto all_servers = {machine::a, machine::b, machine::c};

/// Answers with noise of any length, some of it like an answer.
class noise_server final : public simulated_server {
public:
  std::optional<std::vector<std::byte>>
  answer(std::span<const std::byte> request, const ntp::endpoint&,
         true_time) override {
    ++asked;
    std::vector<std::byte> noise(random_.next() % 2000);
    for (auto& b : noise)
      b = static_cast<std::byte>(random_.next());
    if (noise.size() >= request.size() && random_.next() % 2 == 0)
      std::copy(request.begin(), request.end(), noise.begin());
    return noise;
  }
  int asked = 0;

private:
  seeded_random random_{1};
};

} // namespace

TEST_CASE("a lost server becomes unreachable while the others keep the clock") {
  machine m;
  m.start();
  m.run_for(10min);
  m.server(machine::b).silent = true;
  CHECK(m.run_until(
    3h, [&] { return m.source_state(machine::b) == "unreachable"; }));
  CHECK(m.state() == "synchronized");
  CHECK(m.worst_error(30min) < 1e-3);
  m.server(machine::b).silent = false;
  CHECK(
    m.run_until(3h, [&] { return m.source_state(machine::b) == "selected"; }));
}

TEST_CASE("without any server the bound grows, holds the truth, and ends") {
  machine m;
  m.start();
  m.run_for(30min);
  for (const auto* address : all_servers)
    m.sim().network().path(address).cut = true;
  CHECK(m.run_until(2h, [&] { return m.state() == "holdover"; }));
  CHECK(m.clock().status().synchronized);
  // A disturbance that the last frequency knows nothing of.
  m.clock().change_oscillator(0.02e-6);
  double before = *m.status().system.max_error_s;
  bool grows = true;
  bool holds = true;
  const bool given_up = m.run_until(40 * 24h, [&] {
    m.run_for(1h);
    const auto s = m.status().system;
    grows = grows && *s.max_error_s > before;
    holds = holds && std::abs(m.error()) < *s.max_error_s;
    before = *s.max_error_s;
    return s.state == "unsynchronized";
  });
  CHECK(given_up);
  CHECK(grows);
  CHECK(holds);
  CHECK_FALSE(m.clock().status().synchronized);
  for (const auto* address : all_servers)
    m.sim().network().path(address).cut = false;
  CHECK(m.run_until(2h, [&] { return m.state() == "synchronized"; }));
  m.run_for(10min);
  CHECK(std::abs(m.error()) < 1e-3);
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("one server that steps becomes a falseticker and moves nothing") {
  machine m;
  m.start();
  m.run_for(30min);
  m.server(machine::b).error_s = 0.3;
  CHECK(m.worst_error(2h) < 1e-3);
  CHECK(m.source_state(machine::b) == "falseticker");
  CHECK(m.state() == "synchronized");
  CHECK(m.clock().done().steps == 1);
}

TEST_CASE("a majority that moves is believed after ten minutes, then followed "
          "by one step") {
  machine m;
  m.start();
  m.run_for(30min);
  for (const auto* address : all_servers)
    m.server(address).error_s = 0.6;
  CHECK(m.worst_error(9min) < 2e-3);
  CHECK(m.clock().done().steps == 1);
  CHECK(m.run_until(3h, [&] { return m.clock().done().steps == 2; }));
  CHECK(m.clock().done().last_step_s == doctest::Approx(0.6).epsilon(0.01));
  CHECK(m.worst_error(1h) < 0.61);
  CHECK(m.error() == doctest::Approx(0.6).epsilon(0.005));
  // A second one within the hour has to wait.
  for (const auto* address : all_servers)
    m.server(address).error_s = 1.5;
  m.run_for(20min);
  CHECK(m.clock().done().steps <= 3);
}

TEST_CASE("a majority that moves by less than half a second is slewed to") {
  machine m;
  m.start();
  m.run_for(30min);
  for (const auto* address : all_servers)
    m.server(address).error_s = 0.1;
  CHECK(m.run_until(3h, [&] { return std::abs(m.error() - 0.1) < 2e-3; }));
  CHECK(m.clock().done().steps == 1);
  CHECK(m.state() == "synchronized");
}

TEST_CASE("an offset beyond the panic threshold stops the steering until a "
          "person allows it") {
  machine m;
  m.start();
  m.run_for(30min);
  for (const auto* address : all_servers)
    m.server(address).error_s = 5000;
  CHECK(m.run_until(3h, [&] { return m.state() == "panic"; }));
  CHECK(m.clock().done().steps == 1);
  const auto answer = m.ask_server();
  REQUIRE(answer);
  CHECK(answer->reply->leap == ntp::leap_indicator::unsynchronized);
  CHECK(m.sim().tell<steering_actor>("steering", force_sync{}));
  CHECK(m.run_until(1h, [&] { return m.clock().done().steps == 2; }));
  CHECK(std::abs(m.error() - 5000) < 2);
}

TEST_CASE("a server that is unsynchronized or answers what nobody asked is "
          "not used") {
  machine m;
  m.server(machine::b).synchronized = false;
  m.server(machine::c).bogus_origin = true;
  m.start(server_source(machine::a) + server_source(machine::b)
          + server_source(machine::c)
          + "[synchronization]\nminimum-agreeing-sources = 1\n");
  m.run_for(10min);
  CHECK(m.source_state(machine::a) == "selected");
  CHECK(m.source_state(machine::b) == "unusable");
  CHECK(m.source_state(machine::c) == "unreachable");
  m.server(machine::b).synchronized = true;
  CHECK(
    m.run_until(1h, [&] { return m.source_state(machine::b) == "selected"; }));
}

TEST_CASE("noise instead of answers is no answer") {
  machine m;
  const auto noise = std::make_shared<noise_server>();
  m.sim().network().place("192.0.2.66", noise);
  m.start(machine::usual_config()
          + server_source("192.0.2.66", "minpoll = 2\nmaxpoll = 2"));
  m.run_for(6h);
  CHECK(noise->asked > 5000);
  CHECK(m.source_state("192.0.2.66") == "unreachable");
  CHECK(m.state() == "synchronized");
  CHECK(std::abs(m.error()) < 1e-3);
}

TEST_CASE("a server that asks for patience is asked less often") {
  machine m;
  m.start(server_source(machine::a, "maxpoll = 6"));
  m.run_for(1h);
  const auto before = m.server(machine::a).asked();
  machine slow;
  slow.server(machine::a).kiss = ntp::code_of("RATE");
  slow.start(server_source(machine::a));
  slow.run_for(1h);
  CHECK(slow.server(machine::a).asked() < before / 4);
}

TEST_CASE("nothing is asked while there is no route, and soon after again") {
  machine m;
  m.start();
  m.run_for(10min);
  m.sim().network().has_route = false;
  m.sim().world().network_changes();
  m.run_for(1s);
  const auto asked = m.server(machine::a).asked();
  m.run_for(1h);
  CHECK(m.server(machine::a).asked() == asked);
  CHECK(m.state() == "offline");
  m.sim().network().has_route = true;
  m.sim().world().network_changes();
  m.run_for(1min);
  CHECK(m.state() == "synchronized");
  CHECK(m.server(machine::a).asked() > asked);
}

} // namespace concert::actors::testing
