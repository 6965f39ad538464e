#include "tools/ntp_load/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::load {

using namespace std::chrono_literals;

TEST_CASE("an even schedule does not drift by the rounding of its gaps") {
  schedule s{3, false, 10s};
  CHECK(s.next() == 10s);
  s.advance();
  CHECK(s.next() == 10s + 333'333'333ns);
  for (int i = 1; i < 3'000'000; ++i)
    s.advance();
  CHECK(std::abs((s.next() - 1'000'010s).count()) <= 1);
}

TEST_CASE("a Poisson schedule has the rate, and gaps that spread as widely") {
  constexpr int count = 100'000;
  schedule s{1000, true, 0s};
  double squares = 0;
  auto last = s.next();
  for (int i = 0; i < count; ++i) {
    s.advance();
    REQUIRE(s.next() >= last);
    const auto gap = static_cast<double>((s.next() - last).count());
    squares += (gap - 1e6) * (gap - 1e6);
    last = s.next();
  }
  CHECK(static_cast<double>(last.count()) / count
        == doctest::Approx(1e6).epsilon(0.02));
  CHECK(std::sqrt(squares / count) == doctest::Approx(1e6).epsilon(0.03));
}

} // namespace concert::load
