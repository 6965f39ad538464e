#include "ntp_core/selection/selection.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace std::chrono_literals;

namespace concert::ntp::testing {

namespace {

candidate claim(std::uint64_t id, double offset_s, double half_s = 0.001) {
  return {source_id{id}, {offset_s - half_s, offset_s + half_s}};
}

mono_time at(std::chrono::nanoseconds t) {
  return mono_time{t};
}

} // namespace

TEST_CASE("three that agree outvote one that does not") {
  selection s;
  const std::vector<candidate> all{claim(1, 0), claim(2, 0), claim(3, 0),
                                   claim(4, 0.3)};
  const auto o = s.judge(all, 3, source_id{1}, std::nullopt, at(0s));
  CHECK(o.result == agreement::reached);
  CHECK(o.agreeing == 3);
  CHECK(o.usable == 4);
  CHECK(o.opinions[0].value == opinion::agreeing);
  CHECK(o.opinions[3].value == opinion::outside);
  CHECK(o.opinions[3].newly_excluded);
}

TEST_CASE("half of the sources is no majority") {
  selection s;
  const std::vector<candidate> all{claim(1, 0), claim(2, 0), claim(3, 1),
                                   claim(4, 1)};
  const auto o = s.judge(all, 2, source_id{1}, std::nullopt, at(0s));
  CHECK(o.result == agreement::no_majority);
  CHECK(!o.opinions[2].excluded);
}

TEST_CASE(
  "a vague source that agrees with a right and a wrong one decides nothing") {
  const std::vector<candidate> all{claim(1, 0), claim(2, 0.3),
                                   claim(3, 0.1, 0.4)};
  selection fresh;
  CHECK(fresh.judge(all, 2, source_id{1}, std::nullopt, at(0s)).result
        == agreement::no_majority);
  // Who knows the time already, can tell.
  selection locked;
  const auto o
    = locked.judge(all, 2, source_id{1}, interval{-0.01, 0.01}, at(0s));
  CHECK(o.result == agreement::reached);
  CHECK(o.opinions[1].value == opinion::outside);
}

TEST_CASE("right sources that miss each other by little are still followed") {
  const std::vector<candidate> all{claim(1, 0), claim(2, 0.003),
                                   claim(3, 0, 0.05)};
  selection s;
  CHECK(s.judge(all, 2, source_id{1}, std::nullopt, at(0s)).result
        == agreement::reached);
}

TEST_CASE("our own vote makes no majority out of half of the sources") {
  selection s;
  const std::vector<candidate> all{claim(1, 0), claim(2, 1)};
  const auto o = s.judge(all, 1, source_id{1}, interval{-0.01, 0.01}, at(0s));
  CHECK(o.result == agreement::no_majority);
}

TEST_CASE("fewer than required are not followed") {
  selection s;
  const std::vector<candidate> all{claim(1, 0), claim(2, 0)};
  CHECK(s.judge(all, 3, source_id{1}, std::nullopt, at(0s)).result
        == agreement::too_few);
  CHECK(s.judge(all, 2, source_id{1}, std::nullopt, at(0s)).result
        == agreement::reached);
}

TEST_CASE("no usable source is no agreement") {
  selection s;
  CHECK(s.judge({}, 1, std::nullopt, std::nullopt, at(0s)).result
        == agreement::none);
}

TEST_CASE("an excluded source must agree in eight samples of its own") {
  selection s;
  std::vector<candidate> all{claim(1, 0), claim(2, 0), claim(3, 0.3)};
  s.judge(all, 2, source_id{3}, std::nullopt, at(0s));
  all[2] = claim(3, 0);
  for (int i = 1; i <= 7; ++i) {
    // Samples of others do not count for it.
    s.judge(all, 2, source_id{1}, std::nullopt, at(1s * i));
    const auto o = s.judge(all, 2, source_id{3}, std::nullopt, at(1s * i));
    REQUIRE(o.opinions[2].value == opinion::returning);
    CHECK(o.opinions[2].agreed_samples == i);
    CHECK(o.agreeing == 2);
  }
  SUBCASE("and returns with the eighth") {
    const auto o = s.judge(all, 2, source_id{3}, std::nullopt, at(8s));
    CHECK(o.opinions[2].value == opinion::agreeing);
    CHECK(s.judge(all, 2, source_id{1}, std::nullopt, at(9s)).agreeing == 3);
  }
  SUBCASE("and begins anew after another lie") {
    all[2] = claim(3, 0.3);
    s.judge(all, 2, source_id{3}, std::nullopt, at(8s));
    all[2] = claim(3, 0);
    const auto o = s.judge(all, 2, source_id{3}, std::nullopt, at(9s));
    CHECK(o.opinions[2].value == opinion::returning);
    CHECK(o.opinions[2].agreed_samples == 1);
  }
  SUBCASE("and alone it neither counts nor returns") {
    const std::vector<candidate> alone{claim(3, 0.3)};
    for (int i = 0; i < 20; ++i) {
      const auto o = s.judge(alone, 1, source_id{3}, std::nullopt, at(10s));
      CHECK(o.result == agreement::too_few);
      CHECK(o.agreeing == 0);
    }
  }
}

TEST_CASE("excluded sources that agree for long can outvote a liar") {
  selection s;
  const std::vector<candidate> first{claim(1, 0.3), claim(2, 0.3), claim(3, 0)};
  REQUIRE(s.judge(first, 2, source_id{1}, std::nullopt, at(0s)).result
          == agreement::reached);
  // The second liar is replaced by an honest source.
  const std::vector<candidate> later{claim(1, 0.3), claim(4, 0), claim(3, 0)};
  selection_outcome o;
  for (int i = 0; i < 9; ++i)
    o = s.judge(later, 2, source_id{3}, std::nullopt, at(1min));
  CHECK(o.result == agreement::reached);
  CHECK(o.opinions[0].value == opinion::outside);
}

TEST_CASE(
  "a majority against our prediction waits ten minutes and three polls") {
  selection s;
  const interval ours{-0.01, 0.01};
  const std::vector<candidate> all{claim(1, 0.3), claim(2, 0.3), claim(3, 0.3)};
  auto o = s.judge(all, 2, source_id{1}, ours, at(0s));
  CHECK(o.result == agreement::opposed);

  SUBCASE("ten minutes without enough polls are not enough") {
    o = s.judge(all, 2, source_id{1}, ours, at(11min));
    CHECK(o.result == agreement::opposed);
  }
  SUBCASE("many polls in a short time are not enough") {
    for (int i = 0; i < 100; ++i)
      o = s.judge(all, 2, source_id{1}, ours, at(9min));
    CHECK(o.result == agreement::opposed);
  }
  SUBCASE("both are") {
    for (int i = 0; i < 8; ++i)
      s.judge(all, 2, source_id{1}, ours, at(1min));
    o = s.judge(all, 2, source_id{1}, ours, at(10min));
    CHECK(o.result == agreement::reached);
  }
  SUBCASE("an interruption starts it anew") {
    for (int i = 0; i < 8; ++i)
      s.judge(all, 2, source_id{1}, ours, at(1min));
    const std::vector<candidate> calm{claim(1, 0), claim(2, 0), claim(3, 0)};
    s.judge(calm, 2, source_id{1}, ours, at(5min));
    o = s.judge(all, 2, source_id{1}, ours, at(10min));
    CHECK(o.result == agreement::opposed);
  }
  SUBCASE("nobody is excluded meanwhile") {
    CHECK(!o.opinions[0].excluded);
  }
}

TEST_CASE("a forgotten source comes back without a past") {
  selection s;
  std::vector<candidate> all{claim(1, 0), claim(2, 0), claim(3, 0.3)};
  s.judge(all, 2, source_id{3}, std::nullopt, at(0s));
  s.forget(source_id{3});
  all[2] = claim(3, 0);
  CHECK(s.judge(all, 2, source_id{3}, std::nullopt, at(1s)).agreeing == 3);
}

} // namespace concert::ntp::testing
