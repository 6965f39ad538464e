#include "ntp_core/selection/combine_set.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace concert::ntp::test {

namespace {

using candidates = std::vector<combine_candidate>;

} // namespace

TEST_CASE("the nearest few are combined") {
  combine_set set;
  const candidates all{
    {{1}, 5e-3}, {{2}, 1e-3}, {{3}, 4e-3}, {{4}, 2e-3}, {{5}, 9e-3}};
  const auto& chosen = set.choose(all, 3);
  CHECK(chosen.size() == 3);
  CHECK(chosen.contains({2}));
  CHECK(chosen.contains({4}));
  CHECK(chosen.contains({3}));
}

TEST_CASE("where there are few all are combined") {
  combine_set set;
  const candidates two{{{1}, 5e-3}, {{2}, 1}};
  CHECK(set.choose(two, 8).size() == 2);
  CHECK(set.choose({}, 8).empty());
  CHECK(set.choose(two, 0).empty());
}

TEST_CASE("who is in stays until another one is clearly better") {
  combine_set set;
  CHECK(set.choose(candidates{{{1}, 1.0e-3}, {{2}, 1.1e-3}}, 1).contains({1}));
  CHECK(set.choose(candidates{{{1}, 1.2e-3}, {{2}, 1.1e-3}}, 1).contains({1}));
  CHECK(set.choose(candidates{{{1}, 1.2e-3}, {{2}, 0.3e-3}}, 1).contains({2}));
  // Now the other one is at home.
  CHECK(set.choose(candidates{{{1}, 0.29e-3}, {{2}, 0.3e-3}}, 1).contains({2}));
}

TEST_CASE("two that take turns in being the nearest cause no change") {
  combine_set set;
  int changes = 0;
  bool first = true;
  for (int i = 0; i < 50; ++i) {
    const double a = i % 2 == 0 ? 1.0e-3 : 1.2e-3;
    const bool now
      = set.choose(candidates{{{1}, a}, {{2}, 1.1e-3}}, 1).contains({1});
    changes += now != first ? 1 : 0;
    first = now;
  }
  CHECK(changes == 0);
}

TEST_CASE("who is not a candidate any more loses its place") {
  combine_set set;
  const candidates both{{{1}, 1e-3}, {{2}, 1.05e-3}};
  CHECK(set.choose(both, 1).contains({1}));
  CHECK(set.choose(candidates{{{2}, 1.05e-3}}, 1).contains({2}));
  CHECK(set.choose(both, 1).contains({2}));
}

} // namespace concert::ntp::test
