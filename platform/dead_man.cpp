#include "platform/dead_man.hpp"

#include "platform/kernel_time.hpp"
#include "platform/privileges.hpp"
#include "platform/socket.hpp"

#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <limits>
#include <new>

namespace concert::platform {

namespace {

/// Shared by the two processes. The daemon may be stopped between any two
/// instructions, so that it writes the order that is not in force and then
/// switches to it: order `number` lies in slot `number % 2`.
struct page {
  struct order {
    std::atomic<double> base;
    std::atomic<std::int64_t> deadline; ///< CLOCK_MONOTONIC, ns
  };

  static constexpr std::uint64_t armed = 1;

  order orders[2];
  /// Twice the order's number, plus `armed` while it is to be carried out.
  std::atomic<std::uint64_t> state;
  /// Until when the guard sleeps if nobody wakes it.
  std::atomic<std::int64_t> asleep_until;

  order& order_of(std::uint64_t s) { return orders[(s >> 1) % 2]; }
};

static_assert(std::atomic<double>::is_always_lock_free
              && std::atomic<std::int64_t>::is_always_lock_free);

constexpr auto never = std::numeric_limits<std::int64_t>::max();

/// Sleeps until `until` or a word from the daemon; true if the daemon is gone.
bool daemon_gone(int fd, std::int64_t until) {
  timespec span{};
  if (until != never) {
    const auto left
      = std::max<std::int64_t>(0, until - kernel_time(CLOCK_MONOTONIC).count());
    span = {left / 1'000'000'000, left % 1'000'000'000};
  }
  pollfd polled{fd, POLLIN, 0};
  if (ppoll(&polled, 1, until == never ? nullptr : &span, nullptr) <= 0)
    return false;
  char words[64];
  const auto size = recv(fd, words, sizeof words, MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

/// The guard's life.
[[noreturn]] void guard(int fd, page& p, const dead_man::restorer& restore) {
  bool gone = false;
  for (;;) {
    auto state = p.state.load();
    const bool armed = (state & page::armed) != 0;
    const double base = p.order_of(state).base.load();
    const auto deadline = armed ? p.order_of(state).deadline.load() : never;
    p.asleep_until.store(deadline);
    // A daemon that gave another order before it could see when we sleep would
    // not wake us.
    if (p.state.load() != state)
      continue;
    const bool due = armed && kernel_time(CLOCK_MONOTONIC).count() >= deadline;
    if (armed && (due || gone)) {
      if (p.state.compare_exchange_strong(state, state & ~page::armed))
        restore({base});
      continue;
    }
    if (gone)
      _exit(0);
    gone = daemon_gone(fd, deadline);
  }
}

/// Whatever the terminal or the service manager sends to the whole group, the
/// guard must outlive the daemon.
void detach_from_group() {
  setsid();
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1,
                           SIGUSR2, SIGALRM, SIGTSTP})
    std::signal(number, SIG_IGN);
  prctl(PR_SET_NAME, "ntp-guard");
}

[[noreturn]] void be_guard(int fd, page& p, const dead_man::restorer& restore,
                           bool needs_system_time) {
  detach_from_group();
  dup2(fd, 0);
  close_range(1, std::numeric_limits<unsigned>::max(), 0);
  std::vector<unsigned> kept;
  if (needs_system_time)
    kept.push_back(CAP_SYS_TIME);
  // In some containers there is no such user.
  if (!keep_only("nobody", kept)) [[maybe_unused]]
    const auto ignored = keep_only({}, kept);
  guard(0, p, restore);
}

} // namespace

struct dead_man::impl {
  page* shared = nullptr;
  unique_fd line;
  pid_t child = -1;
  bool armed = false;

  ~impl() {
    line = {};
    if (child > 0)
      waitpid(child, nullptr, 0);
    if (shared)
      munmap(shared, sizeof(page));
  }
};

dead_man::dead_man(std::unique_ptr<impl> i) : impl_(std::move(i)) {
}

dead_man::~dead_man() = default;

result<std::unique_ptr<dead_man>> dead_man::start(const restorer& restore,
                                                  bool needs_system_time) {
  const auto fail = [](int number) {
    return tl::unexpected(
      system_error("cannot start the guard of the clock", number));
  };
  auto i = std::make_unique<impl>();
  void* memory = mmap(nullptr, sizeof(page), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail(errno);
  i->shared = new (memory) page{};
  int line[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0)
    return fail(errno);
  i->line = unique_fd{line[0]};
  const unique_fd childs{line[1]};
  i->child = fork();
  if (i->child < 0)
    return fail(errno);
  if (i->child == 0)
    be_guard(line[1], *i->shared, restore, needs_system_time);
  return std::unique_ptr<dead_man>{new dead_man{std::move(i)}};
}

void dead_man::arm(ntp::frequency base, ntp::mono_time deadline) {
  auto& p = *impl_->shared;
  const auto next = (p.state.load() | page::armed) + 1;
  auto& order = p.order_of(next);
  const auto at = deadline.time_since_epoch().count();
  order.base.store(base.ratio);
  order.deadline.store(at);
  p.state.store(next | page::armed);
  impl_->armed = true;
  // A full line holds a word that will wake the guard as well.
  if (at < p.asleep_until.load())
    send(impl_->line.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool dead_man::disarm() {
  auto& p = *impl_->shared;
  const auto old = p.state.exchange((p.state.load() | page::armed) + 1);
  return std::exchange(impl_->armed, false) && (old & page::armed) == 0;
}

result<ntp::frequency>
dead_man::watch_over(ntp::frequency base,
                     std::optional<ntp::mono_time> slew_end,
                     const std::function<result<ntp::frequency>()>& set) {
  if (slew_end) {
    arm(base, *slew_end + grace);
    return set();
  }
  auto taken = set();
  // If the change failed, the slew goes on and must be watched. If the guard
  // acted in the meantime, it may have undone the change.
  if (taken && disarm())
    return set();
  return taken;
}

} // namespace concert::platform
