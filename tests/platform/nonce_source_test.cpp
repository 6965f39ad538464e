#include "platform/nonce_source.hpp"

#include "platform/sanitizers.hpp"
#include "tests/platform/no_system_calls.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <set>

namespace concert::platform {

namespace {

std::unique_ptr<nonce_source> make() {
  auto made = nonce_source::make();
  REQUIRE_MESSAGE(made, made.error().text);
  return std::move(*made);
}

} // namespace

TEST_CASE("numbers for nonces do not come again, not even from elsewhere") {
  const auto one = make();
  const auto other = make();
  std::set<std::uint64_t> seen{0};
  for (int i = 0; i < 10'000; ++i) {
    seen.insert(one->next());
    seen.insert(other->next());
  }
  CHECK(seen.size() == 20'001);
}

TEST_CASE("each bit of a number for nonces is set half of the time") {
  constexpr int count = 100'000;
  const auto source = make();
  std::array<int, 64> set{};
  for (int i = 0; i < count; ++i) {
    const auto number = source->next();
    for (std::size_t bit = 0; bit < set.size(); ++bit)
      set[bit] += static_cast<int>(number >> bit & 1);
  }
  // Seven standard deviations.
  for (const int times : set)
    CHECK(std::abs(times - count / 2) < 3.5 * std::sqrt(count));
}

TEST_CASE("numbers for nonces need no system call"
          * doctest::skip(address_sanitizer || thread_sanitizer)) {
  const auto source = make();
  CHECK(testing::without_system_calls([&] {
    std::uint64_t any = 0;
    for (int i = 0; i < 10'000; ++i)
      any |= source->next();
    return any != 0;
  }));
}

} // namespace concert::platform
