#include "platform/clock.hpp"
#include "platform/dead_man.hpp"
#include "platform/kernel_clock.hpp"
#include "platform/kernel_rate.hpp"
#include "platform/kernel_time.hpp"
#include "platform/socket.hpp"
#include "platform/state_file.hpp"
#include "platform/virtual_time.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <new>
#include <thread>

namespace concert::platform {

namespace {

constexpr std::size_t page_size = sizeof(virtual_clock_page);

/// Unmaps what it holds.
struct unmap {
  void operator()(virtual_clock_page* page) const { munmap(page, page_size); }
};

using mapping = std::unique_ptr<virtual_clock_page, unmap>;

/// Maps a file, or memory without one for -1.
mapping map(int fd, bool writable) {
  void* memory
    = mmap(nullptr, page_size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
           fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
  return mapping{
    memory == MAP_FAILED ? nullptr : static_cast<virtual_clock_page*>(memory)};
}

std::array<char, 40> this_boot() {
  std::array<char, 40> id{};
  const auto text = boot_id();
  std::copy_n(text.begin(), std::min(text.size(), id.size()), id.begin());
  return id;
}

/// CLOCK_REALTIME − CLOCK_MONOTONIC.
std::chrono::nanoseconds realtime_ahead() {
  const auto pair = read_bracketed(CLOCK_MONOTONIC, CLOCK_REALTIME);
  return pair.inner - pair.outer;
}

ntp::ntp_timestamp truth_at(ntp::mono_time t) {
  return ntp::ntp_timestamp::from_unix(t.time_since_epoch() + realtime_ahead());
}

double error_of(const virtual_time& time) {
  const auto now = monotonic_now();
  return (time.wall_at(time.raw_at(now)) - truth_at(now)).seconds();
}

void begin(virtual_clock_page& page, const virtual_clock_options& options) {
  new (&page) virtual_clock_page{};
  page.oscillator = {options.frequency_error, options.wander, options.seed};
  page.initial_offset_s = options.initial_offset_s;
  page.version = virtual_clock_page::right_version;
  page.boot_id = this_boot();
  const auto now = monotonic_now();
  virtual_time::start(
    page, now,
    truth_at(now) + ntp::ntp_duration::from_seconds(options.initial_offset_s));
  page.magic = virtual_clock_page::right_magic;
}

/// Whether the page holds a clock of this program that runs since this boot.
bool is_running(const virtual_clock_page& page) {
  return page.magic == virtual_clock_page::right_magic
         && page.version == virtual_clock_page::right_version
         && page.boot_id == this_boot();
}

bool is_as_wanted(const virtual_clock_page& page,
                  const virtual_clock_options& options) {
  return page.initial_offset_s == options.initial_offset_s
         && page.oscillator
              == oscillator_parameters{options.frequency_error, options.wander,
                                       options.seed};
}

/// One daemon a clock: the mapping keeps the lock until the last process that
/// has it ends. A guard whose daemon was killed takes a moment to do so.
bool lock(int fd) {
  constexpr int tries = 20;
  constexpr std::chrono::milliseconds pause{50};
  for (int i = 0; i < tries; ++i) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
      return true;
    std::this_thread::sleep_for(pause);
  }
  return false;
}

/// The clock in a file, continued if it runs and is what the options ask for,
/// else begun anew. The file of anything else is never overwritten.
result<mapping> open_file(const virtual_clock_options& options) {
  const auto what = "cannot use the virtual clock " + options.path->string();
  const auto fail
    = [&](int number) { return tl::unexpected(system_error(what, number)); };
  const unique_fd fd{open(options.path->c_str(),
                          O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)};
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0)
    return fail(errno);
  if (!lock(fd.get()))
    return tl::unexpected(
      error{errc::in_use, what + ": another daemon runs on it"});
  const bool fresh = found.st_size == 0;
  const auto foreign = tl::unexpected(
    error{errc::corrupt, what + ": the file holds something else"});
  if (!S_ISREG(found.st_mode)
      || (!fresh && static_cast<std::size_t>(found.st_size) != page_size))
    return foreign;
  if (fresh && posix_fallocate(fd.get(), 0, page_size) != 0)
    return fail(ENOSPC);
  auto page = map(fd.get(), true);
  if (!page)
    return fail(errno);
  const bool unfinished = page->magic == std::array<char, 8>{};
  if (!unfinished && page->magic != virtual_clock_page::right_magic)
    return foreign;
  if (!is_running(*page) || !is_as_wanted(*page, options))
    begin(*page, options);
  return page;
}

result<mapping> open_page(const virtual_clock_options& options) {
  if (options.path)
    return open_file(options);
  auto page = map(-1, true);
  if (!page)
    return tl::unexpected(system_error("cannot make a virtual clock", errno));
  begin(*page, options);
  return page;
}

/// What the kernel would make of `value`, at the usual USER_HZ.
ntp::frequency quantised(ntp::frequency value) {
  constexpr long user_hz = 100;
  return from_kernel_rate(to_kernel_rate(value, user_hz), user_hz);
}

class virtual_clock final : public clock {
public:
  explicit virtual_clock(mapping page)
    : page_(std::move(page)),
      time_(*page_),
      precision_(0) {
    precision_ = measure_precision(*this);
  }

  result<void> start_guard() {
    auto guard = dead_man::start(
      [this](ntp::frequency base) {
        time_.apply(virtual_time::writer::guard, monotonic_now(),
                    {quantised(base), {}});
      },
      false);
    if (!guard)
      return tl::unexpected(guard.error());
    guard_ = std::move(*guard);
    return {};
  }

  std::string_view kind() const override { return "virtual"; }

  ntp::clock_reading read() const override {
    const auto awake = read_bracketed(CLOCK_MONOTONIC, CLOCK_BOOTTIME);
    const ntp::mono_time now{awake.outer};
    const auto raw = time_.raw_at(now);
    const auto wall = time_.wall_at(raw);
    return {
      .mono = now,
      .raw = raw,
      .wall = wall,
      .unix_time = wall.to_unix(kernel_time(CLOCK_REALTIME)),
      .boot = awake.inner,
      .tai_offset = std::chrono::seconds{page_->tai_offset_s.load()},
      // Of `boot`; the others are functions of `mono`.
      .spread = ntp::ntp_duration::from_nanoseconds(awake.width),
    };
  }

  ntp::ntp_timestamp wall() const override { return wall_at(monotonic_now()); }

  ntp::ntp_timestamp wall_of(std::chrono::nanoseconds realtime) const override {
    return wall_at(ntp::mono_time{realtime - realtime_ahead()});
  }

  ntp::local_stamp stamp_of(std::chrono::nanoseconds realtime,
                            ntp::stamp_kind kind) const override {
    const auto raw = time_.raw_at(ntp::mono_time{realtime - realtime_ahead()});
    return {time_.wall_at(raw), raw, kind};
  }

  result<ntp::frequency> frequency() const override { return time_.rate(); }

  result<ntp::frequency>
  set_frequency(ntp::frequency value, ntp::frequency base,
                std::optional<ntp::mono_time> slew_end) override {
    if (!std::isfinite(value.ratio))
      return tl::unexpected(
        error{errc::invalid, "a clock cannot run at such a frequency"});
    const auto taken = quantised(value);
    return guard_->watch_over(base, slew_end, [&]() -> result<ntp::frequency> {
      time_.apply(virtual_time::writer::daemon, monotonic_now(), {taken, {}});
      return taken;
    });
  }

  result<void> step(ntp::ntp_duration by) override {
    time_.apply(virtual_time::writer::daemon, monotonic_now(), {{}, by});
    ++steps_;
    return {};
  }

  result<void> set_status(const kernel_status& status) override {
    if (status.tai_offset)
      page_->tai_offset_s.store(
        static_cast<std::int32_t>(status.tai_offset->count()));
    return {};
  }

  std::uint64_t step_count() const override { return steps_; }
  std::int8_t precision() const override { return precision_; }
  std::optional<double> true_error_s() const override {
    return error_of(time_);
  }

private:
  ntp::ntp_timestamp wall_at(ntp::mono_time t) const {
    return time_.wall_at(time_.raw_at(t));
  }

  mapping page_;
  virtual_time time_;
  std::int8_t precision_;
  std::atomic<std::uint64_t> steps_{0};
  std::unique_ptr<dead_man> guard_; ///< ends before the page goes
};

} // namespace

result<std::unique_ptr<clock>>
open_virtual_clock(const virtual_clock_options& options) {
  auto page = open_page(options);
  if (!page)
    return tl::unexpected(page.error());
  auto made = std::make_unique<virtual_clock>(std::move(*page));
  if (auto guarded = made->start_guard(); !guarded)
    return tl::unexpected(guarded.error());
  return made;
}

result<double> read_virtual_clock_error(const std::filesystem::path& path) {
  const auto what = "cannot read the virtual clock " + path.string();
  const unique_fd fd{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat found {};
  if (!fd || fstat(fd.get(), &found) != 0)
    return tl::unexpected(system_error(what, errno));
  const auto page = static_cast<std::size_t>(found.st_size) == page_size
                      ? map(fd.get(), false)
                      : nullptr;
  if (!page || !is_running(*page))
    return tl::unexpected(
      error{errc::corrupt, what + ": no clock of this boot runs in it"});
  return error_of(virtual_time{*page});
}

} // namespace concert::platform
