#include "ntp_core/discipline/path_delay.hpp"

#include "tests/ntp_core/discipline/world.hpp"

#include <doctest/doctest.h>

#include <random>

namespace concert::ntp::testing {

namespace {

/// Round trips of a path: base and two exponential queues.
class queues {
public:
  queues(double base_s, double mean_s) : base_s_(base_s), mean_s_(mean_s) {}
  double next() { return base_s_ + mean_s_ * (draw() + draw()); }
  void lengthen(double by_s) { base_s_ += by_s; }

private:
  double draw() {
    return -std::log((static_cast<double>(bits_() >> 11) + 0.5) * 0x1p-53);
  }

  double base_s_;
  double mean_s_;
  std::mt19937_64 bits_{3};
};

} // namespace

TEST_CASE("the base is the smallest round trip, the excess what is above it") {
  path_delay d;
  queues q{ms(1), us(10)};
  for (int i = 0; i < 500; ++i)
    d.add(q.next());
  CHECK(d.base_s() == doctest::Approx(ms(1)).epsilon(0.005));
  CHECK(d.mean_excess_s() == doctest::Approx(us(20)).epsilon(0.3));
  CHECK(d.samples() == 500);
}

TEST_CASE("a remembered path is trusted until it stays away") {
  path_delay d{ms(1), us(20)};
  queues q{ms(1), us(10)};
  CHECK(d.base_s() == ms(1));
  CHECK(d.mean_excess_s() == us(20));
  CHECK(d.queueing_variance(ms(1)) < us(6) * us(6));
  SUBCASE("a longer one is taken over after eight samples") {
    q.lengthen(ms(1));
    for (int i = 0; i < 7; ++i)
      d.add(q.next());
    CHECK(d.base_s() == ms(1));
    d.add(q.next());
    CHECK(d.base_s() == doctest::Approx(ms(2)).epsilon(0.01));
    CHECK(d.mean_excess_s() == doctest::Approx(us(20)));
  }
  SUBCASE("a shorter one at once") {
    d.add(ms(0.5));
    CHECK(d.base_s() == ms(0.5));
  }
}

TEST_CASE("a shorter path counts at once") {
  path_delay d;
  for (int i = 0; i < 20; ++i)
    d.add(ms(2));
  d.add(ms(1));
  CHECK(d.base_s() == ms(1));
}

TEST_CASE("a longer path is taken up within two blocks of samples") {
  path_delay d;
  queues q{ms(1), us(10)};
  for (int i = 0; i < 200; ++i)
    d.add(q.next());
  q.lengthen(ms(1));
  for (int i = 0; i < 7; ++i)
    d.add(q.next());
  CHECK(d.base_s() < ms(1.1));
  for (int i = 0; i < 9; ++i)
    d.add(q.next());
  CHECK(d.base_s() > ms(1.9));
  CHECK(d.mean_excess_s() < us(60));
}

TEST_CASE("some slow round trips do not make the path longer") {
  path_delay d;
  queues q{ms(1), us(10)};
  for (int i = 0; i < 300; ++i)
    d.add(q.next() + (i % 8 == 7 ? 0 : ms(1)));
  CHECK(d.base_s() < ms(1.1));
}

TEST_CASE("a delayed sample counts less, and the first ones are not trusted") {
  path_delay d;
  d.add(ms(1));
  const double first = d.queueing_variance(ms(1));
  for (int i = 0; i < 50; ++i)
    d.add(ms(1) + us(i % 5));
  CHECK(d.queueing_variance(ms(1)) < first / 100);
  CHECK(d.queueing_variance(ms(2)) > us(200) * us(200));
}

} // namespace concert::ntp::testing
