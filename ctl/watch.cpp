#include "ctl/watch.hpp"

#include "ctl/commands.hpp"
#include "ctl/observation.hpp"
#include "ctl/terminal.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>

namespace concert::ctl {

namespace {

using steady = std::chrono::steady_clock;

/// The signals that end or stop a watch, as something to poll.
class signal_queue {
public:
  signal_queue() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
      sigaddset(&wanted, s);
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    fd_ = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  signal_queue(const signal_queue&) = delete;
  signal_queue& operator=(const signal_queue&) = delete;
  ~signal_queue() {
    ::close(fd_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  int fd() const { return fd_; }

  /// The next signal within the time, or 0.
  int next(steady::duration within) const {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(within);
    pollfd watched{.fd = fd_, .events = POLLIN, .revents = 0};
    ::poll(&watched, 1, static_cast<int>(std::max<long>(ms.count(), 0)));
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof(info)) != sizeof(info))
      return 0;
    return static_cast<int>(info.ssi_signo);
  }

private:
  int fd_ = -1;
  sigset_t before_{};
};

/// One watch, from its first picture to its last.
class watcher {
public:
  watcher(const options& o, socket_place place)
    : options_{o},
      place_{std::move(place)},
      screen_{o.form != output_form::json} {}

  int run() {
    const auto pause = std::chrono::duration_cast<steady::duration>(
      std::chrono::duration<double>(
        std::clamp(options_.interval_s, 0.1, 86400.0)));
    auto due = steady::now();
    for (std::uint64_t shown = 1;; ++shown) {
      if (!show_once() || shown == options_.count)
        break;
      // A slow answer delays the next picture; it does not pile up.
      due = std::max(due + pause, steady::now());
      if (!wait_until(due))
        break;
    }
    return static_cast<int>(code_);
  }

private:
  /// @returns false when there is nobody to show to.
  bool show_once() {
    const auto document = ask(place_, signals_.fd());
    if (!document && document.error().code == errc::interrupted)
      return true;
    code_ = document ? exit_code::ok : exit_code::unreachable;
    if (options_.form == output_form::json && document)
      return screen_.print(*document + '\n');
    const auto seen = document.and_then(
      [](const auto& text) { return read_observation(text); });
    if (!seen)
      code_ = exit_code::unreachable;
    if (!seen && options_.form == output_form::json) {
      std::fprintf(stderr, "ntp-ctl: %s\n", seen.error().text.c_str());
      return true;
    }
    return screen_.show(
      seen ? watch_frame(*seen, screen_.columns(), screen_.rows())
           : watch_problem(seen.error().text, screen_.columns()));
  }

  /// @returns false when a signal ends the watch.
  bool wait_until(steady::time_point due) {
    for (;;) {
      const int signal = signals_.next(due - steady::now());
      if (signal == SIGTSTP) {
        screen_.leave();
        ::raise(SIGSTOP);
        screen_.enter();
        due = steady::now();
      } else if (signal != 0) {
        return false;
      } else if (steady::now() >= due) {
        return true;
      }
    }
  }

  const options& options_;
  socket_place place_;
  signal_queue signals_;
  terminal screen_;
  exit_code code_ = exit_code::unreachable;
};

} // namespace

int run_watch(const options& o) {
  auto place = find_socket(o);
  if (!place) {
    std::fprintf(stderr, "ntp-ctl: %s\n", place.error().text.c_str());
    return static_cast<int>(exit_code::unreachable);
  }
  return watcher{o, *std::move(place)}.run();
}

} // namespace concert::ctl
