#include "actors/steering.hpp"

#include "ctl/format.hpp"
#include "ctl/json_writer.hpp"
#include "ntp_core/crypto/reference_id.hpp"
#include "platform/hash.hpp"
#include "platform/readiness.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// The state file is written this often; also once soon after the first lock,
/// at the end, and after steps.
constexpr std::chrono::hours save_interval{1};
constexpr std::chrono::seconds first_save_delay{16};

/// Lines for the recorder that are not written yet: with more the disk hangs,
/// and the next ones are lost.
constexpr std::uint32_t most_unwritten = 1000;

/// Two readings of the kernel's frequency that differ by less are the same:
/// its unit is 2^-16 ppm.
constexpr double frequency_unit = 1e-6 / 65536;

void log_event(const ntp::steering_event& e) {
  using severity = ntp::steering_event::severity;
  const auto level = e.level == severity::error     ? log::level::error
                     : e.level == severity::warning ? log::level::warning
                                                    : log::level::info;
  log::write(level, e.name, e.text);
  if (e.name == "state")
    platform::readiness::status(e.text);
}

bool same(ntp::frequency a, ntp::frequency b) {
  return std::abs(a.ratio - b.ratio) <= 2 * frequency_unit;
}

ctl::control_answer refusal(ctl::control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

ntp::frequency kernel_frequency(runtime& rt) {
  return rt.clock().frequency().value_or(ntp::frequency{});
}

} // namespace

steering::steering(caf::actor_config& cfg, runtime& rt,
                   steering_options options)
  : actor_base(cfg, rt, "steering", rt.clock().kind().data()),
    config_(std::move(options.config)),
    machine_(config_->steering, options.memory, kernel_frequency(rt),
             rt.clock().read(), rt.make_discipline()),
    base_(kernel_frequency(rt)),
    next_save_(ntp::mono_time::max()),
    next_look_(ntp::mono_time::max()),
    timer_(make_deadline_timer()) {
  machine_.set_configured_sources(config_->configured_sources());
  on_network();
  set_down_handler([this](caf::down_msg& d) { on_source_down(d); });
}

steering::behavior_type steering::make_behavior() {
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](deadline) { on_deadline(); },
    [this](const source_announcement& a) { on_announcement(a); },
    [this](source_removed r) { on_removed(r.id); },
    [this](const ntp::source_report& r) { on_report(r); },
    [this](const config_changed& c) { on_config(c); },
    [this](const leap_list_changed& l) {
      leap_list_ = l.list;
      settle();
    },
    [this](network_changed) {
      on_network();
      settle();
    },
    [this](const force_sync& wish) { return on_force_sync(wish); },
    [this](const step_wanted& wish) { return on_step_wanted(wish); },
    [](ping) { return pong{}; },
    [this](prepare_stop) {
      stop_steering();
      return stop_prepared{};
    },
    [this](get_steering_status) { return status(); },
  };
}

void steering::stopped() {
  // Whatever ended this actor, the clock must not go on slewing.
  if (slewing_)
    (void)world().clock().set_frequency(base_, base_, std::nullopt);
  timer_.reset();
  peers_ = {};
  sources_.clear();
}

void steering::on_wiring(const wiring& w) {
  peers_ = w;
  settle();
}

void steering::on_deadline() {
  const auto now = world().clock().read();
  check_foreign_hand(now);
  carry_out(machine_.on_deadline(now));
  if (now.mono >= next_save_)
    save(now);
  settle();
}

void steering::on_announcement(const source_announcement& a) {
  const auto [it, added] = sources_.try_emplace(a.registration.id);
  auto& entry = it->second;
  if (added) {
    monitor(a.handle);
    by_address_[a.handle.address()] = a.registration.id;
    entry.handle = a.handle;
  }
  const bool other_line
    = a.registration.offline || (!added && entry.registration.offline);
  entry.registration = a.registration;
  carry_out(machine_.on_registered(a.registration, world().clock().read()));
  if (!added)
    tell_poll_wish(a.registration.id);
  if (other_line)
    on_network();
  settle();
}

void steering::on_removed(ntp::source_id id) {
  const auto it = sources_.find(id);
  if (it == sources_.end())
    return;
  demonitor(it->second.handle.address());
  by_address_.erase(it->second.handle.address());
  sources_.erase(it);
  if (stopping_)
    return;
  carry_out(machine_.on_removed(id, world().clock().read()));
  settle();
}

void steering::on_source_down(const caf::down_msg& down) {
  if (const auto it = by_address_.find(down.source); it != by_address_.end())
    on_removed(it->second);
}

void steering::on_report(const ntp::source_report& report) {
  const auto it = sources_.find(report.id);
  if (it == sources_.end() || stopping_)
    return;
  it->second.association = report.association;
  const auto now = world().clock().read();
  check_foreign_hand(now);
  apply_leap_list(now);
  carry_out(machine_.on_report(report, now));
  record(report, now);
  tell_poll_wish(report.id);
  settle();
}

ctl::control_answer steering::on_step_wanted(const step_wanted& wish) {
  const auto now = world().clock().read();
  check_foreign_hand(now);
  const auto before = machine_.snapshot(now);
  log::warning("step-wanted", "who=\"{}\" offset_s={:+.9f}", wish.who,
               before.offset_s);
  const auto response = machine_.on_step_wanted(now);
  carry_out(response.actions);
  settle();
  if (!response.objection.empty()) {
    log::warning("step-refused", "who=\"{}\" {}", wish.who, response.objection);
    return refusal(ctl::control_refusal::not_now, response.objection);
  }
  return step_answer(wish.who, before.steps_total);
}

ctl::control_answer steering::on_force_sync(const force_sync& wish) {
  const auto now = world().clock().read();
  check_foreign_hand(now);
  const auto before = machine_.snapshot(now);
  log::warning("force-sync-wanted", "who=\"{}\" state={} offset_s={:+.9f}",
               wish.who, to_string(before.state), before.offset_s);
  if (config_->steering.read_only)
    return refusal(ctl::control_refusal::not_now,
                   "the clock is not ours to set: this daemon only watches it");
  carry_out(machine_.on_force_sync(now));
  settle();
  return step_answer(wish.who, before.steps_total);
}

/// What became of a person's wish, for the log and for that person.
ctl::control_answer steering::step_answer(const std::string& who,
                                          std::uint64_t steps_before) {
  const auto after = machine_.snapshot(world().clock().read());
  const bool stepped = after.steps_total > steps_before;
  const double by_s = stepped ? after.last_step_s : 0;
  std::string text;
  if (stepped)
    text = fmt::format("the clock was stepped {} by {}",
                       by_s < 0 ? "back" : "forward", ctl::span(by_s));
  else if (!after.last_update)
    text = "the clock is set with the first samples that agree";
  else
    text = fmt::format("no step was needed or possible now: the clock is {}, "
                       "and {}",
                       ctl::slow_or_fast(after.offset_s), after.state_reason);
  log::warning("step-done", "who=\"{}\" by_s={:+.9f} {}", who, by_s, text);
  auto result = ctl::json_object([&](ctl::json_writer& out) {
    out.field("step", by_s);
    out.field("offset", after.offset_s);
    out.field("state", to_string(after.state));
    out.field("text", text);
  });
  return {std::move(result), {}, false};
}

void steering::record(const ntp::source_report& report,
                      const ntp::clock_reading& now) {
  const auto& wanted = config_->observability;
  if (!peers_.recorder || !report.sample)
    return;
  if (wanted.measurement_log_path) {
    const auto& entry = sources_.at(report.id);
    for (auto& view : machine_.sources(now))
      if (view.id == report.id)
        record(measurement_taken{now.wall, entry.registration.name,
                                 entry.registration.address, *report.sample,
                                 report.association, std::move(view)});
  }
  if (wanted.tracking_log_path)
    record(clock_updated{now.wall, machine_.snapshot(now),
                         world().clock().true_error_s()});
}

template <class Message>
void steering::record(Message message) {
  if (unwritten_ >= most_unwritten) {
    ++unrecorded_;
    return;
  }
  if (const auto lost = std::exchange(unrecorded_, 0))
    log::warning("record-slow", "lost={} the disk did not keep up", lost);
  ++unwritten_;
  request(peers_.recorder, caf::infinite, std::move(message))
    .then([this] { --unwritten_; },
          [this](const caf::error&) { --unwritten_; });
}

void steering::on_config(const config_changed& change) {
  config_ = change.config;
  machine_.set_configured_sources(config_->configured_sources());
  carry_out(machine_.on_config(config_->steering, world().clock().read()));
  settle();
}

void steering::on_network() {
  std::vector<std::uint32_t> ids;
  for (const auto& address : world().own_addresses())
    if (!address.is_loopback())
      ids.push_back(ntp::reference_id_of(address, &platform::md5));
  machine_.set_own_reference_ids(std::move(ids));
  const bool online
    = sources_.empty()
      || std::any_of(sources_.begin(), sources_.end(), [this](const auto& s) {
           const auto& r = s.second.registration;
           return !r.offline && world().has_route(r.address.address);
         });
  carry_out(machine_.on_network(online, world().clock().read()));
}

void steering::stop_steering() {
  if (stopping_)
    return;
  const auto now = world().clock().read();
  save(now);
  carry_out(machine_.on_shutdown(now));
  stopping_ = true;
  timer_->cancel();
}

steering_status steering::status() {
  const auto now = world().clock().read();
  steering_status result;
  result.system = machine_.snapshot(now);
  result.clock
    = {std::string{world().clock().kind()}, world().clock().true_error_s()};
  if (config_->steering.read_only)
    result.shadow = record_.snapshot();
  result.now = now.wall;
  result.mono_now = now.mono;
  for (auto& view : machine_.sources(now)) {
    const auto it = sources_.find(view.id);
    if (it != sources_.end())
      result.sources.push_back({it->second.registration.name,
                                it->second.registration.address,
                                it->second.association, std::move(view)});
  }
  return result;
}

void steering::carry_out(const ntp::steering_actions& actions) {
  if (stopping_)
    return;
  for (const auto& action : actions) {
    if (const auto* f = std::get_if<ntp::set_frequency>(&action))
      set_frequency(*f);
    else if (const auto* s = std::get_if<ntp::step_clock>(&action))
      step(*s);
    else if (const auto* k = std::get_if<ntp::set_clock_status>(&action))
      set_status(*k);
    else if (const auto* p = std::get_if<ntp::poll_sources>(&action))
      for (auto& [id, entry] : sources_)
        send(entry.handle, poll_soon{p->spread});
    else if (const auto* r = std::get_if<ntp::replace_source>(&action)) {
      if (const auto it = sources_.find(r->id); it != sources_.end())
        send(it->second.handle, retire{});
    } else if (const auto* e = std::get_if<ntp::steering_event>(&action))
      log_event(*e);
    else if (const auto* x = std::get_if<ntp::exit_program>(&action))
      send(peers_.supervisor, exit_requested{x->code});
  }
}

void steering::set_frequency(const ntp::set_frequency& wish) {
  const auto taken
    = world().clock().set_frequency(wish.value, wish.base, wish.slew_end);
  const auto now = world().clock().read();
  if (!taken) {
    carry_out(machine_.on_clock_failure(taken.error().text, now));
    return;
  }
  frequency_set_ = *taken;
  slewing_ = wish.slew_end.has_value();
  base_ = wish.base;
  machine_.on_frequency_set(*taken, now);
}

void steering::step(const ntp::step_clock& wish) {
  const auto done = world().clock().step(wish.by);
  const auto now = world().clock().read();
  if (!done) {
    carry_out(machine_.on_clock_failure(done.error().text, now));
    return;
  }
  for (auto& [id, entry] : sources_)
    send(entry.handle, clock_stepped{});
  carry_out(machine_.on_stepped(wish.by, now));
  send(peers_.supervisor, clock_stepped{machine_.memory().accumulated_steps_s});
  next_save_ = std::min(next_save_, now.mono + first_save_delay);
}

void steering::set_status(const ntp::set_clock_status& wish) {
  const auto done = world().clock().set_status(
    {wish.synchronized, wish.leap, wish.max_error_s, wish.estimated_error_s,
     wish.tai_offset});
  if (!done)
    carry_out(
      machine_.on_clock_failure(done.error().text, world().clock().read()));
}

void steering::check_foreign_hand(const ntp::clock_reading& now) {
  if (!frequency_set_ || config_->steering.read_only)
    return;
  const auto found = world().clock().frequency();
  if (!found || same(*found, *frequency_set_))
    return;
  if (slewing_ && same(*found, base_)) {
    // We were stopped, and the dead-man ended the slew for us.
    slewing_ = false;
    frequency_set_ = *found;
    machine_.on_frequency_set(*found, now);
    return;
  }
  // Only another change is news: who came once and went is forgotten.
  frequency_set_ = *found;
  carry_out(machine_.on_foreign_frequency(*found, now));
}

void steering::apply_leap_list(const ntp::clock_reading& now) {
  const auto unix_time
    = std::chrono::duration_cast<std::chrono::seconds>(now.unix_time);
  if (!leap_list_ || leap_list_->expired(unix_time)) {
    machine_.set_leap({}, {});
    return;
  }
  const auto status = leap_list_->at(unix_time);
  machine_.set_leap(status.leap, status.tai_offset);
}

void steering::tell_poll_wish(ntp::source_id id) {
  auto& entry = sources_.at(id);
  const auto poll = machine_.desired_poll(id);
  if (!poll || *poll == entry.desired_poll)
    return;
  entry.desired_poll = *poll;
  send(entry.handle, desired_poll{*poll});
}

void steering::settle() {
  if (stopping_)
    return;
  const auto now = world().clock().read();
  tell_time(now);
  watch_clock(now);
  if (!clock_was_set_ && peers_.supervisor
      && machine_.memory().started_this_boot) {
    clock_was_set_ = true;
    send(peers_.supervisor, clock_was_set{});
    next_save_ = now.mono + first_save_delay;
  }
  auto next = machine_.next_deadline().value_or(ntp::mono_time::max());
  next = std::min({next, next_save_, next_look_});
  if (next == ntp::mono_time::max())
    timer_->cancel();
  else
    timer_->arm(next);
}

void steering::tell_time(const ntp::clock_reading& now) {
  if (peers_.workers.empty())
    return;
  auto served = machine_.snapshot(now).served;
  served.step_count = world().clock().step_count();
  for (auto& worker : peers_.workers)
    send(worker, served);
}

void steering::watch_clock(const ntp::clock_reading& now) {
  if (!config_->steering.read_only)
    return;
  record_.look(now, machine_.snapshot(now), kernel_frequency(world()).ratio,
               config_->steering);
  next_look_ = now.mono + ntp::clock_record::interval;
}

void steering::save(const ntp::clock_reading& now) {
  const auto memory = machine_.memory();
  next_save_ = now.mono + save_interval;
  platform::saved_state state;
  state.oscillator = memory.oscillator;
  state.frequency_deviation = memory.frequency_deviation;
  state.started_this_boot = memory.started_this_boot;
  state.accumulated_steps_s = memory.accumulated_steps_s;
  state.time = now.unix_time;
  for (const auto& [id, entry] : sources_)
    state.sources.push_back(
      {entry.registration.name, entry.registration.address,
       entry.association.burst_tokens, machine_.path(id, now)});
  if (peers_.state_keeper)
    send(peers_.state_keeper, actors::save_state{std::move(state)});
}

} // namespace concert::actors
