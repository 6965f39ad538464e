#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

namespace concert::ntp::testing {

namespace {

/// A world with `n` good servers at this poll that has locked.
world locked(std::size_t n, std::int8_t poll = 2, steering_config config = {}) {
  world w{{0.05, 10e-6, 1e-9}, config};
  for (std::size_t i = 0; i < n; ++i) {
    world_server s;
    s.poll = poll;
    w.add(s);
  }
  w.run(60 * std::exp2(poll));
  REQUIRE(w.now().state == system_state::synchronized);
  REQUIRE(std::abs(w.error()) < us(50));
  w.steps.clear();
  w.frequencies.clear();
  w.events.clear();
  w.statuses.clear();
  w.poll_spreads.clear();
  return w;
}

} // namespace

TEST_CASE("a clock 0.25 s and 40 ppm wrong locks on two of three servers") {
  world w{{0.25, 40e-6, 1e-9}};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.forward_s = s.backward_s = us(30);
    s.poll = i == 0 ? 0 : 1;
    s.error_s = i == 2 ? ms(300) : 0;
    w.add(s);
  }
  w.run(120);
  CHECK(std::abs(w.error()) < us(100));
  CHECK(w.now().frequency == doctest::Approx(-40e-6).epsilon(0.02));
  CHECK(w.steps.size() == 1);
  CHECK(w.source(0).state == source_state::selected);
  CHECK(w.source(1).state == source_state::selected);
  CHECK(w.source(2).state == source_state::falseticker);
  CHECK(w.source(2).state_reason.find("offset 300.0 ms ahead is") == 0);
  CHECK(w.source(2).state_reason.find("agreed by 2 of 3") != std::string::npos);
  CHECK(w.has_event("falseticker"));
}

TEST_CASE("the first correction of a boot is a step, and there is only one") {
  world w{{-3.0, 0, 1e-9}};
  w.add({});
  w.run(600);
  REQUIRE(w.steps.size() == 1);
  CHECK(w.steps[0] == doctest::Approx(3.0).epsilon(0.001));
  CHECK(w.now().steps_total == 1);
  CHECK(w.now().accumulated_steps_s == 0);
  CHECK(w.core().memory().started_this_boot);
}

TEST_CASE("a first error below 10 ms is slewed") {
  world w{{ms(8), 0, 1e-9}};
  w.add({});
  w.run(600);
  CHECK(w.steps.empty());
  CHECK(std::abs(w.error()) < us(100));
}

TEST_CASE("a restarted daemon does not step by the start-up rule") {
  steering_memory memory;
  memory.started_this_boot = true;
  world w{{ms(200), 0, 1e-9}, {}, memory};
  w.add({});
  w.run(900);
  CHECK(w.steps.empty());
  CHECK(std::abs(w.error()) < us(200));
}

TEST_CASE("a first step beyond the start-up threshold is panic, not a step") {
  world w{{100'000, 0, 1e-9}};
  w.add({});
  w.run(100);
  CHECK(w.steps.empty());
  CHECK(w.now().state == system_state::panic);
  CHECK(w.now().served.leap == leap_indicator::unsynchronized);
}

TEST_CASE("the clock is never set to before the build date") {
  steering_config config;
  config.not_before = std::chrono::seconds{1'772'323'200 - 10};
  world w{{1000, 0, 1e-9}, config};
  world_server s;
  s.error_s = -3600;
  w.add(s);
  w.run(100);
  CHECK(w.steps.empty());
  CHECK(w.now().state == system_state::panic);
}

TEST_CASE("a later error of 400 ms is slewed at 1000 ppm at most") {
  auto w = locked(3);
  w.step_by_others(-0.4);
  double worst_served = 0;
  bool asked = false;
  w.run(60);
  w.each_second = [&](world& v) {
    asked = true;
    worst_served = std::max(worst_served, std::abs(v.served_error()));
  };
  w.run(500);
  CHECK(asked);
  CHECK(w.steps.empty());
  CHECK(std::abs(w.error()) < us(50));
  REQUIRE(!w.frequencies.empty());
  for (const auto& f : w.frequencies)
    CHECK(std::abs(f.value.ratio - f.base.ratio) <= 1000.001e-6);
  // What is served does not wobble with the slew.
  CHECK(worst_served < us(50));
}

TEST_CASE("a slew ends at its deadline with the base frequency") {
  auto w = locked(1, 6);
  w.run(40);
  REQUIRE(!w.frequencies.empty());
  const auto& last = w.frequencies.back();
  CHECK(!last.slew_end);
  CHECK(last.value == last.base);
  bool slewed = false;
  for (const auto& f : w.frequencies)
    slewed = slewed || f.slew_end;
  CHECK(slewed);
}

TEST_CASE(
  "a later error of 0.6 s is stepped after three samples of a majority") {
  auto w = locked(3, 4);
  w.server(2).alive = false;
  const double before = w.time();
  w.step_by_others(-0.6);
  w.run(33);
  CHECK(w.steps.empty());
  w.run(90);
  REQUIRE(w.steps.size() == 1);
  CHECK(w.steps[0] == doctest::Approx(0.6).epsilon(0.001));
  CHECK(w.has_event("clock-stepped"));
  CHECK(w.time() - before < 200);

  SUBCASE("the next one within the hour is slewed") {
    w.steps.clear();
    w.step_by_others(-0.6);
    w.run(900);
    CHECK(w.steps.empty());
    CHECK(std::abs(w.error()) < ms(1));
  }
  SUBCASE("an hour later it may be stepped again") {
    w.run(3700);
    w.steps.clear();
    w.step_by_others(-0.6);
    w.run(200);
    CHECK(w.steps.size() == 1);
  }
  SUBCASE("what was stepped is added up") {
    CHECK(w.now().accumulated_steps_s == doctest::Approx(0.6).epsilon(0.001));
  }
}

TEST_CASE("the log line of a step says before, after and who wanted it") {
  auto w = locked(3);
  w.step_by_others(-0.6);
  w.run(120);
  REQUIRE(w.has_event("clock-stepped"));
  for (const auto& e : w.events) {
    if (e.name != "clock-stepped")
      continue;
    CHECK(e.text.find("by=+0.") != std::string::npos);
    CHECK(e.text.find("before=2026-03-01T") != std::string::npos);
    CHECK(e.text.find("after=2026-03-01T") != std::string::npos);
    CHECK(e.text.find("sources=server1,server2,server3") != std::string::npos);
  }
}

TEST_CASE("an offset beyond the panic threshold stops the steering") {
  steering_config config;
  SUBCASE("and waits for a person") {
  }
  SUBCASE("and ends the program if so configured") {
    config.exit_on_panic = true;
  }
  auto w = locked(3, 2, config);
  w.step_by_others(-2000);
  w.run(120);
  CHECK(w.steps.empty());
  const auto now = w.now();
  CHECK(now.state == system_state::panic);
  CHECK(!now.synchronized);
  CHECK(now.served.leap == leap_indicator::unsynchronized);
  CHECK(now.state_reason.find("force-sync") != std::string::npos);
  CHECK(w.has_event("panic"));
  CHECK(!w.statuses.back().synchronized);
  CHECK(w.exits
        == (config.exit_on_panic ? std::vector<int>{70} : std::vector<int>{}));
  const auto calls = w.frequencies.size();
  w.run(600);
  CHECK(w.frequencies.size() == calls);

  SUBCASE("until force-sync allows one step") {
    w.force_sync();
    CHECK(w.steps.size() == 1);
    w.run(60);
    CHECK(w.now().state == system_state::synchronized);
    CHECK(std::abs(w.error()) < ms(1));
  }
  SUBCASE("or until the offset goes") {
    w.step_by_others(2000);
    w.run(120);
    CHECK(w.now().state == system_state::synchronized);
    CHECK(w.steps.empty());
  }
}

TEST_CASE("steps may not add up beyond the accumulated threshold") {
  steering_config config;
  config.accumulated_step_panic_threshold_s = 1.0;
  auto w = locked(3, 2, config);
  w.step_by_others(-0.6);
  w.run(3700);
  CHECK(w.steps.size() == 1);
  w.step_by_others(-0.6);
  w.run(100);
  CHECK(w.steps.size() == 1);
  CHECK(w.now().state == system_state::panic);
}

TEST_CASE("force-sync steps at once what would be slewed") {
  auto w = locked(3);
  w.step_by_others(-0.3);
  w.run(60);
  REQUIRE(w.steps.empty());
  w.force_sync();
  CHECK(w.steps.size() == 1);
  CHECK(std::abs(w.error()) < ms(1));
}

TEST_CASE(
  "a step by somebody else is not undone before the sources are heard") {
  auto w = locked(3, 6);
  w.step_by_others(-0.3);
  w.core().on_deadline(w.read());
  const auto now = w.now();
  CHECK(now.max_error_s >= 0.3);
  w.events.clear();
  const auto calls = w.frequencies.size();
  w.run(1);
  CHECK(w.frequencies.size() <= calls + 1);
  CHECK(std::abs(w.error()) == doctest::Approx(0.3).epsilon(0.02));
  w.run(600);
  CHECK(std::abs(w.error()) < ms(1));
}

TEST_CASE("a step by somebody else is told, and the sources are asked") {
  auto w = locked(3, 4);
  w.step_by_others(0.02);
  w.run(20);
  CHECK(w.has_event("clock-stepped-by-others"));
  REQUIRE(!w.poll_spreads.empty());
  CHECK(w.poll_spreads[0] == 32);
  w.run(200);
  CHECK(std::abs(w.error()) < us(100));
}

TEST_CASE("our own corrections are never taken for those of somebody else") {
  world w{{0.3, 80e-6, 1e-8}};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.poll = 4;
    w.add(s);
  }
  w.run(20'000);
  CHECK(!w.has_event("clock-stepped-by-others"));
  CHECK(!w.has_event("suspended"));
}

TEST_CASE("after a suspend the error bound holds and the sources are asked") {
  auto w = locked(3, 4);
  w.suspend(3600, 0.4);
  bool honest = true;
  w.run(1);
  w.each_second = [&](world& v) {
    honest = honest && std::abs(v.error()) <= v.now().max_error_s;
  };
  w.run(20);
  CHECK(w.has_event("suspended"));
  REQUIRE(!w.poll_spreads.empty());
  CHECK(w.poll_spreads[0] == 32);
  w.run(900);
  CHECK(honest);
  CHECK(w.steps.empty());
  CHECK(std::abs(w.error()) < us(100));
}

TEST_CASE("another program that steers is named and not fought") {
  auto w = locked(3);
  w.foreign_frequency(50e-6);
  const auto calls = w.frequencies.size();
  const auto told = w.statuses.size();
  CHECK(w.now().state == system_state::contested);
  CHECK(w.has_event("contested"));
  w.run(200);
  w.foreign_frequency(60e-6);
  w.run(200);
  CHECK(w.frequencies.size() == calls);
  CHECK(w.statuses.size() == told);
  CHECK(w.now().state == system_state::contested);
  // What is served stays right although the clock drifts.
  CHECK(std::abs(w.error()) > ms(5));
  CHECK(std::abs(w.served_error()) < us(100));
  // But what the other program does next is not ours to promise.
  CHECK(w.now().served.leap == leap_indicator::unsynchronized);
  w.run(400);
  CHECK(w.now().state == system_state::synchronized);
  CHECK(std::abs(w.error()) < us(200));
}

TEST_CASE("lost sources lead to holdover after five polls, then out of sync") {
  steering_config config;
  config.max_error_s = ms(2);
  auto w = locked(3, 4, config);
  for (std::size_t i = 0; i < 3; ++i)
    w.server(i).alive = false;
  w.run(70);
  CHECK(w.now().state == system_state::synchronized);
  w.run(32);
  CHECK(w.now().state == system_state::holdover);
  CHECK(w.now().synchronized);
  CHECK(w.now().holdover_s > 0);
  CHECK(w.now().served.stratum == 2);
  bool honest = true;
  w.each_second = [&](world& v) {
    honest = honest && std::abs(v.error()) <= v.now().max_error_s;
    const bool beyond = v.now().max_error_s > ms(2.01);
    honest
      = honest && (!beyond || v.now().state == system_state::unsynchronized);
  };
  w.run(40'000);
  CHECK(honest);
  CHECK(w.now().state == system_state::unsynchronized);
  CHECK(!w.now().synchronized);
  CHECK(w.now().served.leap == leap_indicator::unsynchronized);
  CHECK(w.now().served.stratum == 16);
  CHECK(!w.statuses.back().synchronized);

  for (std::size_t i = 0; i < 3; ++i)
    w.server(i).alive = true;
  w.run(300);
  CHECK(w.now().state == system_state::synchronized);
}

TEST_CASE("a clock that nobody compares any more wakes nobody up for it") {
  auto w = locked(4, 6);
  w.run(3000);
  w.deadlines = 0;
  w.run(3200);
  // A slew's end and a status refresh for each poll at most.
  CHECK(w.deadlines < 2 * 4 * 3200 / 64);
}

TEST_CASE("the kernel's status is told at changes and about each minute") {
  auto w = locked(3, 4);
  w.core().set_leap(std::nullopt, std::chrono::seconds{37});
  w.run(1000);
  CHECK(w.statuses.size() >= 12);
  CHECK(w.statuses.size() <= 17);
  CHECK(w.statuses.back().synchronized);
  CHECK(w.statuses.back().max_error_s < ms(1));
  CHECK(w.statuses.back().tai_offset == std::chrono::seconds{37});
}

TEST_CASE("a read-only clock is watched and never touched") {
  steering_config config;
  config.read_only = true;
  world w{{ms(30), 5e-6, 1e-9}, config};
  for (int i = 0; i < 3; ++i) {
    world_server s;
    s.poll = 4;
    w.add(s);
  }
  w.run(2000);
  w.force_sync();
  w.run(100);
  CHECK(w.frequencies.empty());
  CHECK(w.steps.empty());
  CHECK(w.statuses.empty());
  const auto now = w.now();
  CHECK(now.state == system_state::synchronized);
  CHECK(now.offset_s == doctest::Approx(-w.error()).epsilon(0.01));
  CHECK(now.served.valid);
  CHECK(now.served.offset_s == 0);
  CHECK(now.served.root_dispersion_s(now.served.wall_base)
        >= std::abs(w.error()));
}

TEST_CASE("without network nothing is done and the state says so") {
  auto w = locked(3, 4);
  w.network(false);
  CHECK(w.now().state == system_state::offline);
  w.run(600);
  CHECK(w.now().state == system_state::offline);
  CHECK(std::abs(w.error()) <= w.now().max_error_s);
  w.network(true);
  CHECK(w.poll_spreads.size() == 1);
  w.run(100);
  CHECK(w.now().state == system_state::synchronized);
}

TEST_CASE("a clock that refuses is not asked more than once a minute") {
  auto w = locked(3);
  w.refuse = true;
  w.run(600);
  int refusals = 0;
  for (const auto& e : w.events)
    refusals += e.name == "clock-refused" ? 1 : 0;
  CHECK(refusals == 1);
  CHECK(w.now().state_reason.find("not permitted") != std::string::npos);
  w.refuse = false;
  w.run(120);
  CHECK(w.now().state_reason.find("not permitted") == std::string::npos);
  CHECK(std::abs(w.error()) < us(100));
}

TEST_CASE("the end of the daemon leaves base frequency and honest status") {
  auto w = locked(3, 4);
  w.step_by_others(-0.2);
  w.run(60);
  REQUIRE(w.frequencies.back().slew_end);
  bool base = false;
  bool status = false;
  for (const auto& a : w.core().on_shutdown(w.read())) {
    if (const auto* f = std::get_if<set_frequency>(&a))
      base = f->value == f->base && !f->slew_end;
    if (const auto* s = std::get_if<set_clock_status>(&a))
      status = s->max_error_s >= std::abs(w.error());
  }
  CHECK(base);
  CHECK(status);
}

/// A locked clock behind three servers, and what a restart does to it.
struct restart_course {
  std::uint64_t seed = 1;
  double down_s = 1;
  bool with_paths = true;
  std::function<void(world&)> meanwhile = {}; ///< while the daemon is down

  /// Sums of squared errors, s², before and after, each second for 600 s.
  struct sums {
    double before = 0;
    double after = 0;
  };
  sums run() const {
    world w{{ms(50), 10e-6, 1e-9}, {}, {}, seed};
    for (int i = 0; i < 3; ++i) {
      world_server s;
      s.poll = 4;
      w.add(s);
    }
    w.run(3000);
    sums result;
    w.each_second
      = [&](world& v) { result.before += v.error() * v.error() / 600; };
    w.run(600);
    w.each_second
      = [&](world& v) { result.after += v.error() * v.error() / 600; };
    auto memory = w.state_file();
    CHECK(memory.paths.size() == 3);
    if (!with_paths)
      memory.paths.clear();
    if (meanwhile)
      meanwhile(w);
    w.restart(memory, down_s);
    w.run(600);
    CHECK(w.now().state == system_state::synchronized);
    CHECK(w.steps.size() == 1);
    return result;
  }
};

TEST_CASE("a restart while locked keeps the clock as right as it was") {
  double before = 0;
  double after = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto sums = restart_course{seed}.run();
    before += sums.before / 8;
    after += sums.after / 8;
  }
  MESSAGE("RMS before " << std::sqrt(before) << " s, after " << std::sqrt(after)
                        << " s");
  CHECK(std::sqrt(after) < 1.5 * std::sqrt(before));
}

TEST_CASE("what a restart remembers does no harm when the world has changed") {
  std::function<void(world&)> meanwhile;
  SUBCASE("the clock was stepped") {
    meanwhile = [](world& w) { w.step_by_others(ms(20)); };
  }
  SUBCASE("the clock was stepped by less than the jitter of a first look") {
    meanwhile = [](world& w) { w.step_by_others(us(30)); };
  }
  SUBCASE("all routes became longer") {
    meanwhile = [](world& w) {
      for (std::size_t i = 0; i < 3; ++i)
        w.server(i).forward_s = w.server(i).backward_s = ms(2);
    };
  }
  SUBCASE("all routes became shorter") {
    meanwhile = [](world& w) {
      for (std::size_t i = 0; i < 3; ++i)
        w.server(i).forward_s = w.server(i).backward_s = us(30);
    };
  }
  SUBCASE("the machine slept") {
    meanwhile = [](world& w) { w.suspend(100, ms(3)); };
  }
  SUBCASE("the oscillator changed its rate") {
    meanwhile = [](world& w) { w.change_oscillator(0.3e-6); };
  }
  double with = 0;
  double without = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    with += restart_course{seed, 30, true, meanwhile}.run().after / 8;
    without += restart_course{seed, 30, false, meanwhile}.run().after / 8;
  }
  MESSAGE("RMS with memory " << std::sqrt(with) << " s, without "
                             << std::sqrt(without) << " s");
  CHECK(std::sqrt(with) < 1.15 * std::sqrt(without));
}

TEST_CASE("paths are remembered until they are heard, and not for long") {
  auto w = locked(3, 2);
  const auto memory = w.state_file();
  REQUIRE(memory.paths.size() == 3);
  SUBCASE("a restart in the middle of another one loses nothing") {
    w.restart(memory, 1);
    CHECK(w.state_file().paths == memory.paths);
    w.run(60);
    CHECK(w.state_file().paths.size() == 3);
    CHECK(w.source(0).samples > 16);
  }
  SUBCASE("after an hour all is learnt anew") {
    w.restart(memory, 3700);
    w.run(8);
    CHECK(w.source(0).samples < 8);
    CHECK(w.state_file().paths.empty());
  }
  SUBCASE("of another boot there is nothing to remember") {
    auto young = memory;
    for (auto& [address, path] : young.paths)
      path.clock.at = w.read().raw + ntp_duration::from_seconds(100);
    w.restart(young, 1);
    w.run(8);
    CHECK(w.source(0).samples < 8);
  }
}

TEST_CASE("a new boot starts with the frequency of the last one") {
  steering_memory memory;
  memory.oscillator = frequency{-40e-6};
  memory.frequency_deviation = 1e-7;
  world w{{0, 40e-6, 1e-9}, {}, memory};
  w.add({});
  CHECK(w.frequency_in_force() == doctest::Approx(-40e-6).epsilon(1e-5));
  CHECK(w.core().memory().oscillator == frequency{-40e-6});
}

TEST_CASE("a changed configuration keeps what is known") {
  auto w = locked(3);
  steering_config config;
  config.max_error_s = 0.5;
  const auto before = w.now();
  w.core().on_config(config, w.read());
  CHECK(w.now().state == system_state::synchronized);
  CHECK(w.now().frequency_uncertainty == before.frequency_uncertainty);
}

} // namespace concert::ntp::testing
