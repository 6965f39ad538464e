#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

namespace concert::ntp::testing {

namespace {

/// A clock 50 ms slow that an earlier run left so, and that may hardly be
/// slewed: the offset stays.
world slow_clock(steering_config config = {}) {
  config.max_slew = 1e-7;
  steering_memory memory;
  memory.started_this_boot = true;
  world w{{ms(-50), 0, 1e-9}, config, memory};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.poll = 2;
    w.add(s);
  }
  w.run(120);
  REQUIRE(w.now().state == system_state::synchronized);
  REQUIRE(w.error() == doctest::Approx(ms(-50)).epsilon(0.01));
  REQUIRE(w.steps.empty());
  return w;
}

world three_servers() {
  world w{{0, 5e-6, 1e-9}};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.poll = 4;
    w.add(s);
  }
  w.run(1200);
  REQUIRE(w.now().state == system_state::synchronized);
  return w;
}

bool mentions(const std::string& text, const char* what) {
  return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("a person's step takes away the offset at once, and counts") {
  auto w = slow_clock();
  CHECK(w.want_step().empty());
  REQUIRE(w.steps.size() == 1);
  CHECK(w.steps[0] == doctest::Approx(ms(50)).epsilon(0.01));
  CHECK(std::abs(w.error()) < ms(0.1));
  CHECK(w.now().accumulated_steps_s == doctest::Approx(ms(50)).epsilon(0.01));
  w.run(60);
  CHECK(w.now().state == system_state::synchronized);
  CHECK(w.steps.size() == 1);
  // What is left is noise, which is no cause for another.
  CHECK(mentions(w.want_step(), "not worth a step"));
  CHECK(w.steps.size() == 1);
}

TEST_CASE("a person's step keeps to the threshold of a single step") {
  steering_config config;
  config.single_step_panic_threshold = {ms(20), ms(20)};
  auto w = slow_clock(config);
  CHECK(mentions(w.want_step(), "single-step-panic-threshold"));
  CHECK(w.steps.empty());
}

TEST_CASE("a person's steps add up to no more than the threshold allows") {
  steering_config config;
  config.accumulated_step_panic_threshold_s = ms(20);
  auto w = slow_clock(config);
  CHECK(mentions(w.want_step(), "accumulated-step-panic-threshold"));
  CHECK(w.steps.empty());
}

TEST_CASE("a clock that is not ours or not synchronized is not stepped") {
  world unheard;
  CHECK(mentions(unheard.want_step(), "not synchronized"));
  steering_config config;
  config.read_only = true;
  world foreign{{ms(-50), 0, 1e-9}, config};
  foreign.add({});
  foreign.run(600);
  CHECK(mentions(foreign.want_step(), "only watches"));
  CHECK(foreign.steps.empty());
}

TEST_CASE("another offset moves what a source has said, and forgets nothing") {
  auto w = three_servers();
  const auto before = w.source(1);
  w.reconfigure(1, [](auto& r) { r.offset_correction_s = us(300); });
  const auto after = w.source(1);
  CHECK(*after.offset_s - *before.offset_s == doctest::Approx(us(300)));
  CHECK(after.samples == before.samples);
  CHECK(after.uncertainty_s == doctest::Approx(before.uncertainty_s));
  CHECK(w.source(0).offset_s == doctest::Approx(*w.source(0).offset_s));
  w.run(600);
  CHECK(w.now().state == system_state::synchronized);
  CHECK(std::abs(w.error()) < us(400));
}

TEST_CASE("the offset of the only source can change by more than its noise") {
  world w{{0, 5e-6, 1e-9}};
  world_server s;
  s.poll = 4;
  w.add(s);
  w.run(1200);
  w.reconfigure(0, [](auto& r) { r.offset_correction_s = ms(20); });
  w.run(300);
  CHECK(w.now().state == system_state::synchronized);
  CHECK(w.source(0).state == source_state::selected);
  CHECK(w.error() == doctest::Approx(ms(20)).epsilon(0.05));
}

TEST_CASE("prefer and noselect of a known source count at once") {
  auto w = three_servers();
  const auto samples = w.source(0).samples;
  w.reconfigure(0, [](auto& r) { r.prefer = true; });
  CHECK(w.source(0).state == source_state::selected);
  CHECK(w.source(1).state == source_state::candidate);
  w.reconfigure(0, [](auto& r) { r.noselect = true; });
  CHECK(w.source(0).state == source_state::candidate);
  CHECK(w.source(1).state == source_state::selected);
  w.reconfigure(0, [](auto&) {});
  CHECK(w.source(0).state == source_state::selected);
  CHECK(w.source(0).samples == samples);
}

TEST_CASE("other poll limits keep the wish within them") {
  auto w = three_servers();
  w.reconfigure(0, [](auto& r) { r.min_poll = r.max_poll = 8; });
  CHECK(w.source(0).desired_poll == 8);
  w.reconfigure(0, [](auto& r) { r.min_poll = r.max_poll = 5; });
  CHECK(w.source(0).desired_poll == 5);
}

TEST_CASE("a source that a person took offline says so, and stays") {
  auto w = three_servers();
  w.reconfigure(2, [](auto& r) { r.offline = true; });
  CHECK(mentions(w.source(2).state_reason, "a person has said so"));
  CHECK(w.source(2).state == source_state::selected);
  CHECK(w.now().state == system_state::synchronized);
}

} // namespace concert::ntp::testing
