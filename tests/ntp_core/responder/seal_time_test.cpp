#include "ntp_core/responder/seal_time.hpp"

#include <doctest/doctest.h>

namespace concert::ntp {

namespace {

ntp_duration us(double value) {
  return ntp_duration::from_seconds(value * 1e-6);
}

double said_us(const seal_time& t, std::size_t seals) {
  return t.of(seals).seconds() * 1e6;
}

} // namespace

TEST_CASE("seals take no time before one was measured") {
  CHECK(seal_time{}.of(16) == ntp_duration{});
}

TEST_CASE("what a group's seals take follows from the least of each") {
  seal_time t;
  t.on_group(4, us(4));
  t.on_group(16, us(8));
  t.on_group(1, us(20));
  CHECK(said_us(t, 0) == 0);
  CHECK(said_us(t, 1) == doctest::Approx(0.5).epsilon(1e-3));
  CHECK(said_us(t, 10) == doctest::Approx(5).epsilon(1e-3));
}

TEST_CASE("a machine that has become slower is followed after a while") {
  seal_time t;
  t.on_group(1, us(1));
  for (std::size_t i = 0; i < recent_minimum::window; ++i)
    t.on_group(1, us(3));
  CHECK(said_us(t, 1) == doctest::Approx(1).epsilon(1e-3));
  for (std::size_t i = 0; i < 2 * recent_minimum::window; ++i)
    t.on_group(1, us(3));
  CHECK(said_us(t, 1) == doctest::Approx(3).epsilon(1e-3));
}

TEST_CASE("a clock that was stepped and a thread that was interrupted teach "
          "nothing of seals") {
  seal_time t;
  t.on_group(2, us(-1));
  t.on_group(2, us(201));
  CHECK(t.of(1) == ntp_duration{});
  t.on_group(2, us(199));
  CHECK(said_us(t, 1) == doctest::Approx(99.5).epsilon(1e-3));
}

} // namespace concert::ntp
