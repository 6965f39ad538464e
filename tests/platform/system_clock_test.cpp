#include "platform/system_clock.hpp"

#include "platform/kernel_time.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <limits>
#include <new>
#include <vector>

namespace concert::platform {

namespace {

/// What the tests need of the kernel's clock state, shared with the guard.
struct fake_kernel {
  std::atomic<long> tick{10'000};
  std::atomic<long> freq{-12 * 65'536};
  std::atomic<int> status{STA_PLL | STA_UNSYNC};
  std::atomic<long> offset{0};
  std::atomic<bool> forbidden{false};
  timex last_step{};
  timex last_status{};
  int writes = 0;
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
  k.writes += t->modes != 0;
  if (t->modes == ADJ_OFFSET_SINGLESHOT)
    return 0;
  if (t->modes & ADJ_TICK)
    k.tick = t->tick;
  if (t->modes & ADJ_FREQUENCY)
    k.freq = t->freq;
  if (t->modes & ADJ_STATUS)
    k.status = t->status;
  if ((t->modes & ADJ_OFFSET) && (k.status & STA_PLL))
    k.offset = t->offset;
  if (t->modes & ADJ_SETOFFSET)
    k.last_step = *t;
  if (t->modes & ADJ_MAXERROR)
    k.last_status = *t;
  t->tick = k.tick;
  t->freq = k.freq;
  t->status = k.status;
  t->offset = k.offset;
  return TIME_ERROR;
}

std::unique_ptr<clock> open_fake() {
  new (&kernel()) fake_kernel{};
  auto opened = open_system_clock(&fake_adjtimex);
  REQUIRE(opened);
  return std::move(*opened);
}

/// While it lives a signal holds this thread up for half a millisecond, each
/// millisecond.
class interruptions {
public:
  interruptions() {
    counter = 0;
    old_ = std::signal(SIGALRM, [](int) {
      const int number = errno;
      const timespec pause{0, 500'000};
      nanosleep(&pause, nullptr);
      errno = number;
      ++counter;
    });
    const itimerval each_ms{{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &each_ms, nullptr);
  }
  ~interruptions() {
    const itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);
    std::signal(SIGALRM, old_);
  }
  interruptions(const interruptions&) = delete;
  interruptions& operator=(const interruptions&) = delete;

  int count() const { return counter; }

private:
  static inline std::atomic<int> counter{0};
  void (*old_)(int) = SIG_DFL;
};

} // namespace

TEST_CASE("opening changes no frequency and ends the kernel's discipline") {
  new (&kernel()) fake_kernel{};
  kernel().offset = 5000;
  const auto opened = open_system_clock(&fake_adjtimex);
  REQUIRE(opened);
  CHECK(kernel().tick == 10'000);
  CHECK(kernel().freq == -12 * 65'536);
  CHECK(kernel().offset == 0);
  CHECK((kernel().status & STA_PLL) == 0);
  CHECK((kernel().status & STA_UNSYNC) != 0);
  CHECK((*opened)->kind() == "system");
  CHECK((*opened)->frequency()->ppm() == -12);
}

TEST_CASE("without permission the clock does not open") {
  new (&kernel()) fake_kernel{};
  kernel().forbidden = true;
  const auto opened = open_system_clock(&fake_adjtimex);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::permission);
  CHECK(kernel().writes == 0);
}

TEST_CASE("a frequency is taken as the kernel quantises it") {
  auto c = open_fake();
  const auto taken
    = c->set_frequency(ntp::frequency::from_ppm(-1234.567), {}, std::nullopt);
  REQUIRE(taken);
  CHECK(kernel().tick == 9'988);
  CHECK(kernel().freq == std::lround(-34.567 * 65'536));
  CHECK(std::abs(taken->ppm() + 1234.567) < 1e-5);
  CHECK(*c->frequency() == *taken);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(c->set_frequency({nan}, {}, std::nullopt).error().code
        == errc::invalid);
  CHECK(*c->frequency() == *taken);
}

TEST_CASE("steps in both directions are exact and counted") {
  auto c = open_fake();
  CHECK(c->step(ntp::ntp_duration::from_seconds(-0.25)));
  CHECK(kernel().last_step.modes == (ADJ_SETOFFSET | ADJ_NANO));
  CHECK(kernel().last_step.time.tv_sec == -1);
  CHECK(kernel().last_step.time.tv_usec == 750'000'000);
  CHECK(c->step(ntp::ntp_duration::from_seconds(3.5)));
  CHECK(kernel().last_step.time.tv_sec == 3);
  CHECK(kernel().last_step.time.tv_usec == 500'000'000);
  CHECK(c->step_count() == 2);
  kernel().forbidden = true;
  CHECK_FALSE(c->step({}));
  CHECK(c->step_count() == 2);
}

TEST_CASE("the status tells programs what we know") {
  auto c = open_fake();
  kernel_status s{true, ntp::leap_indicator::insert_second, 0.25, 1e-3,
                  std::chrono::seconds{37}};
  CHECK(c->set_status(s));
  const auto& written = kernel().last_status;
  CHECK(written.status == STA_INS);
  CHECK(written.maxerror == 250'000);
  CHECK(written.esterror == 1000);
  CHECK((written.modes & ADJ_TAI) != 0);
  CHECK(written.constant == 37);

  s.leap = ntp::leap_indicator::delete_second;
  s.tai_offset.reset();
  CHECK(c->set_status(s));
  CHECK(written.status == STA_DEL);
  CHECK((written.modes & ADJ_TAI) == 0);

  s.synchronized = false;
  s.max_error_s = 1e9;
  CHECK(c->set_status(s));
  CHECK(written.status == STA_UNSYNC);
  CHECK(written.maxerror == 16'000'000);
}

TEST_CASE("a daemon killed in a slew leaves the kernel at its base frequency") {
  new (&kernel()) fake_kernel{};
  const auto base = ntp::frequency::from_ppm(7);
  const pid_t daemon = fork();
  if (daemon == 0) {
    auto c = open_system_clock(&fake_adjtimex);
    if (!c)
      _exit(1);
    const auto end = monotonic_now() + std::chrono::hours{1};
    [[maybe_unused]] const auto ignored
      = (*c)->set_frequency(ntp::frequency::from_ppm(1000), base, end);
    for (;;)
      pause();
  }
  CHECK(testing::eventually([] { return kernel().tick == 10'010; }));
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
  CHECK(testing::eventually([] { return kernel().tick == 10'000; }));
  CHECK(testing::eventually([] { return kernel().freq == 7 * 65'536; }));
}

TEST_CASE("a clock that ends in a slew is left at its base frequency") {
  auto c = open_fake();
  const auto end = monotonic_now() + std::chrono::hours{1};
  CHECK(c->set_frequency(ntp::frequency::from_ppm(1000),
                         ntp::frequency::from_ppm(5), end));
  CHECK(kernel().tick == 10'010);
  c.reset();
  CHECK(kernel().tick == 10'000);
  CHECK(kernel().freq == 5 * 65'536);
}

TEST_CASE("a slew that was ended is not restored") {
  auto c = open_fake();
  const auto end = monotonic_now() + std::chrono::hours{1};
  CHECK(c->set_frequency(ntp::frequency::from_ppm(1000), {0}, end));
  CHECK(c->set_frequency(ntp::frequency::from_ppm(9), {0}, std::nullopt));
  c.reset();
  CHECK(kernel().freq == 9 * 65'536);
}

TEST_CASE("all scales of a reading belong to one instant") {
  const auto c = open_read_only_clock();
  const auto first = c->read();
  const auto second = c->read();
  CHECK(second.raw >= first.raw);
  CHECK(second.mono > first.mono);
  CHECK(first.boot + first.spread.nanoseconds()
        >= first.mono.time_since_epoch());
  CHECK(first.wall == ntp::ntp_timestamp::from_unix(first.unix_time));
  CHECK(first.spread >= ntp::ntp_duration{});
  // Both scales advance alike, to the uncertainty that the readings admit and
  // what two crystals' corrections may differ by.
  const double wall = (second.wall - first.wall).seconds();
  const double raw = (second.raw - first.raw).seconds();
  CHECK(std::abs(wall - raw)
        <= first.spread.seconds() + second.spread.seconds() + raw * 0.11);
  CHECK(c->precision() <= -10);
  CHECK(c->precision() >= -32);
}

TEST_CASE("an interrupted reading does not look like a suspended machine") {
  std::unique_ptr<clock> c;
  SUBCASE("of the kernel's clock") {
    c = open_read_only_clock();
  }
  SUBCASE("of a virtual clock") {
    c = std::move(*open_virtual_clock({}));
  }
  const auto asleep = [](const ntp::clock_reading& r) {
    return ntp::seconds_of(r.boot - r.mono.time_since_epoch());
  };
  const auto truth = read_bracketed(CLOCK_MONOTONIC, CLOCK_BOOTTIME);
  const double expected = ntp::seconds_of(truth.inner - truth.outer);
  const interruptions often;
  int wrong = 0;
  while (often.count() < 400) {
    const auto r = c->read();
    wrong += std::abs(asleep(r) - expected) > 10 * r.spread.seconds() + 100e-6;
  }
  CHECK(wrong == 0);
}

TEST_CASE("a kernel stamp is put on the raw scale") {
  const auto c = open_read_only_clock();
  const auto before = c->read();
  const auto stamp = kernel_time(CLOCK_REALTIME);
  const auto after = c->read();
  const auto s = c->stamp_of(stamp, ntp::stamp_kind::kernel);
  CHECK(s.wall == ntp::ntp_timestamp::from_unix(stamp));
  CHECK(s.kind == ntp::stamp_kind::kernel);
  const auto slack = ntp::ntp_duration::from_seconds(1e-5);
  CHECK(s.raw > before.raw - slack);
  CHECK(s.raw < after.raw + slack);
}

TEST_CASE("the read-only clock refuses every change") {
  const auto c = open_read_only_clock();
  CHECK(c->kind() == "read-only");
  CHECK(c->frequency());
  CHECK(c->set_frequency({}, {}, std::nullopt).error().code
        == errc::permission);
  CHECK(c->step({}).error().code == errc::permission);
  CHECK(c->set_status({}).error().code == errc::permission);
  CHECK_FALSE(c->true_error_s());
  CHECK(c->step_count() == 0);
}

} // namespace concert::platform
