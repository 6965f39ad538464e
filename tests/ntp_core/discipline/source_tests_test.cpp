#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace concert::ntp::testing {

namespace {

world_server server(std::int8_t poll, double error_s = 0) {
  world_server s;
  s.poll = poll;
  s.error_s = error_s;
  return s;
}

/// A copy; empty where the test was not made.
std::optional<source_test> test_of(const source_snapshot& source,
                                   std::string_view name) {
  for (const auto& test : source.tests)
    if (test.name == name)
      return test;
  return {};
}

std::vector<std::string_view> failed(const source_snapshot& source) {
  std::vector<std::string_view> names;
  for (const auto& test : source.tests)
    if (!test.passed)
      names.push_back(test.name);
  return names;
}

using names = std::vector<std::string_view>;

/// A source is used exactly if it passes all tests: what is shown is what
/// decides.
void check_decision(const world& w) {
  for (const auto& source : w.sources()) {
    const bool used = source.state == source_state::selected;
    CHECK_MESSAGE(used == (!source.tests.empty() && failed(source).empty()),
                  to_string(source.state) << ": " << source.state_reason);
  }
}

} // namespace

TEST_CASE("a source that is used has passed every test, with values") {
  world w{{ms(20), 5e-6, 1e-9}};
  for (int i = 0; i < 4; ++i)
    w.add(server(4));
  w.run(600);
  const auto source = w.source(0);
  CHECK(source.state == source_state::selected);
  CHECK(failed(source).empty());
  const auto answers = test_of(source, "usable-answers");
  REQUIRE(answers);
  CHECK(answers->value == 8);
  CHECK(answers->limit == 1);
  CHECK(answers->unit == "polls");
  const auto majority = test_of(source, "majority");
  REQUIRE(majority);
  CHECK(majority->value == 4);
  CHECK(majority->limit == 3);
  const auto distance = test_of(source, "root-distance");
  REQUIRE(distance);
  CHECK(*distance->value < ms(1));
  CHECK(distance->limit == 1);
  for (const auto& test : source.tests)
    CHECK_FALSE(test.text.empty());
}

TEST_CASE("the interval of a falseticker is told to lie outside, and how far") {
  world w{{0, 0, 1e-9}};
  for (int i = 0; i < 3; ++i)
    w.add(server(4));
  w.add(server(4, ms(300)));
  w.run(600);
  const auto liar = w.source(3);
  CHECK(liar.state == source_state::falseticker);
  CHECK(failed(liar) == names{"interval", "trusted"});
  CHECK(*test_of(liar, "interval")->value
        == doctest::Approx(0.3).epsilon(0.02));
  CHECK(test_of(liar, "trusted")->value == 0);
  CHECK(test_of(liar, "trusted")->limit == 8);
  CHECK_FALSE(test_of(liar, "preferred"));
}

TEST_CASE("a source on probation is told how often it has agreed") {
  world w{{0, 0, 1e-9}};
  for (int i = 0; i < 3; ++i)
    w.add(server(4));
  auto& liar = w.add(server(4, ms(300)));
  w.run(120);
  REQUIRE(w.source(3).state == source_state::falseticker);
  liar.error_s = 0;
  double most = 0;
  for (int i = 0; i < 200 && w.source(3).state != source_state::selected; ++i) {
    w.run(16);
    if (const auto trusted = test_of(w.source(3), "trusted");
        trusted && trusted->value && failed(w.source(3)) == names{"trusted"})
      most = std::max(most, *trusted->value);
    check_decision(w);
  }
  CHECK(w.source(3).state == source_state::selected);
  CHECK(most == 7);
}

TEST_CASE("what bars a source is the last test that it was put to") {
  steering_config config;
  config.local_stratum = 5;
  world w{{0, 0, 1e-9}, config};
  w.core().set_own_reference_ids({0x0a000001});
  for (int i = 0; i < 3; ++i)
    w.add(server(4));
  auto dead = server(4);
  dead.alive = false;
  w.add(dead);
  auto high = server(4);
  high.stratum = 5;
  w.add(high);
  auto ours = server(4);
  ours.stratum = 2;
  ours.reference_id = 0x0a000001;
  w.add(ours);
  auto vague = server(4);
  vague.root_dispersion_s = 12;
  w.add(vague);
  w.next_noselect = true;
  w.add(server(4));
  w.run(300);
  const std::pair<std::size_t, std::string_view> barred[]
    = {{3, "reachable"},
       {4, "stratum"},
       {5, "no-loop"},
       {6, "root-distance"},
       {7, "allowed"}};
  for (const auto& [i, name] : barred) {
    const auto source = w.source(i);
    CHECK(failed(source) == names{name});
    CHECK(source.tests.back().name == name);
  }
  CHECK(test_of(w.source(4), "stratum")->value == 5);
  CHECK(test_of(w.source(4), "stratum")->limit == 4);
  CHECK(*test_of(w.source(6), "root-distance")->value > 12);
  check_decision(w);
}

TEST_CASE("sources that agree may still be left out, and are told why") {
  SUBCASE("for one that is preferred") {
    world w{{0, 0, 1e-9}};
    w.add(server(4));
    w.add(server(4));
    w.next_prefer = true;
    w.add(server(4));
    w.run(300);
    CHECK(failed(w.source(0)) == names{"preferred"});
    CHECK(failed(w.source(2)).empty());
    check_decision(w);
  }
  SUBCASE("for better ones") {
    steering_config config;
    config.combine_limit = 2;
    world w{{0, 0, 1e-9}, config};
    w.add(server(4));
    w.add(server(4));
    auto far = server(4);
    far.forward_s = far.backward_s = ms(20);
    w.add(far);
    w.run(300);
    REQUIRE(failed(w.source(2)) == names{"among-best"});
    const auto rank = test_of(w.source(2), "among-best");
    CHECK(*rank->value > ms(20));
    CHECK(*rank->limit < ms(5));
    CHECK(failed(w.source(0)).empty());
    check_decision(w);
  }
  SUBCASE("for an asymmetric path") {
    world w{{0, 0, 1e-9}};
    for (int i = 0; i < 6; ++i) {
      auto s = server(4);
      s.forward_s = s.backward_s = ms(10);
      w.add(s);
    }
    auto odd = server(4);
    odd.forward_s = ms(18);
    odd.backward_s = ms(2);
    w.add(odd);
    w.run(1200);
    REQUIRE(failed(w.source(6)) == names{"no-outlier"});
    const auto outlier = test_of(w.source(6), "no-outlier");
    CHECK(*outlier->value > *outlier->limit);
    CHECK(*outlier->value == doctest::Approx(ms(8)).epsilon(0.2));
    check_decision(w);
  }
}

TEST_CASE("without a majority the sources are told how many agree") {
  world w{{0.02, 0, 1e-9}};
  w.add(server(4));
  w.add(server(4, ms(50)));
  w.run(300);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto majority = test_of(w.source(i), "majority");
    REQUIRE(majority);
    CHECK_FALSE(majority->passed);
    CHECK(majority->value == 1);
    CHECK(majority->limit == 2);
  }
  check_decision(w);
}

TEST_CASE(
  "a majority against the running clock is told for how long it stood") {
  world w{{0, 0, 1e-9}};
  for (int i = 0; i < 3; ++i)
    w.add(server(4));
  w.run(1200);
  REQUIRE(w.now().state == system_state::synchronized);
  for (std::size_t i = 0; i < 3; ++i)
    w.server(i).error_s = ms(100);
  std::optional<source_test> opposed;
  for (int i = 0; i < 60 && !opposed; ++i) {
    w.run(16);
    const auto test = test_of(w.source(0), "running-clock");
    if (test && !test->passed && test->value > 60)
      opposed = test;
    check_decision(w);
  }
  REQUIRE(opposed);
  CHECK(opposed->limit == 600);
  CHECK(*opposed->value < 600);
  CHECK(opposed->unit == "s");
  w.run(1800);
  CHECK(failed(w.source(0)).empty());
}

TEST_CASE("what is shown is what decides, whatever the sources do") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937 random{static_cast<unsigned>(seed)};
    world w{{ms(3), 5e-6, 1e-8}, {}, {}, seed};
    for (int i = 0; i < 6; ++i)
      w.add(server(4, ms(random() % 4)));
    for (int round = 0; round < 60; ++round) {
      auto& s = w.server(random() % 6);
      s.alive = random() % 4 != 0;
      s.error_s = random() % 5 == 0 ? ms(200) : 0;
      s.root_dispersion_s = random() % 7 == 0 ? 3 : ms(1);
      s.stratum = random() % 9 == 0 ? 16 : 2;
      w.run(40);
      check_decision(w);
    }
  }
}

} // namespace concert::ntp::testing
