#include "tools/ntp_once/clocks.hpp"

#include <doctest/doctest.h>

namespace concert::once {

TEST_CASE("a model clock starts with its offset, and a step goes on from it") {
  platform::virtual_clock_options o;
  o.initial_offset_s = 0.25;
  const auto clock = open_model_clock(o);
  CHECK(*clock->true_error_s() == doctest::Approx(0.25).epsilon(0.001));
  REQUIRE(clock->step(ntp::ntp_duration::from_seconds(-0.25)));
  CHECK(std::abs(*clock->true_error_s()) < 1e-3);
  CHECK(clock->step_count() == 1);
}

TEST_CASE("a model clock runs as wrong as it is told, and as it is corrected") {
  platform::virtual_clock_options o;
  o.frequency_error = 0.1;
  const auto clock = open_model_clock(o);
  const auto rate = [&] {
    const auto first = clock->read();
    auto next = first;
    while (next.mono - first.mono < std::chrono::milliseconds{5})
      next = clock->read();
    return (next.wall - first.wall).seconds()
           / ntp::seconds_of(next.mono - first.mono);
  };
  CHECK(rate() == doctest::Approx(1.1).epsilon(1e-6));
  REQUIRE(clock->set_frequency({-0.05}, {-0.05}, {}));
  CHECK(rate() == doctest::Approx(1.1 * 0.95).epsilon(1e-6));
}

TEST_CASE("stamps of the kernel are mapped onto a model clock") {
  platform::virtual_clock_options o;
  o.initial_offset_s = -3;
  const auto clock = open_model_clock(o);
  const auto real = open_watched_clock(time_scale::raw);
  const auto now = real->read();
  const auto stamp = clock->stamp_of(now.unix_time, ntp::stamp_kind::kernel);
  CHECK((stamp.wall - now.wall).seconds() == doctest::Approx(-3).epsilon(1e-4));
  CHECK(stamp.kind == ntp::stamp_kind::kernel);
}

} // namespace concert::once
