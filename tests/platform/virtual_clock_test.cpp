#include "platform/clock.hpp"
#include "platform/kernel_time.hpp"
#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <csignal>

namespace concert::platform {

using namespace std::chrono_literals;

namespace {

std::unique_ptr<clock> open_clock(const virtual_clock_options& options) {
  auto opened = open_virtual_clock(options);
  REQUIRE(opened);
  return std::move(*opened);
}

/// Pairing with the truth takes two readings.
constexpr double pairing = 5e-6;

} // namespace

TEST_CASE("a virtual clock starts with its offset and takes steps exactly") {
  auto c = open_clock({.initial_offset_s = 0.25});
  CHECK(c->kind() == "virtual");
  CHECK(std::abs(*c->true_error_s() - 0.25) < pairing);
  CHECK(c->step(ntp::ntp_duration::from_seconds(-0.25)));
  CHECK(std::abs(*c->true_error_s()) < pairing);
  CHECK(c->step_count() == 1);
}

TEST_CASE("the wall clock runs at the corrected rate over the oscillator") {
  auto c = open_clock({.frequency_error = 40e-6});
  const auto taken
    = c->set_frequency(ntp::frequency::from_ppm(1000.000001), {}, std::nullopt);
  REQUIRE(taken);
  CHECK(taken->ppm() == 1000);
  CHECK(*c->frequency() == *taken);
  const auto first = c->read();
  std::this_thread::sleep_for(2ms);
  const auto second = c->read();
  const double raw = (second.raw - first.raw).seconds();
  const double wall = (second.wall - first.wall).seconds();
  const double mono = ntp::seconds_of(second.mono - first.mono);
  CHECK(std::abs(wall - raw * 1.001) < 1e-9);
  CHECK(std::abs(raw - mono * (1 + 40e-6)) < 1e-9);
}

TEST_CASE("kernel stamps go through the model") {
  auto c = open_clock({.initial_offset_s = -3});
  const auto before = c->stamp_now();
  const auto realtime = kernel_time(CLOCK_REALTIME);
  const auto after = c->stamp_now();
  const auto stamp = c->stamp_of(realtime, ntp::stamp_kind::kernel);
  const auto slack = ntp::ntp_duration::from_seconds(pairing);
  CHECK(stamp.raw > before.raw - slack);
  CHECK(stamp.raw < after.raw + slack);
  CHECK(stamp.wall - before.wall > -slack);
  CHECK(after.wall - stamp.wall > -slack);
  CHECK(stamp.kind == ntp::stamp_kind::kernel);
  CHECK(std::abs((c->wall_of(realtime) - stamp.wall).seconds()) < pairing);
  CHECK(before.kind == ntp::stamp_kind::daemon);
}

TEST_CASE("the TAI offset is kept") {
  auto c = open_clock({});
  CHECK(c->read().tai_offset == 0s);
  CHECK(c->set_status({.synchronized = true, .tai_offset = 37s}));
  CHECK(c->read().tai_offset == 37s);
}

TEST_CASE("a clock in a file outlasts its process") {
  const testing::temporary_folder folder;
  const virtual_clock_options options{
    .initial_offset_s = 1, .wander = 1e-9, .path = folder / "clock"};
  {
    auto c = open_clock(options);
    CHECK(c->step(ntp::ntp_duration::from_seconds(5)));
    CHECK(c->set_frequency({1e-4}, {}, std::nullopt));
  }
  CHECK(std::abs(*read_virtual_clock_error(*options.path) - 6) < 1e-2);
  {
    auto again = open_clock(options);
    CHECK(std::abs(*again->true_error_s() - 6) < 1e-2);
    CHECK(again->frequency()->ppm() == doctest::Approx(100));
  }
  SUBCASE("other parameters make another clock") {
    auto other = options;
    other.initial_offset_s = 2;
    CHECK(std::abs(*open_clock(other)->true_error_s() - 2) < 1e-2);
  }
  SUBCASE("another boot makes another clock") {
    auto text = testing::contents(*options.path);
    text[12] = static_cast<char>(text[12] ^ 1); // the boot's id
    testing::overwrite(*options.path, text);
    CHECK_FALSE(read_virtual_clock_error(*options.path));
    CHECK(std::abs(*open_clock(options)->true_error_s() - 1) < 1e-2);
  }
}

TEST_CASE("a file that holds something else is left alone") {
  const testing::temporary_folder folder;
  const virtual_clock_options options{.path = folder / "clock"};
  std::string text = "precious";
  SUBCASE("short") {
  }
  SUBCASE("of just our size") {
    open_clock(options);
    text.resize(std::filesystem::file_size(*options.path), 'x');
  }
  testing::overwrite(*options.path, text);
  const auto refused = open_virtual_clock(options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::corrupt);
  CHECK(testing::contents(*options.path) == text);
  CHECK(read_virtual_clock_error(*options.path).error().code == errc::corrupt);
  CHECK(open_virtual_clock({.path = folder / "none/clock"}).error().code
        == errc::unavailable);
  CHECK(read_virtual_clock_error(folder / "none").error().code
        == errc::unavailable);
}

TEST_CASE("a daemon that goes in a slew costs at most 1 ms beyond the goal") {
  const testing::temporary_folder folder;
  const virtual_clock_options options{.initial_offset_s = -0.1,
                                      .path = folder / "clock"};
  // The slew of 100 ms at 1000 ppm is in its last 200 ms.
  constexpr double begin = -0.0002;
  int signal = SIGKILL;
  SUBCASE("killed") {
    signal = SIGKILL;
  }
  SUBCASE("stopped") {
    signal = SIGSTOP;
  }
  SUBCASE("hung") {
    signal = 0;
  }
  const pid_t daemon = fork();
  if (daemon == 0) {
    auto c = open_virtual_clock(options);
    if (!c)
      _exit(1);
    [[maybe_unused]] const auto stepped
      = (*c)->step(ntp::ntp_duration::from_seconds(0.1 + begin));
    [[maybe_unused]] const auto slewing
      = (*c)->set_frequency({1e-3}, {0}, monotonic_now() + 200ms);
    for (;;)
      pause();
  }
  const auto error
    = [&] { return read_virtual_clock_error(*options.path).value_or(1); };
  CHECK(testing::eventually([&] { return std::abs(error()) < 0.01; }));
  const auto gone = monotonic_now();
  if (signal != 0)
    kill(daemon, signal);
  // At its base frequency the clock keeps its error.
  CHECK(testing::eventually([&] {
    const double first = error();
    std::this_thread::sleep_for(20ms);
    return std::abs(error() - first) < 5e-6;
  }));
  CHECK(error() > begin - 1e-4);
  CHECK(error() < 1e-3);
  if (signal == SIGKILL)
    CHECK(monotonic_now() - gone < 2s);
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
}

} // namespace concert::platform
