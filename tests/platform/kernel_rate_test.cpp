#include "platform/kernel_rate.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::platform {

TEST_CASE("every frequency up to 10 % is split within the kernel's limits") {
  for (const long user_hz : {100, 250, 1000})
    for (int i = -3000; i <= 3000; ++i) {
      const double ppm = i * 33.333;
      const auto rate = to_kernel_rate(ntp::frequency::from_ppm(ppm), user_hz);
      REQUIRE(std::abs(rate.freq) <= 500 * 65'536);
      REQUIRE(rate.tick >= 900'000 / user_hz);
      REQUIRE(rate.tick <= 1'100'000 / user_hz);
      const double back = from_kernel_rate(rate, user_hz).ppm();
      REQUIRE(std::abs(back - ppm) <= 0.5001 / 65'536);
    }
}

TEST_CASE("small corrections leave the tick alone") {
  const auto rate = to_kernel_rate(ntp::frequency::from_ppm(-499.5), 100);
  CHECK(rate.tick == 10'000);
  CHECK(rate.freq == -32'735'232);
  CHECK(to_kernel_rate(ntp::frequency::from_ppm(1000), 100).tick == 10'010);
  CHECK(to_kernel_rate(ntp::frequency::from_ppm(1000), 100).freq == 0);
}

TEST_CASE("beyond 10 % the limit is taken") {
  CHECK(from_kernel_rate(to_kernel_rate({1}, 100), 100).ppm()
        == doctest::Approx(100'000));
  CHECK(from_kernel_rate(to_kernel_rate({-1}, 100), 100).ppm()
        == doctest::Approx(-100'000));
}

} // namespace concert::platform
