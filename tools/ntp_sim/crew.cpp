#include "tools/ntp_sim/crew.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <system_error>

namespace concert::sim {

namespace {

constexpr int tick_ms = 500;

/// Children set this before their tallies, or before the text of an error.
enum class message_kind : char { tallies = 't', error = 'e' };

volatile std::sig_atomic_t interrupted = 0;

void on_signal(int) {
  interrupted = 1;
}

/// Notes SIGINT and SIGTERM while it lives.
class signal_watch {
public:
  signal_watch() {
    interrupted = 0;
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, &old_int_);
    ::sigaction(SIGTERM, &action, &old_term_);
  }
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  ~signal_watch() {
    ::sigaction(SIGINT, &old_int_, nullptr);
    ::sigaction(SIGTERM, &old_term_, nullptr);
  }

private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
};

void write_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const auto n = ::write(fd, bytes, size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

/// What a child does; never returns to the parent's code.
[[noreturn]] void
child_main(int fd, const job& j,
           const std::function<std::vector<tally>(const job&)>& work) {
  std::string error = "failed for an unknown reason";
  try {
    const auto levels = work(j);
    const char kind = static_cast<char>(message_kind::tallies);
    write_all(fd, &kind, 1);
    write_all(fd, levels.data(), levels.size() * sizeof(tally));
    ::_exit(0);
  } catch (const std::exception& e) {
    error = e.what();
  } catch (...) {
    // Keeps the sentence above.
  }
  error.insert(error.begin(), static_cast<char>(message_kind::error));
  write_all(fd, error.data(), error.size());
  ::_exit(1);
}

struct worker {
  pid_t pid = -1;
  int fd = -1;
  job at;
  std::string received;
};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("died of signal {} ({})", WTERMSIG(status),
                       ::strsignal(WTERMSIG(status)));
  return fmt::format("ended with code {} and no result", WEXITSTATUS(status));
}

job_result result_of(const worker& w, int status) {
  job_result r{w.at, {}, {}};
  const auto& text = w.received;
  if (text.empty()) {
    r.error = how_it_ended(status);
    return r;
  }
  if (text.front() == static_cast<char>(message_kind::error)) {
    r.error = text.substr(1);
    return r;
  }
  r.levels.resize((text.size() - 1) / sizeof(tally));
  if (r.levels.empty() || text.size() - 1 != r.levels.size() * sizeof(tally))
    r.error = "its result is incomplete: it " + how_it_ended(status);
  else
    std::memcpy(r.levels.data(), text.data() + 1, text.size() - 1);
  return r;
}

class crew {
public:
  crew(const std::vector<job>& jobs, unsigned processes,
       const std::function<std::vector<tally>(const job&)>& work,
       const std::function<void(job_result)>& done)
    : jobs_(jobs),
      workers_(std::max(processes, 1U)),
      work_(work),
      done_(done) {
    // nop
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() { end_all(); }

  /// Gives the idle something to do; false when all is done.
  bool assign() {
    bool busy = false;
    for (auto& w : workers_) {
      if (w.pid < 0 && next_ < jobs_.size())
        start(w, jobs_[next_++]);
      busy = busy || w.pid >= 0;
    }
    return busy;
  }

  /// Waits for news, not for long.
  void wait() {
    std::vector<pollfd> fds;
    std::vector<worker*> owners;
    for (auto& w : workers_) {
      if (w.pid < 0)
        continue;
      fds.push_back({w.fd, POLLIN, 0});
      owners.push_back(&w);
    }
    if (::poll(fds.data(), fds.size(), tick_ms) <= 0)
      return;
    for (std::size_t i = 0; i < fds.size(); ++i)
      if (fds[i].revents != 0)
        read(*owners[i]);
  }

private:
  void start(worker& w, const job& j) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0)
      throw std::system_error{errno, std::generic_category(), "pipe"};
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid < 0)
      throw std::system_error{errno, std::generic_category(), "fork"};
    if (pid == 0) {
      std::signal(SIGINT, SIG_DFL);
      std::signal(SIGTERM, SIG_DFL);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent)
        ::_exit(1);
      ::close(ends[0]);
      child_main(ends[1], j, work_);
    }
    ::close(ends[1]);
    w = worker{pid, ends[0], j, {}};
  }

  void read(worker& w) {
    std::array<char, 65536> buffer{};
    const auto n = ::read(w.fd, buffer.data(), buffer.size());
    if (n > 0) {
      w.received.append(buffer.data(), static_cast<std::size_t>(n));
      return;
    }
    if (n < 0 && errno == EINTR)
      return;
    const int status = reap(w);
    auto result = result_of(w, status);
    w = {};
    done_(std::move(result));
  }

  static int reap(worker& w) {
    ::close(w.fd);
    int status = 0;
    while (::waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
      // once more
    }
    return status;
  }

  void end_all() {
    for (auto& w : workers_)
      if (w.pid >= 0)
        ::kill(w.pid, SIGKILL);
    for (auto& w : workers_) {
      if (w.pid >= 0)
        reap(w);
      w = {};
    }
  }

  const std::vector<job>& jobs_;
  std::vector<worker> workers_;
  const std::function<std::vector<tally>(const job&)>& work_;
  const std::function<void(job_result)>& done_;
  std::size_t next_ = 0;
};

} // namespace

crew_end run_crew(const std::vector<job>& jobs, unsigned processes,
                  const std::function<std::vector<tally>(const job&)>& work,
                  const std::function<void(job_result)>& done,
                  const std::function<void()>& tick) {
  const signal_watch signals;
  crew all{jobs, processes, work, done};
  while (all.assign()) {
    all.wait();
    if (interrupted != 0)
      return crew_end::interrupted;
    tick();
  }
  return crew_end::finished;
}

} // namespace concert::sim
