#pragma once

#include "ntp_core/discipline/steering.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <variant>
#include <vector>

/// A small world with known truth: an oscillator, a kernel clock on it, and
/// servers behind paths. It does to the clock what the steering says.
namespace concert::ntp::testing {

inline double ms(double v) {
  return v * 1e-3;
}
inline double us(double v) {
  return v * 1e-6;
}

struct world_server {
  source_id id;
  std::string name;
  double error_s = 0; ///< server − true time
  double forward_s = 100e-6;
  double backward_s = 100e-6;
  double jitter_s = 10e-6; ///< mean of the exponential queueing, each way
  std::uint8_t stratum = 1;
  std::uint32_t reference_id = 0x47505300;
  leap_indicator leap = leap_indicator::none;
  double root_delay_s = 0;
  double root_dispersion_s = 0;
  std::int8_t poll = 6; ///< log2 s
  int burst = 4;
  bool alive = true;
  stamp_kind stamps = stamp_kind::hardware;
  /// Each sample comes with the poll after it.
  bool interleaved = false;
  std::optional<measurement> held; ///< the last one
  std::uint8_t reachability = 0;
  std::uint64_t answers = 0;
  double next_poll = 0;
};

struct world_clock {
  double wall_error_s = 0; ///< wall − true at the start
  double frequency = 0;    ///< oscillator − true, ratio
  double wander = 1e-9;    ///< per √s
};

class world {
public:
  explicit world(world_clock clock = {}, steering_config config = {},
                 const steering_memory& memory = {}, std::uint64_t seed = 1,
                 std::chrono::nanoseconds epoch
                 = std::chrono::seconds{1'772'323'200}) // 2026-03-01
    : config_(config),
      random_(seed),
      epoch_(epoch),
      oscillator_(clock.frequency),
      wander_(clock.wander),
      wall_(clock.wall_error_s) {
    config_.precision = -28;
    steering_.emplace(config_, memory, frequency{0}, read());
  }

  // -- the clock --------------------------------------------------------------

  clock_reading read() const {
    clock_reading r;
    r.mono = mono_time{ns(mono_)};
    r.raw = raw_time::from_units(units(raw_));
    r.unix_time = epoch_ + ns(wall_);
    r.wall = wall_stamp();
    r.boot = ns(mono_ + slept_);
    r.spread = ntp_duration::from_seconds(100e-9);
    return r;
  }
  /// wall − true time, s.
  double error() const { return static_cast<double>(wall_ - utc()); }
  /// Disciplined − true time, s.
  double served_error() const {
    const auto served = now().served;
    return (served.disciplined(wall_stamp()) - true_stamp()).seconds();
  }
  double time() const { return static_cast<double>(time_); }
  double frequency_in_force() const { return frequency_; }

  // -- servers ----------------------------------------------------------------

  world_server& add(world_server s) {
    s.id = source_id{servers_.size() + 1};
    if (s.name.empty())
      s.name = "server" + std::to_string(s.id.value);
    s.next_poll = time() + 0.1 + 0.3 * static_cast<double>(servers_.size() % 8);
    servers_.push_back(s);
    auto r = registration(s);
    r.prefer = next_prefer;
    r.noselect = next_noselect;
    steering_->set_configured_sources(
      static_cast<std::uint32_t>(servers_.size()));
    obey(steering_->on_registered(r, read()));
    return servers_.back();
  }
  world_server& server(std::size_t i) { return servers_[i]; }
  bool next_prefer = false;
  bool next_noselect = false;

  // -- events -----------------------------------------------------------------

  void run(double seconds) {
    const double end = time() + seconds;
    for (;;) {
      const auto next = std::min_element(
        servers_.begin(), servers_.end(),
        [](const auto& a, const auto& b) { return a.next_poll < b.next_poll; });
      if (next == servers_.end() || next->next_poll >= end)
        break;
      poll(*next);
    }
    advance(end);
  }
  void step_by_others(double by) { wall_ += by; }
  void suspend(double gap, double rtc_error) {
    time_ += gap;
    slept_ += gap + rtc_error;
    wall_ += gap + rtc_error;
    for (auto& s : servers_)
      s.next_poll = std::max(s.next_poll, time());
  }
  /// The kernel makes leap seconds at this time after the start.
  void leap_at(double when, double shift) {
    leap_time_ = when;
    leap_shift_ = shift;
  }
  bool kernel_leaps = true;
  void change_oscillator(double by) { oscillator_ += by; }
  void foreign_frequency(double f) {
    frequency_ = f;
    obey(steering_->on_foreign_frequency({f}, read()));
  }
  void force_sync() { obey(steering_->on_force_sync(read())); }
  /// `ntp-ctl step`; returns why not, if so.
  std::string want_step() {
    const auto response = steering_->on_step_wanted(read());
    obey(response.actions);
    return response.objection;
  }
  /// The configuration of a source changes while it runs.
  void reconfigure(std::size_t i,
                   const std::function<void(source_registration&)>& change) {
    auto r = registration(servers_[i]);
    change(r);
    obey(steering_->on_registered(r, read()));
  }
  void network(bool online) {
    for (auto& s : servers_)
      s.alive = online;
    obey(steering_->on_network(online, read()));
  }
  /// What the state file says when the daemon ends now.
  steering_memory state_file() {
    auto memory = steering_->memory();
    for (const auto& s : servers_)
      if (const auto path = steering_->path(s.id, read()))
        memory.paths.emplace(registration(s).address, *path);
    return memory;
  }
  /// The steering is killed; the dead-man ends its slew; a new one begins
  /// `down_s` later.
  void restart(const steering_memory& memory, double down_s = 0) {
    if (!frequencies.empty())
      frequency_ = frequencies.back().base.ratio;
    flow(time_ + down_s);
    steering_.emplace(config_, memory, frequency{frequency_}, read());
    steering_->set_configured_sources(
      static_cast<std::uint32_t>(servers_.size()));
    for (auto& s : servers_) {
      s.burst = 4;
      s.next_poll = std::max(s.next_poll, time());
      obey(steering_->on_registered(registration(s), read()));
    }
  }

  // -- what is seen -----------------------------------------------------------

  steering& core() { return *steering_; }
  system_snapshot now() const { return steering_->snapshot(read()); }
  std::vector<source_snapshot> sources() const {
    return steering_->sources(read());
  }
  source_snapshot source(std::size_t i) const { return sources()[i]; }
  bool has_event(const std::string& name) const {
    return std::any_of(events.begin(), events.end(),
                       [&](const auto& e) { return e.name == name; });
  }

  std::vector<steering_event> events;
  std::vector<double> steps;
  std::vector<set_frequency> frequencies;
  std::vector<set_clock_status> statuses;
  std::vector<source_id> replaced;
  std::vector<double> poll_spreads;
  std::vector<int> exits;
  std::uint64_t deadlines = 0;
  bool refuse = false; ///< the clock answers EPERM
  bool follow_desired_poll = false;
  /// Called each second of true time.
  std::function<void(world&)> each_second;

private:
  using real = long double;

  static source_registration registration(const world_server& s) {
    source_registration r;
    r.id = s.id;
    r.name = s.name;
    r.address.address
      = ip_address::v4({192, 0, 2, static_cast<std::uint8_t>(s.id.value)});
    r.min_poll = s.poll;
    return r;
  }
  static std::int64_t units(real s) {
    return static_cast<std::int64_t>(s * 4294967296.0L);
  }
  static std::chrono::nanoseconds ns(real s) {
    return std::chrono::nanoseconds{static_cast<std::int64_t>(s * 1e9L)};
  }
  real utc() const {
    return time_ + (leap_time_ && time_ >= *leap_time_ ? leap_shift_ : 0);
  }
  ntp_timestamp wall_stamp() const {
    return ntp_timestamp::from_unix(epoch_)
           + ntp_duration::from_units(units(wall_));
  }
  ntp_timestamp true_stamp() const {
    return ntp_timestamp::from_unix(epoch_)
           + ntp_duration::from_units(units(utc()));
  }
  double uniform() {
    return (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;
  }
  double exponential() { return -std::log(uniform()); }
  double normal() {
    return std::sqrt(-2 * std::log(uniform()))
           * std::cos(6.283185307179586 * uniform());
  }

  void flow(real to) {
    const real dt = to - time_;
    if (dt <= 0)
      return;
    oscillator_ += wander_ * std::sqrt(static_cast<double>(dt)) * normal();
    const real raw = dt * (1 + static_cast<real>(oscillator_));
    const real wall = raw * (1 + static_cast<real>(frequency_));
    raw_ += raw;
    wall_ += wall;
    mono_ += wall;
    time_ = to;
    if (leap_time_ && !leapt_ && wall_ >= *leap_time_) {
      leapt_ = true;
      if (kernel_leaps)
        wall_ += leap_shift_;
    }
  }

  /// Lets time pass, with the deadlines and the observer on the way.
  void advance(double to) {
    while (time() < to) {
      double next = std::min(to, next_second_);
      const auto deadline = steering_->next_deadline();
      if (deadline) {
        const double wait = seconds_of(*deadline - mono_time{ns(mono_)});
        next = std::min(next, time() + std::max(wait, 0.0) + 1e-6);
      }
      flow(next);
      if (deadline && mono_time{ns(mono_)} >= *deadline) {
        ++deadlines;
        obey(steering_->on_deadline(read()));
      }
      if (time() >= next_second_) {
        next_second_ += 1;
        if (each_second)
          each_second(*this);
      }
    }
  }

  void poll(world_server& s) {
    advance(s.next_poll);
    const double interval
      = s.burst > 0 ? 2.0 : std::exp2(s.poll) * (1 + 0.02 * (uniform() - 0.5));
    s.burst = std::max(0, s.burst - 1);
    s.next_poll = time() + interval;
    source_report report;
    report.id = s.id;
    s.reachability = static_cast<std::uint8_t>(s.reachability << 1);
    if (s.alive) {
      s.reachability |= 1;
      report.sample = exchange(s);
      ++s.answers;
      if (s.interleaved)
        s.held.swap(report.sample);
    }
    auto& a = report.association;
    a.reachability = s.reachability;
    a.poll = s.poll;
    a.stratum = s.stratum;
    a.reference_id = s.reference_id;
    a.leap = s.leap;
    a.root_delay = ntp_duration::from_seconds(s.root_delay_s);
    a.root_dispersion = ntp_duration::from_seconds(s.root_dispersion_s);
    a.packets[static_cast<std::size_t>(packet_verdict::accepted)] = s.answers;
    a.interleaved_answers = s.interleaved ? s.answers : 0;
    obey(steering_->on_report(report, read()));
    if (follow_desired_poll && s.burst == 0) {
      s.poll = source(s.id.value - 1).desired_poll;
      s.next_poll = std::min(s.next_poll, time() + std::exp2(s.poll));
    }
  }

  local_stamp stamp(stamp_kind kind) const {
    return {wall_stamp(), raw_time::from_units(units(raw_)), kind};
  }

  measurement exchange(const world_server& s) {
    measurement m;
    m.t1 = stamp(s.stamps);
    advance(time() + s.forward_s + s.jitter_s * exponential());
    m.t2 = true_stamp() + ntp_duration::from_seconds(s.error_s);
    m.t3 = m.t2;
    advance(time() + s.backward_s + s.jitter_s * exponential());
    m.t4 = stamp(s.stamps);
    m.received_at = read().mono;
    m.leap = s.leap;
    m.stratum = s.stratum;
    m.reference_id = s.reference_id;
    m.precision = -28;
    m.root_delay = ntp_duration::from_seconds(s.root_delay_s);
    m.root_dispersion = ntp_duration::from_seconds(s.root_dispersion_s);
    return m;
  }

  void obey(const steering_actions& actions) {
    for (const auto& action : actions)
      std::visit([this](const auto& a) { obey_one(a); }, action);
  }
  void obey_one(const set_frequency& a) {
    if (refuse) {
      obey(steering_->on_clock_failure("not permitted", read()));
      return;
    }
    frequencies.push_back(a);
    const double quantum = 1e-6 / 65536;
    frequency_ = std::round(a.value.ratio / quantum) * quantum;
    steering_->on_frequency_set({frequency_}, read());
  }
  void obey_one(const step_clock& a) {
    if (refuse) {
      obey(steering_->on_clock_failure("not permitted", read()));
      return;
    }
    steps.push_back(a.by.seconds());
    wall_ += a.by.seconds();
    obey(steering_->on_stepped(a.by, read()));
  }
  void obey_one(const set_clock_status& a) { statuses.push_back(a); }
  void obey_one(const poll_sources& a) {
    const double spread = seconds_of(a.spread);
    poll_spreads.push_back(spread);
    for (auto& s : servers_)
      s.next_poll = std::min(s.next_poll, time() + spread * uniform());
  }
  void obey_one(const replace_source& a) { replaced.push_back(a.id); }
  void obey_one(const steering_event& a) { events.push_back(a); }
  void obey_one(const exit_program& a) { exits.push_back(a.code); }

  steering_config config_;
  std::mt19937_64 random_;
  std::chrono::nanoseconds epoch_;
  double oscillator_;
  double wander_;
  double frequency_ = 0;
  real time_ = 0;
  real raw_ = 0;
  real mono_ = 0;
  real wall_;
  real slept_ = 0;
  double next_second_ = 1;
  std::optional<double> leap_time_;
  double leap_shift_ = 0;
  bool leapt_ = false;
  std::vector<world_server> servers_;
  std::optional<steering> steering_;
};

} // namespace concert::ntp::testing
