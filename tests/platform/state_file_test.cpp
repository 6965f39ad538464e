#include "platform/state_file.hpp"

#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <limits>

namespace concert::platform {

using testing::temporary_folder;

namespace {

ntp::path_memory path() {
  ntp::path_memory p;
  p.clock.at = ntp::raw_time::from_units(0x123456789abcdef);
  p.clock.origin = ntp::ntp_duration::from_units(-0x6edcba9876543210);
  p.clock.offset_s = -0.012345678901234567;
  p.clock.frequency = 12.3e-6;
  p.clock.variance_s2 = 3.7e-12;
  p.clock.covariance_s = -1.1e-14;
  p.clock.frequency_variance = 4.4e-16;
  p.clock.wander = 1.7e-9;
  p.base_delay_s = 0.0123;
  p.mean_excess_s = 0;
  p.asymmetry_s = -1.5e-3;
  p.sent = ntp::stamp_kind::daemon;
  p.received = ntp::stamp_kind::hardware;
  return p;
}

saved_state example() {
  saved_state s;
  s.oscillator = ntp::frequency{-12.345678901234567e-6};
  s.frequency_deviation = 1.5e-8;
  s.time = std::chrono::nanoseconds{1'700'000'000'123'456'789};
  s.boot_id = "01234567-89ab-cdef-0123-456789abcdef";
  s.started_this_boot = true;
  s.accumulated_steps_s = 0.25;
  s.sources = {
    {"pool.example.org", *ntp::endpoint::parse("192.0.2.1:123"), 3.5, path()},
    {"a name with spaces", *ntp::endpoint::parse("[2001:db8::1]:4123"), 8, {}}};
  return s;
}

bool same(const saved_state& a, const saved_state& b) {
  return a.oscillator == b.oscillator
         && a.frequency_deviation == b.frequency_deviation && a.time == b.time
         && a.boot_id == b.boot_id && a.started_this_boot == b.started_this_boot
         && a.accumulated_steps_s == b.accumulated_steps_s
         && a.sources == b.sources;
}

} // namespace

TEST_CASE("a state comes back exactly as it was saved") {
  const temporary_folder folder;
  const auto path = folder / "state";
  REQUIRE(save_state(path, example()));
  const auto loaded = load_state(path);
  REQUIRE(loaded);
  CHECK(same(*loaded, example()));
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(folder / "state.new"));

  REQUIRE(save_state(path, {}));
  CHECK(same(*load_state(path), {}));
  CHECK_FALSE(load_state(path)->oscillator);
}

TEST_CASE("no state is not a damaged state") {
  const temporary_folder folder;
  CHECK(load_state(folder / "none").error().code == errc::unavailable);
}

TEST_CASE("every truncation is noticed") {
  const temporary_folder folder;
  const auto path = folder / "state";
  REQUIRE(save_state(path, example()));
  const auto whole = testing::contents(path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    testing::overwrite(path, whole.substr(0, size));
    REQUIRE(load_state(path).error().code == errc::corrupt);
  }
}

TEST_CASE("every flipped bit is noticed") {
  const temporary_folder folder;
  const auto path = folder / "state";
  REQUIRE(save_state(path, example()));
  const auto whole = testing::contents(path);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    testing::overwrite(path, damaged);
    REQUIRE(load_state(path).error().code == errc::corrupt);
  }
}

TEST_CASE("values that make no sense are neither written nor believed") {
  const temporary_folder folder;
  const auto path = folder / "state";
  REQUIRE(save_state(path, example()));
  const auto refuse = [&](auto change) {
    auto s = example();
    change(s);
    CHECK(save_state(path, s).error().code == errc::invalid);
    CHECK(same(*load_state(path), example()));
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  refuse([](auto& s) { s.oscillator->ratio = nan; });
  refuse([](auto& s) { s.oscillator->ratio = 0.2; });
  refuse([](auto& s) { s.frequency_deviation = -1; });
  refuse([](auto& s) { s.accumulated_steps_s = infinity; });
  refuse([](auto& s) { s.time = std::chrono::nanoseconds{-1}; });
  refuse([](auto& s) { s.sources[0].path->base_delay_s = 0; });
  refuse([](auto& s) { s.sources[0].path->mean_excess_s = -1; });
  refuse([](auto& s) { s.sources[0].path->clock.offset_s = infinity; });
  refuse([](auto& s) { s.sources[0].path->clock.frequency = -0.2; });
  refuse([](auto& s) { s.sources[0].path->clock.variance_s2 = 0; });
  refuse([](auto& s) { s.sources[0].path->clock.covariance_s = 1e-13; });
  refuse([](auto& s) { s.sources[0].path->clock.frequency_variance = nan; });
  refuse([](auto& s) { s.sources[0].path->clock.wander = -1e-9; });
  refuse([](auto& s) { s.sources[1].burst_tokens = nan; });
  refuse([](auto& s) { s.sources[1].name = "a\nboot-id x"; });
  refuse([](auto& s) { s.sources[0].name = std::string(1 << 20, 'x'); });

  // Right sums, wrong contents; the sums were taken from another program.
  for (const char* text : {
         "concert-state 1\ncrc32 d02c2850\noscillator nan\n",
         "concert-state 1\ncrc32 64edfca9\ntime -5\n",
         "concert-state 1\ncrc32 677defa2\nsource 192.0.2.1:123 inf x\n",
         "concert-state 1\ncrc32 a9701a3e\nsource 192.0.2.1:123 8 x\n"
         "path 9 9 1 1 1 1e-6 1e-9 0 1e-9 1e-8 1e-2 1e-4 0 1\n",
         "concert-state 1\ncrc32 d21b846c\nsource 192.0.2.1:123 8 x\n"
         "path 9 9 1 1 1 1e-6 1e-9 0 1e-9 1e-8 1e-2 1e-4\n",
         "concert-state 1\ncrc32 dcbb2158\nsource 192.0.2.1:123 8 x\n"
         "path 9 9 1 1 1 1e-6 0 0 1e-9 1e-8 1e-2 1e-4 0\n",
         "concert-state 1\ncrc32 2b71b18f\n"
         "path 9 9 1 1 1 1e-6 1e-9 0 1e-9 1e-8 1e-2 1e-4 0\n",
         "concert-state 1\ncrc32 462f5ee5\nunknown 1\n",
         "concert-state 1\ncrc32 656cda58\noscillator 1e-6x\n",
       }) {
    testing::overwrite(path, text);
    CHECK(load_state(path).error().code == errc::corrupt);
  }
}

TEST_CASE("the check is the usual CRC-32") {
  const temporary_folder folder;
  testing::overwrite(
    folder / "state",
    "concert-state 1\ncrc32 ce52b126\nfrequency-deviation 1e-07\n");
  CHECK(load_state(folder / "state")->frequency_deviation == 1e-7);
}

TEST_CASE("only a file is read, and not without end") {
  const temporary_folder folder;
  CHECK_FALSE(load_state(folder / "."));
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(load_state(folder / "pipe"));
  CHECK(load_state("/dev/zero").error().code == errc::corrupt);
}

TEST_CASE("a full disk leaves the old state whole") {
  const temporary_folder folder;
  const auto path = folder / "state";
  REQUIRE(save_state(path, example()));
  const int status = testing::in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto s = example();
    s.accumulated_steps_s = 99;
    return save_state(path, s) ? 1 : 0;
  });
  CHECK(status == 0);
  CHECK(same(*load_state(path), example()));
  CHECK_FALSE(std::filesystem::exists(folder / "state.new"));
}

TEST_CASE("a folder that cannot be written is an error with a sentence") {
  const temporary_folder folder;
  const auto refused = save_state(folder / "none/state", example());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().text.find("none/state: No such file")
        != std::string::npos);
  const auto in_proc = save_state("/proc/state", example());
  CHECK_FALSE(in_proc);
}

TEST_CASE("the boot has an id") {
  CHECK(boot_id().size() == 36);
  CHECK(boot_id() == boot_id());
}

} // namespace concert::platform
