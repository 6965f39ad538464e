#include "tools/ntp_sim/progress.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>

namespace concert::sim {

namespace {

constexpr std::chrono::seconds terminal_interval{1};
constexpr std::chrono::seconds plain_interval{30};
/// Runs shorter than this say nothing outside a terminal.
constexpr std::chrono::seconds patience{10};

double seconds_of(std::chrono::steady_clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

} // namespace

progress::progress(std::size_t jobs, std::size_t rows, bool quiet)
  : jobs_(jobs),
    rows_(rows),
    quiet_(quiet),
    terminal_(::isatty(STDERR_FILENO) != 0) {
  // nop
}

progress::~progress() {
  if (drawn_ && terminal_)
    std::fputs("\r\x1b[K", stderr);
}

void progress::tick() {
  if (quiet_)
    return;
  const auto now = clock::now();
  const auto interval = terminal_ ? terminal_interval : plain_interval;
  const bool first = !terminal_ && !drawn_ && now - start_ >= patience;
  if (!first && now - last_ < interval)
    return;
  last_ = now;
  drawn_ = true;
  const auto text = line();
  if (terminal_)
    fmt::print(stderr, "\r{}\x1b[K", text);
  else
    fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

std::string progress::line() const {
  const double passed = seconds_of(clock::now() - start_);
  auto text = fmt::format("{} of {} scenarios, {} of {} runs, {:.0f} s",
                          rows_done_, rows_, jobs_done_, jobs_, passed);
  if (jobs_done_ > 0)
    text += fmt::format(", about {:.0f} s to go",
                        passed * static_cast<double>(jobs_ - jobs_done_)
                          / static_cast<double>(jobs_done_));
  return text;
}

} // namespace concert::sim
