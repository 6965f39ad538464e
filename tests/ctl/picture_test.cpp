#include "ctl/picture.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

TEST_CASE("a scale is one, two or five times a power of ten") {
  CHECK(round_scale(0.00035) == doctest::Approx(0.0005));
  CHECK(round_scale(0.001) == doctest::Approx(0.001));
  CHECK(round_scale(0.0011) == doctest::Approx(0.002));
  CHECK(round_scale(0.6) == doctest::Approx(1));
  CHECK(round_scale(0) == doctest::Approx(1e-6));
}

TEST_CASE("an interval stands at its place against the agreed time") {
  CHECK(draw({0.5, 0.2}, 1, 21, 'o') == "          |  [-o-]   ");
  CHECK(draw({-0.5, 0}, 1, 21, 'o') == "     o    |          ");
  CHECK(draw({0, 0.3}, 1, 21, 'o') == "       [--o--]       ");
}

TEST_CASE("what lies outside shows at the edge it lies beyond") {
  CHECK(draw({7, 0.1}, 1, 11, 'o') == "     |    >");
  CHECK(draw({-7, 0.1}, 1, 11, 'o') == "<    |     ");
  CHECK(draw({1e300, 1e300}, 1e-6, 11, 'o').back() == '>');
  CHECK(draw({0, 99}, 1, 11, 'o') == "-----o-----");
}

TEST_CASE("an axis names both ends") {
  CHECK(draw_axis(0.0005, 31) == "500 us behind  |   500 us ahead");
}

} // namespace concert::ctl
