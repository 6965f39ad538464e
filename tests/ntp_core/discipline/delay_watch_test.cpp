#include "ntp_core/discipline/delay_watch.hpp"

#include "tests/ntp_core/discipline/exchanges.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace concert::ntp::testing {

namespace {

constexpr double base = 20e-3;

/// Round trips whose excess resembles the one before.
class correlated {
public:
  explicit correlated(double share) : share_(share) {}

  double next(dice& random) {
    level_ = share_ * level_ + std::sqrt(1 - share_ * share_) * random.normal();
    return base + 1e-3 * std::exp(0.7 * level_);
  }

private:
  double share_;
  double level_ = 0;
};

double independent(dice& random) {
  return base + 1e-3 * (random.exponential() + random.exponential());
}

} // namespace

TEST_CASE("independent round trips show no correlation") {
  dice random{5};
  delay_watch watch;
  double highest = 0;
  for (int i = 0; i < 2000; ++i) {
    watch.add(independent(random));
    highest = std::max(highest, watch.correlation());
  }
  CHECK(highest < 0.3);
  CHECK(watch.lasting_correlation() == 0);
  CHECK(watch.samples() == 2000);
}

TEST_CASE("round trips that drift slowly are found to be correlated") {
  dice random{6};
  delay_watch watch;
  correlated queue{0.98};
  double sum = 0;
  for (int i = 0; i < 2000; ++i) {
    watch.add(queue.next(random));
    sum += i < 500 ? 0 : watch.correlation() / 1500;
  }
  CHECK(sum > 0.6);
  CHECK(sum <= 1);
}

TEST_CASE("correlation never reaches one, and lasts only where it always is") {
  delay_watch watch;
  for (int i = 0; i < 400; ++i)
    watch.add(base + 1e-3 * std::sin(i / 60.0));
  CHECK(watch.correlation() > 0.9);
  CHECK(watch.correlation() < 1);
  CHECK(watch.lasting_correlation() > 0.5);
  // A while of noise, and it is not lasting any more.
  dice random{4};
  for (int i = 0; i < 120; ++i)
    watch.add(independent(random));
  CHECK(watch.lasting_correlation() < 0.3);
}

TEST_CASE("a single excursion does not look like correlation") {
  dice random{7};
  for (const double size : {5e-3, 50e-3, 1.0}) {
    delay_watch watch;
    for (int i = 0; i < 200; ++i)
      watch.add(independent(random));
    const double before = watch.correlation();
    for (int i = 0; i < 3; ++i)
      watch.add(base + size);
    double highest = 0;
    for (int i = 0; i < 4; ++i) {
      watch.add(independent(random));
      highest = std::max(highest, watch.correlation());
    }
    CAPTURE(size);
    CHECK(highest <= before + 0.1);
  }
}

TEST_CASE("the start tells how much queueing there is") {
  dice random{8};
  double mean = 0;
  double deviation = 0;
  constexpr int runs = 400;
  for (int run = 0; run < runs; ++run) {
    delay_watch watch;
    for (std::uint64_t i = 0; i < delay_watch::starting; ++i)
      watch.add(independent(random));
    mean += watch.first_scale_s() / runs;
    deviation += watch.first_deviation_s() / runs;
    CHECK(watch.first_minimum_s() > base);
    CHECK(watch.spread_s() == std::numeric_limits<double>::infinity());
  }
  CHECK(mean == doctest::Approx(1e-3).epsilon(0.15));
  CHECK(deviation == doctest::Approx(std::sqrt(2) * 1e-3).epsilon(0.2));
}

TEST_CASE("what comes later does not change what the start said") {
  dice random{9};
  delay_watch watch;
  for (std::uint64_t i = 0; i < delay_watch::starting; ++i)
    watch.add(independent(random));
  const double scale = watch.first_scale_s();
  const double minimum = watch.first_minimum_s();
  for (int i = 0; i < 100; ++i)
    watch.add(base / 2);
  CHECK(watch.first_scale_s() == scale);
  CHECK(watch.first_minimum_s() == minimum);
}

TEST_CASE("one sample already gives finite guesses above zero") {
  delay_watch watch;
  watch.add(1e-9);
  CHECK(watch.first_scale_s() > 0);
  CHECK(watch.first_deviation_s() > 0);
  CHECK(watch.correlation() == 0);
}

TEST_CASE("the recent minimum is of the last round trips only") {
  delay_watch watch;
  CHECK_FALSE(watch.recent(1));
  for (int i = 0; i < 10; ++i)
    watch.add(1e-3 * (20 - i));
  for (int i = 0; i < 4; ++i)
    watch.add(50e-3);
  CHECK(watch.recent(4)->low_s == 50e-3);
  CHECK(watch.recent(5)->low_s == doctest::Approx(11e-3));
  CHECK_FALSE(watch.recent(15));
}

TEST_CASE("a changed path begins anew but for its spread") {
  dice random{10};
  delay_watch watch;
  for (int i = 0; i < 200; ++i)
    watch.add(independent(random));
  const double spread = watch.spread_s();
  for (int i = 0; i < 5; ++i)
    watch.add(independent(random) + 30e-3);
  CHECK(watch.spread_s() > 1.2 * spread);
  watch.path_changed(5);
  CHECK_FALSE(watch.recent(1));
  CHECK(watch.spread_s() == doctest::Approx(spread));
  // The level is the new one: no long way back, no correlation.
  double highest = 0;
  for (int i = 0; i < 100; ++i) {
    watch.add(independent(random) + 30e-3);
    highest = std::max(highest, watch.correlation());
  }
  CHECK(highest < 0.4);
  CHECK(watch.recent(60)->low_s > base + 30e-3);
}

} // namespace concert::ntp::testing
