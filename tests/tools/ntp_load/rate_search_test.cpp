#include "tools/ntp_load/rate_search.hpp"

#include <doctest/doctest.h>

namespace concert::load {

namespace {

struct found {
  std::optional<double> rate;
  int steps = 0;
};

/// Searches a server that carries `capacity`.
found search(double capacity, double first = 20000, double limit = 1e7) {
  rate_search s{first, limit, 0.03};
  found f;
  for (; s.next() && f.steps < 1000; ++f.steps)
    s.report(*s.next() <= capacity);
  f.rate = s.best();
  return f;
}

} // namespace

TEST_CASE("the search finds the highest rate from below and from above") {
  for (const double capacity : {137.0, 19'999.0, 20'001.0, 333'333.0, 5e6}) {
    const auto f = search(capacity);
    REQUIRE(f.rate);
    CHECK(*f.rate <= capacity);
    CHECK(*f.rate * 1.03 >= capacity);
    CHECK(f.steps < 25);
  }
}

TEST_CASE(
  "the search ends at its limit, and without a rate for a dead server") {
  CHECK(search(1e9, 20000, 1e6).rate == 1e6);
  CHECK_FALSE(search(0).rate);
  CHECK(search(0).steps < 20);
}

} // namespace concert::load
