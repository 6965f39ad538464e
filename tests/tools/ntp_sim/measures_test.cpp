#include "tools/ntp_sim/measures.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace concert::sim {

namespace {

std::vector<std::string> broken(std::string_view name, double high,
                                const figures& f,
                                std::optional<double> low = {},
                                const reference_figures& r = {}) {
  return broken_limits({{find_measure(name), low, high}}, f, r);
}

} // namespace

TEST_CASE("a broken limit says what, value and limit") {
  figures f;
  f.rms = 3e-6;
  reference_figures r;
  r.bound = 2e-6;
  CHECK(broken("rms-to-bound", 1.6, f, {}, r).empty());
  const auto text = broken("rms-to-bound", 1.17, f, {}, r);
  REQUIRE(text.size() == 1);
  CHECK(text[0] == "rms-to-bound is 1.5, above the limit 1.17");
}

TEST_CASE("errors beyond the bound are said with their times") {
  figures f;
  f.bound_violations = 2;
  f.first_violation = 10;
  f.last_violation = 71;
  CHECK(broken("bound-violations", 0, f)
        == std::vector<std::string>{"bound-violations is 2, above the limit 0, "
                                    "between 10 s and 71 s"});
}

TEST_CASE("consistency has a limit on each side") {
  figures f;
  f.consistency = 0.5;
  CHECK(broken("consistency", 1.4, f, 0.7).size() == 1);
  f.consistency = 1;
  CHECK(broken("consistency", 1.4, f, 0.7).empty());
  f.consistency = 1.5;
  CHECK(broken("consistency", 1.4, f, 0.7).size() == 1);
}

TEST_CASE("a figure that is not known breaks its limit") {
  CHECK(broken("consistency", 1.4, {}, 0.7).size() == 1);
}

TEST_CASE("what is no number breaks its limit") {
  figures f;
  f.rms = std::numeric_limits<double>::quiet_NaN();
  CHECK(broken("rms", 1, f).size() == 1);
}

TEST_CASE("only reports know the baselines") {
  CHECK(broken("rms-to-baseline", 1.2, {}).empty());
}

TEST_CASE("the ratio of the bound has one-way delay, root distance and noise "
          "below it") {
  figures f;
  f.rms = 1e-6;
  f.max_error_floor = 5e-6;
  f.max_error = 12e-6;
  CHECK(find_measure("max-error-ratio")->of(f, {}) == doctest::Approx(1.5));
}

} // namespace concert::sim
