#include "tools/ntp_load/sample_set.hpp"

#include <doctest/doctest.h>

namespace concert::load {

TEST_CASE("mean, deviation, extremes and percentiles are those of the values") {
  sample_set s;
  for (int i = 100; i >= 1; --i)
    s.add(i);
  CHECK(s.count() == 100);
  CHECK(s.mean() == doctest::Approx(50.5));
  CHECK(s.deviation() == doctest::Approx(29.01149).epsilon(1e-6));
  CHECK(s.min() == 1);
  CHECK(s.max() == 100);
  CHECK(s.quantile(0.5) == 50);
  CHECK(s.quantile(0.99) == 99);
  CHECK(s.quantile(0.999) == 100);
  CHECK(s.quantile(0) == 1);
  CHECK(s.quantile(1) == 100);
  CHECK(s.share_above(75) == doctest::Approx(0.25));
  CHECK(s.share_above(100) == 0);
}

TEST_CASE("values may be negative, and come after percentiles were asked") {
  sample_set s;
  s.add(-5);
  CHECK(s.quantile(0.5) == -5);
  s.add(-7);
  s.add(-6);
  CHECK(s.quantile(0.5) == -6);
  CHECK(s.min() == -7);
  CHECK(s.max() == -5);
}

TEST_CASE("of nothing all figures are zero") {
  const sample_set s;
  CHECK(s.mean() == 0);
  CHECK(s.deviation() == 0);
  CHECK(s.quantile(0.5) == 0);
  CHECK(s.share_above(0) == 0);
}

TEST_CASE("beyond the limit percentiles come from a fair choice") {
  sample_set s{1000};
  for (int i = 0; i < 100'000; ++i)
    s.add(i);
  CHECK(s.count() == 100'000);
  CHECK(s.mean() == doctest::Approx(49999.5));
  CHECK(s.max() == 99'999);
  CHECK(s.quantile(0.5) == doctest::Approx(50'000).epsilon(0.1));
  CHECK(s.quantile(0.9) == doctest::Approx(90'000).epsilon(0.05));
}

} // namespace concert::load
