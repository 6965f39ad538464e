#include "ntp_core/nts/ke_backoff.hpp"

#include "tests/ntp_core/support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

namespace concert::ntp {

namespace {

/// Always the same.
class constant_random : public random_source {
public:
  explicit constant_random(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

private:
  std::uint64_t value_;
};

double seconds(std::chrono::nanoseconds t) {
  return std::chrono::duration<double>{t}.count();
}

} // namespace

TEST_CASE("waits between key exchanges grow by half from 10 s to 5 days") {
  constant_random middle{std::uint64_t{1} << 63};
  ke_backoff b;
  double expected = 10;
  for (int n = 1; n <= 40; ++n) {
    CHECK(seconds(b.on_attempt(middle)) == doctest::Approx(expected));
    expected = std::min(expected * 1.5, 432000.0);
  }
  CHECK(expected == 432000);
  CHECK(b.attempts() == 40);
}

TEST_CASE("waits are spread by a tenth to both sides") {
  constant_random least{0};
  constant_random most{~std::uint64_t{0}};
  CHECK(seconds(ke_backoff{}.on_attempt(least)) == doctest::Approx(9));
  CHECK(seconds(ke_backoff{}.on_attempt(most)) == doctest::Approx(11));
  test::seeded_random random;
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto wait = seconds(ke_backoff{}.on_attempt(random));
    CHECK(wait >= 9);
    CHECK(wait <= 11);
    sum += wait;
  }
  CHECK(sum / 1000 == doctest::Approx(10).epsilon(0.01));
}

TEST_CASE("only a good answer with the keys of the last exchange ends it") {
  test::seeded_random random;
  ke_backoff b;
  b.on_attempt(random);
  b.on_attempt(random);
  b.on_good_answer(); // by older keys
  CHECK(b.attempts() == 2);
  b.on_keys();
  CHECK(b.attempts() == 2);
  b.on_attempt(random); // these keys never worked
  b.on_good_answer();
  CHECK(b.attempts() == 3);
  b.on_keys();
  b.on_good_answer();
  CHECK(b.attempts() == 0);
  CHECK(seconds(b.on_attempt(random)) <= 11);
}

} // namespace concert::ntp
