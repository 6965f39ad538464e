#include "tools/ntp_once/guard.hpp"

#include "platform/kernel_time.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>

namespace concert::once {

namespace {

/// What goes through the pipe, in one piece.
struct order {
  double base = 0;
  std::int64_t deadline = 0; ///< CLOCK_MONOTONIC, ns
  bool armed = false;
};

int milliseconds_until(std::int64_t deadline) {
  const auto left
    = deadline - platform::kernel_time(CLOCK_MONOTONIC).count() + 999'999;
  return static_cast<int>(
    std::clamp<std::int64_t>(left / 1'000'000, 0, 3'600'000));
}

[[noreturn]] void stand_guard(int line, const guard::restorer& restore) {
  order current;
  const auto carry_out = [&] {
    if (std::exchange(current.armed, false))
      restore({current.base});
  };
  for (;;) {
    pollfd ready{line, POLLIN, 0};
    const int left = current.armed ? milliseconds_until(current.deadline) : -1;
    if (poll(&ready, 1, left) == 0 && left == 0)
      carry_out();
    if (ready.revents == 0)
      continue;
    order next;
    const auto size = read(line, &next, sizeof next);
    if (size == sizeof next) {
      current = next;
    } else if (size >= 0 || errno != EINTR) {
      carry_out();
      _exit(0);
    }
  }
}

[[noreturn]] void be_guard(int line, const guard::restorer& restore) {
  // What a terminal sends to the whole group is not for the guard.
  setsid();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP})
    std::signal(number, SIG_IGN);
  dup2(line, 0);
  close_range(1, std::numeric_limits<unsigned>::max(), 0);
  stand_guard(0, restore);
}

} // namespace

platform::result<guard> guard::start(const restorer& restore) {
  const auto fail = [](int number) {
    return tl::unexpected(
      platform::system_error("cannot start the guard of the clock", number));
  };
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0)
    return fail(errno);
  const auto child = fork();
  if (child == 0)
    be_guard(ends[0], restore);
  const int number = errno;
  close(ends[0]);
  if (child < 0) {
    close(ends[1]);
    return fail(number);
  }
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return guard{ends[1], child};
}

guard::~guard() {
  if (line_ >= 0)
    close(line_);
  if (child_ > 0)
    waitpid(child_, nullptr, 0);
}

void guard::watch(ntp::frequency base,
                  std::optional<ntp::mono_time> slew_end) const {
  order next{base.ratio, 0, slew_end.has_value()};
  if (slew_end)
    next.deadline = (*slew_end + grace).time_since_epoch().count();
  // A guard that has died cannot be helped; the clock is still ours to keep.
  [[maybe_unused]] const auto ignored = write(line_, &next, sizeof next);
}

} // namespace concert::once
