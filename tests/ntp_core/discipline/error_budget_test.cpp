#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

namespace concert::ntp::testing {

namespace {

double square(double v) {
  return v * v;
}

double sum(const error_budget& b) {
  return std::sqrt(square(b.measurement_s) + square(b.asymmetry_s)
                   + square(b.wander_s) + square(b.server_s)
                   + square(b.disagreement_s) + square(b.unslewed_s));
}

world_server server(double one_way_s = 100e-6) {
  world_server s;
  s.poll = 6;
  s.forward_s = s.backward_s = one_way_s;
  return s;
}

} // namespace

TEST_CASE("the parts of the error budget add up to the estimated error") {
  world w{{ms(30), 10e-6, 1e-8}};
  for (int i = 0; i < 3; ++i) {
    auto s = server(ms(1 + i));
    s.root_dispersion_s = us(300);
    w.add(s);
  }
  int compared = 0;
  w.each_second = [&](world& at) {
    const auto now = at.now();
    if (!now.last_update)
      return;
    ++compared;
    CHECK(sum(now.budget)
          == doctest::Approx(now.estimated_error_s).epsilon(1e-9));
    for (const double part :
         {now.budget.measurement_s, now.budget.asymmetry_s, now.budget.wander_s,
          now.budget.server_s, now.budget.unslewed_s})
      CHECK(part >= 0);
  };
  w.run(1800);
  w.network(false);
  w.run(7200);
  CHECK(compared > 8000);
}

TEST_CASE("the budget names what makes the error") {
  SUBCASE("a long path: its asymmetry") {
    world w{{0, 0, 1e-9}};
    for (int i = 0; i < 3; ++i)
      w.add(server(ms(20)));
    w.run(7200);
    const auto b = w.now().budget;
    CHECK(b.asymmetry_s > 0.9 * sum(b));
  }
  SUBCASE("vague servers: the servers") {
    world w{{0, 0, 1e-9}};
    for (int i = 0; i < 3; ++i) {
      auto s = server();
      s.root_dispersion_s = ms(10);
      w.add(s);
    }
    w.run(7200);
    const auto b = w.now().budget;
    CHECK(b.server_s > 0.9 * sum(b));
    CHECK(b.server_s < ms(10));
  }
  SUBCASE("next door: the stamps that servers take before they answer") {
    world w{{0, 0, 1e-9}};
    for (int i = 0; i < 3; ++i) {
      auto s = server(us(1));
      s.jitter_s = us(1);
      w.add(s);
    }
    w.run(7200);
    const auto b = w.now().budget;
    CHECK(b.server_s > 0.9 * sum(b));
    CHECK(b.server_s < us(5));
  }
  SUBCASE("next door in interleaved mode: not the stamps") {
    world w{{0, 0, 1e-9}};
    for (int i = 0; i < 3; ++i) {
      auto s = server(us(1));
      s.jitter_s = us(1);
      s.interleaved = true;
      w.add(s);
    }
    w.run(7200);
    CHECK(w.now().budget.server_s < 0.1 * us(1));
  }
  SUBCASE("no network for a day: the oscillator") {
    world w{{0, 0, 1e-8}};
    for (int i = 0; i < 3; ++i)
      w.add(server());
    w.run(7200);
    const auto before = w.now().budget;
    w.network(false);
    w.run(86400);
    const auto b = w.now().budget;
    CHECK(b.wander_s > 0.9 * sum(b));
    CHECK(b.wander_s > 10 * before.wander_s);
    CHECK(b.asymmetry_s == before.asymmetry_s);
    CHECK(b.measurement_s
          == doctest::Approx(before.measurement_s).epsilon(0.1));
  }
}

TEST_CASE("before the first sample the budget is empty") {
  world w;
  w.add(server());
  CHECK(sum(w.now().budget) == 0);
}

} // namespace concert::ntp::testing
