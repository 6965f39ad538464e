#include "ntp_core/selection/cluster.hpp"

#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

namespace concert::ntp::test {

namespace {

std::vector<cluster_member> members(const std::vector<double>& offsets_s,
                                    double deviation_s = 50e-6,
                                    double one_way_s = 10e-3) {
  std::vector<cluster_member> m;
  for (std::size_t i = 0; i < offsets_s.size(); ++i)
    m.push_back({{i + 1}, offsets_s[i], deviation_s, one_way_s});
  return m;
}

double uniform(seeded_random& random, double low, double high) {
  return low
         + (high - low) * (static_cast<double>(random.next() >> 11) * 0x1p-53);
}

/// How often anybody is thrown out of four good servers, the one-way delays of
/// which are made by `delay`, with |a| / b ~ U(0, 0.6).
template <class Delay>
double thrown_out(Delay&& delay) {
  seeded_random random{3};
  constexpr int sets = 4000;
  int thrown = 0;
  for (int n = 0; n < sets; ++n) {
    std::vector<cluster_member> m;
    for (std::uint64_t i = 1; i <= 4; ++i) {
      const double b = delay(random);
      m.push_back({{i}, b * uniform(random, -0.6, 0.6), 100e-6, b});
    }
    cluster c;
    thrown += c.outliers(m).empty() ? 0 : 1;
  }
  return static_cast<double>(thrown) / sets;
}

} // namespace

TEST_CASE("one server 5 ms off three that agree on 10 ms paths is an outlier") {
  cluster c;
  for (const double off : {5e-3, -5e-3}) {
    const auto out = c.outliers(members({0, 40e-6, -30e-6, off}));
    REQUIRE(out.size() == 1);
    CHECK(out.contains({4}));
  }
}

TEST_CASE("good servers on asymmetric paths are kept") {
  CHECK(thrown_out([](auto&) { return 10e-3; }) < 0.02);
  CHECK(thrown_out([](auto& r) { return uniform(r, 5e-3, 30e-3); }) < 0.02);
  CHECK(
    thrown_out([](auto& r) { return 1e-3 * std::pow(50, uniform(r, 0, 1)); })
    < 0.02);
}

TEST_CASE("one asymmetric path among symmetric ones cannot hide a liar") {
  // The group is close, as chance would not have it: the fourth is far away,
  // whether its path or its clock is to blame.
  cluster c;
  CHECK(c.outliers(members({0, 10e-6, 20e-6, 3e-3})).size() == 1);
}

TEST_CASE("nobody is thrown out of three or fewer") {
  cluster c;
  CHECK(c.outliers({}).empty());
  CHECK(c.outliers(members({0})).empty());
  CHECK(c.outliers(members({0, 5e-3})).empty());
  CHECK(c.outliers(members({0, 0, 5e-3})).empty());
}

TEST_CASE("a server that is unsure of itself is not far from anybody") {
  auto m = members({0, 40e-6, -30e-6, 5e-3});
  m[3].deviation_s = 3e-3;
  cluster c;
  CHECK(c.outliers(m).empty());
}

TEST_CASE("two groups of two are no majority") {
  cluster c;
  CHECK(c.outliers(members({0, 10e-6, 5e-3, 5.01e-3})).empty());
}

TEST_CASE("a majority of many finds several outliers") {
  cluster c;
  const auto out
    = c.outliers(members({0, 10e-6, -20e-6, 15e-6, 30e-6, 6e-3, -7e-3}));
  CHECK(out.size() == 2);
  CHECK(out.contains({6}));
  CHECK(out.contains({7}));
}

TEST_CASE("an outlier returns only when it is near again") {
  // Where it is thrown out, and where it comes back.
  const auto is_out = [](cluster& c, double off) {
    return !c.outliers(members({0, 10e-6, -10e-6, off})).empty();
  };
  cluster c;
  double leaves = 0;
  while (!is_out(c, leaves))
    leaves += 10e-6;
  REQUIRE(is_out(c, 2 * leaves));
  double returns = 2 * leaves;
  while (is_out(c, returns))
    returns -= 10e-6;
  CHECK(returns > 0);
  CHECK(returns < 0.8 * leaves);
  // In between nothing comes and goes.
  const double between = (leaves + returns) / 2;
  CHECK_FALSE(is_out(c, between));
  CHECK(is_out(c, 2 * leaves));
  CHECK(is_out(c, between));
}

TEST_CASE("outliers that have left are forgotten") {
  cluster c;
  CHECK(c.outliers(members({0, 10e-6, -10e-6, 5e-3})).size() == 1);
  CHECK(c.outliers(members({0, 10e-6, -10e-6})).empty());
}

} // namespace concert::ntp::test
