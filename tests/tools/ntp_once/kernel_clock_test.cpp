#include "platform/kernel_time.hpp"
#include "tools/ntp_once/clocks.hpp"
#include "tools/ntp_once/guard.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

namespace concert::once {

namespace {

using namespace std::chrono_literals;

/// What the tests need of the kernel's clock state, shared with the guard.
struct fake_kernel {
  std::atomic<long> tick{10'000};
  std::atomic<long> freq{0};
  std::atomic<int> status{STA_PLL | STA_UNSYNC};
  std::atomic<bool> forbidden{false};
  timex last{};
};

fake_kernel& kernel() {
  static auto* shared
    = new (mmap(nullptr, sizeof(fake_kernel), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0)) fake_kernel{};
  return *shared;
}

int fake_adjtimex(timex* t) {
  auto& k = kernel();
  if (t->modes != 0 && k.forbidden) {
    errno = EPERM;
    return -1;
  }
  if (t->modes != 0)
    k.last = *t;
  if ((t->modes & ADJ_TICK) != 0)
    k.tick = t->tick;
  if ((t->modes & ADJ_FREQUENCY) != 0)
    k.freq = t->freq;
  if ((t->modes & ADJ_STATUS) != 0)
    k.status = t->status;
  t->tick = k.tick;
  t->freq = k.freq;
  t->status = k.status;
  return TIME_ERROR;
}

std::unique_ptr<platform::clock> open_fake(time_scale scale = time_scale::raw) {
  new (&kernel()) fake_kernel{};
  auto opened = open_kernel_clock(scale, &fake_adjtimex);
  REQUIRE(opened);
  return std::move(*opened);
}

constexpr long ppm = 65'536;

/// Whether the frequency becomes this within some seconds.
bool frequency_becomes(long value) {
  for (int i = 0; i < 500 && kernel().freq != value; ++i)
    poll(nullptr, 0, 10);
  return kernel().freq == value;
}

} // namespace

TEST_CASE("the kernel's own steering ends when its clock is opened") {
  const auto clock = open_fake();
  CHECK(kernel().status == STA_UNSYNC);
  CHECK(clock->kind() == "system");
}

TEST_CASE("a clock that may not be set is an error of permission") {
  new (&kernel()) fake_kernel{};
  kernel().forbidden = true;
  const auto opened = open_kernel_clock(time_scale::raw, &fake_adjtimex);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == platform::errc::permission);
}

TEST_CASE("the frequency is set in the kernel's units and read back") {
  const auto clock = open_fake();
  const auto taken = clock->set_frequency(ntp::frequency::from_ppm(-12.5),
                                          ntp::frequency::from_ppm(-12.5), {});
  REQUIRE(taken);
  CHECK(taken->ppm() == doctest::Approx(-12.5));
  CHECK(clock->frequency()->ppm() == doctest::Approx(-12.5));
  CHECK(kernel().freq == -25 * ppm / 2);
}

TEST_CASE("a step is whole seconds and nanoseconds forward of them") {
  const auto clock = open_fake();
  REQUIRE(clock->step(ntp::ntp_duration::from_seconds(-0.25)));
  CHECK(kernel().last.modes == (ADJ_SETOFFSET | ADJ_NANO));
  CHECK(kernel().last.time.tv_sec == -1);
  CHECK(kernel().last.time.tv_usec == 750'000'000);
  CHECK(clock->step_count() == 1);
}

TEST_CASE("the kernel is told whether the clock is right, and how right") {
  const auto clock = open_fake();
  REQUIRE(clock->set_status(
    {true, ntp::leap_indicator::insert_second, 0.002, 1e-5, std::nullopt}));
  CHECK(kernel().status == STA_INS);
  CHECK(kernel().last.maxerror == 2000);
  CHECK(kernel().last.esterror == 10);
  REQUIRE(clock->set_status({}));
  CHECK(kernel().status == STA_UNSYNC);
}

TEST_CASE("a watched clock refuses every change") {
  const auto clock = open_watched_clock(time_scale::raw);
  CHECK(clock->kind() == "read-only");
  CHECK_FALSE(clock->set_frequency({}, {}, {}));
  CHECK_FALSE(clock->step(ntp::ntp_duration::from_seconds(1)));
  CHECK_FALSE(clock->set_status({}));
}

TEST_CASE("the monotonic scale takes the kernel's correction out") {
  const auto clock = open_fake(time_scale::monotonic);
  // The fake kernel's clock does not really run faster, so that the scale
  // without the correction must run slower.
  REQUIRE(clock->set_frequency({0.1}, {0.1}, {}));
  const auto before = clock->read();
  poll(nullptr, 0, 20);
  const auto after = clock->read();
  const double mono = ntp::seconds_of(after.mono - before.mono);
  CHECK((after.raw - before.raw).seconds()
        == doctest::Approx(mono / 1.1).epsilon(1e-6));
}

TEST_CASE("both scales pair a kernel stamp with the oscillator's time") {
  for (const auto scale : {time_scale::raw, time_scale::monotonic}) {
    const auto clock = open_watched_clock(scale);
    const auto now = clock->read();
    const auto stamp
      = clock->stamp_of(now.unix_time - 1s, ntp::stamp_kind::kernel);
    CHECK((now.raw - stamp.raw).seconds() == doctest::Approx(1).epsilon(0.001));
    CHECK((now.wall - stamp.wall).seconds() == doctest::Approx(1));
  }
}

TEST_CASE("a slew that nobody ends is ended by the guard") {
  const auto clock = open_fake();
  const auto base = ntp::frequency::from_ppm(10);
  REQUIRE(clock->set_frequency(ntp::frequency::from_ppm(110), base,
                               platform::monotonic_now() + 50ms));
  CHECK(kernel().freq == 110 * ppm);
  CHECK(frequency_becomes(10 * ppm));
}

TEST_CASE("a slew that was ended in time is nothing to the guard") {
  const auto clock = open_fake();
  const auto slewing = ntp::frequency::from_ppm(110);
  REQUIRE(clock->set_frequency(slewing, {}, platform::monotonic_now()));
  REQUIRE(clock->set_frequency(slewing, slewing, {}));
  // Longer than the guard would have waited.
  poll(nullptr, 0, 400);
  CHECK(kernel().freq == 110 * ppm);
}

TEST_CASE("a slew ends when the process dies in it") {
  new (&kernel()) fake_kernel{};
  const auto child = fork();
  if (child == 0) {
    const auto clock = open_kernel_clock(time_scale::raw, &fake_adjtimex);
    const auto later = platform::monotonic_now() + std::chrono::hours{1};
    _exit(clock
              && (*clock)->set_frequency(ntp::frequency::from_ppm(110),
                                         ntp::frequency::from_ppm(10), later)
            ? 0
            : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(frequency_becomes(10 * ppm));
}

} // namespace concert::once
