#include "tools/ntp_load/handshakes.hpp"

#include <poll.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace concert::load {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto progress_interval = 500ms;
constexpr int longest_wait_ms = 50;

nanoseconds read(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds{t.tv_sec} + nanoseconds{t.tv_nsec};
}

nanoseconds now() {
  return read(CLOCK_MONOTONIC);
}

double seconds(nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

/// The attempts under way.
class crowd {
public:
  crowd(const ke_target& target, handshake_result& result,
        const ke_listener& on_end)
    : target_(target),
      result_(result),
      on_end_(on_end) {}

  /// False once the listener has enough.
  bool more() const { return more_; }

  void fill(std::size_t wanted, nanoseconds at) {
    for (auto missing = wanted - std::min(wanted, attempts_.size());
         missing > 0; --missing) {
      if (auto started = ke_attempt::start(target_, at))
        attempts_.push_back(std::move(*started));
      else
        take(tl::unexpected{started.error()}, {});
    }
  }

  /// Waits for something to happen; returns how long.
  nanoseconds wait() {
    polled_.clear();
    for (const auto& a : attempts_)
      polled_.push_back({a.fd(), a.events(), 0});
    const auto before = now();
    poll(polled_.data(), polled_.size(), longest_wait_ms);
    return now() - before;
  }

  /// Lets all attempts go on for which `wait` found something.
  void step(nanoseconds at) {
    for (std::size_t i = polled_.size(); i-- > 0;) {
      if (polled_[i].revents == 0
          && at - attempts_[i].started() < ke_attempt::limit)
        continue;
      auto over = attempts_[i].step(at);
      if (!over)
        continue;
      take(std::move(*over), at - attempts_[i].started());
      std::swap(attempts_[i], attempts_.back());
      attempts_.pop_back();
    }
  }

private:
  void take(tl::expected<nts_session, ke_attempt::failure> outcome,
            nanoseconds spent) {
    if (outcome) {
      ++result_.done;
      result_.time_ns.add(spent.count());
    } else {
      ++result_.failed;
      ++result_.failures[outcome.error()];
    }
    more_ = on_end_(std::move(outcome)) && more_;
  }

  const ke_target& target_;
  handshake_result& result_;
  const ke_listener& on_end_;
  bool more_ = true;
  std::vector<ke_attempt> attempts_;
  std::vector<pollfd> polled_;
};

} // namespace

platform::result<ke_target> open_ke_target(const ke_options& o) {
  auto tls = platform::tls_client::open({o.authorities});
  if (!tls)
    return tl::unexpected{tls.error()};
  return ke_target{o.address, o.name, std::move(*tls)};
}

handshake_result
run_handshakes(const ke_target& target, std::uint32_t connections,
               double duration_s, const volatile std::sig_atomic_t& stop,
               const ke_listener& on_end,
               const std::function<void(const handshake_result&)>& told) {
  handshake_result r;
  crowd attempts{target, r, on_end};
  const auto start = now();
  const auto cpu_before = read(CLOCK_THREAD_CPUTIME_ID);
  const auto end = start + ntp::nanoseconds_of(duration_s);
  auto next_told = start + progress_interval;
  nanoseconds idle{};
  auto at = start;
  for (; attempts.more() && at < end && stop == 0; at = now()) {
    attempts.fill(connections, at);
    idle += attempts.wait();
    attempts.step(now());
    r.duration_s = seconds(now() - start);
    if (at >= next_told) {
      next_told += progress_interval;
      told(r);
    }
  }
  r.busy = r.duration_s > 0 ? 1 - seconds(idle) / r.duration_s : 0;
  r.cpu_s = seconds(read(CLOCK_THREAD_CPUTIME_ID) - cpu_before);
  return r;
}

platform::result<std::vector<nts_session>>
open_sessions(const ke_target& target, std::size_t count,
              const volatile std::sig_atomic_t& stop) {
  constexpr double longest_s = 30;
  std::vector<nts_session> sessions;
  const auto r = run_handshakes(
    target, 1, longest_s, stop,
    [&](tl::expected<nts_session, ke_attempt::failure> outcome) {
      if (outcome)
        sessions.push_back(std::move(*outcome));
      return outcome && sessions.size() < count;
    },
    [](const handshake_result&) {});
  if (sessions.size() == count)
    return sessions;
  return tl::unexpected{platform::error{
    platform::errc::unavailable,
    "no keys from " + target.address.to_string() + ": "
      + (r.failures.empty() ? "no time left" : r.failures.begin()->first)}};
}

} // namespace concert::load
