#include "ntp_core/discipline/steering.hpp"

#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

using severity = steering_event::severity;

/// How long a clock stays contested after the last foreign frequency.
constexpr std::chrono::minutes contest_time{5};
constexpr std::chrono::minutes retry_time{1};
constexpr std::chrono::seconds poll_spread{32};

} // namespace

steering::steering(const steering_config& config, const steering_memory& memory,
                   frequency kernel, const clock_reading& now,
                   std::unique_ptr<discipline> filters)
  : state_(
    std::make_unique<state>(config, memory, kernel, now, std::move(filters))) {
}

steering::~steering() = default;
steering::steering(steering&&) noexcept = default;
steering& steering::operator=(steering&&) noexcept = default;

steering_actions steering::on_config(const steering_config& config,
                                     const clock_reading& now) {
  steering_actions out;
  state_->look(now, out);
  if (config.read_only && state_->may_touch(now.mono))
    state_->end_slew(out);
  state_->config = config;
  state_->judge(std::nullopt, now, out);
  state_->refresh(now, out);
  return out;
}

void steering::set_configured_sources(std::uint32_t count) {
  state_->configured = count;
}

void steering::set_own_reference_ids(std::vector<std::uint32_t> ids) {
  state_->own_reference_ids = std::move(ids);
}

steering_actions steering::on_registered(const source_registration& source,
                                         const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  const auto [where, added] = s.sources.try_emplace(source.id, source);
  if (!added)
    s.change(where->second, source, now, out);
  if (s.start_with && s.may_touch(now.mono)) {
    s.base = *s.start_with;
    s.start_with.reset();
    s.command(s.base, std::nullopt, out);
  }
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_removed(source_id id, const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  s.sources.erase(id);
  s.filters->remove_source(id);
  s.judgement.forget(id);
  s.judge(std::nullopt, now, out);
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_report(const source_report& report,
                                     const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  const auto found = s.sources.find(report.id);
  if (found == s.sources.end())
    return out;
  auto& entry = found->second;
  entry.association = report.association;
  std::optional<sample_verdict> verdict;
  if (report.sample)
    verdict = s.take_sample(entry, *report.sample, now);
  s.judge(verdict ? std::optional{report.id} : std::nullopt, now, out);
  if (verdict == sample_verdict::jump)
    out.emplace_back(poll_sources{poll_spread});
  // A suspect sample only adds doubt; that is no reason to believe less.
  if (verdict && verdict != sample_verdict::suspect
      && entry.where == standing::selected)
    s.accept(now, out);
  s.watch_bad(entry, now, out);
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_deadline(const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  if (s.slew_end && now.mono >= *s.slew_end) {
    if (s.may_touch(now.mono))
      s.end_slew(out);
    s.slew_end.reset();
  }
  s.refresh(now, out);
  return out;
}

std::optional<mono_time> steering::next_deadline() const {
  const auto& s = *state_;
  std::optional<mono_time> next;
  const auto consider = [&next](std::optional<mono_time> t) {
    if (t && (!next || *t < *next))
      next = t;
  };
  consider(s.slew_end);
  consider(s.contested_until);
  consider(s.error_limit);
  if (!s.config.read_only)
    consider(s.status_due);
  if (s.current == system_state::synchronized)
    consider(s.holdover_at());
  return next;
}

void steering::on_frequency_set(frequency actual, const clock_reading& now) {
  auto& s = *state_;
  const auto seen = s.watch.observe(now, s.in_force);
  s.unheard.suspended_s += seen.suspended_s;
  s.unheard.jump_s += seen.jump_s;
  s.in_force = actual.ratio;
  s.last_actual = actual.ratio;
  s.clock_problem.clear();
}

steering_actions steering::on_stepped(ntp_duration by,
                                      const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  if (s.step_pending)
    s.watch.announce(by);
  s.look(now, out);
  s.watch.forget_announced();
  s.step_pending.reset();
  s.clock_problem.clear();
  s.policy.on_stepped(by.seconds(), now.mono);
  for (auto& [id, entry] : s.sources)
    entry.far_samples = 0;
  tell(out, s.config.warn_on_jump ? severity::warning : severity::info,
       "clock-stepped",
       "by=" + seconds_text(by.seconds())
         + " before=" + unix_text(now.unix_time - by.nanoseconds()) + " after="
         + unix_text(now.unix_time) + " sources=" + s.step_wanted_by);
  if (s.belief)
    s.correct(now, out);
  // The kernel forgets its status when it is stepped.
  s.status_due = now.mono;
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_clock_failure(std::string_view what,
                                            const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.in_force = s.last_actual;
  s.slew_end.reset();
  s.step_pending.reset();
  s.watch.forget_announced();
  s.look(now, out);
  if (s.clock_problem.empty())
    tell(out, severity::error, "clock-refused",
         "the clock cannot be set: " + std::string{what});
  s.clock_problem = what;
  s.clock_refused_until = now.mono + retry_time;
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_foreign_frequency(frequency found,
                                                const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.in_force = found.ratio;
  s.last_actual = found.ratio;
  s.foreign_frequency = found.ratio;
  s.slew_end.reset();
  s.look(now, out);
  const bool news = !s.contested(now.mono);
  s.contested_until = now.mono + contest_time;
  if (news)
    tell(out, severity::warning, "contested",
         "found=" + frequency_text(found.ratio)
           + " ours=" + frequency_text(s.base)
           + " another program steers the clock; it is left alone");
  s.refresh(now, out);
  return out;
}

steering_actions steering::on_network(bool online, const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  if (online && !s.network) {
    for (auto& [id, entry] : s.sources)
      entry.poll.reset();
    out.emplace_back(poll_sources{poll_spread});
  }
  s.network = online;
  s.refresh(now, out);
  return out;
}

step_response steering::on_step_wanted(const clock_reading& now) {
  step_response r;
  auto& out = r.actions;
  auto& s = *state_;
  s.look(now, out);
  r.objection = s.objection_to_step(now);
  if (r.objection.empty())
    s.step(s.offset_s(now), now, out);
  s.refresh(now, out);
  return r;
}

steering_actions steering::on_force_sync(const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  s.policy.force(now.mono);
  if (s.panicking)
    s.leave_panic("a person has asked to synchronise", out);
  if (s.belief && s.outcome.result == agreement::reached && !s.surprised)
    s.correct(now, out);
  s.refresh(now, out);
  return out;
}

void steering::set_leap(std::optional<leap_indicator> from_file,
                        std::optional<std::chrono::seconds> tai_offset) {
  state_->leap_from_file = from_file;
  state_->tai_offset = tai_offset;
}

steering_actions steering::on_shutdown(const clock_reading& now) {
  steering_actions out;
  auto& s = *state_;
  s.look(now, out);
  if (!s.may_touch(now.mono))
    return out;
  s.end_slew(out);
  if (s.current != system_state::starting)
    out.emplace_back(s.kernel_status(now));
  return out;
}

std::optional<std::int8_t> steering::desired_poll(source_id id) const {
  const auto it = state_->sources.find(id);
  if (it == state_->sources.end())
    return {};
  return it->second.poll.poll();
}

steering_memory steering::memory() const {
  const auto& s = *state_;
  steering_memory m;
  m.started_this_boot = s.policy.started();
  m.accumulated_steps_s = s.policy.accumulated_s();
  if (s.belief) {
    m.oscillator = frequency{s.belief->frequency};
    m.frequency_deviation = std::sqrt(s.belief->frequency_variance);
  } else if (s.remembered) {
    m.oscillator = frequency{s.initial_frequency};
    m.frequency_deviation = s.initial_deviation;
  }
  return m;
}

std::optional<path_memory> steering::path(source_id id,
                                          const clock_reading& now) const {
  const auto& s = *state_;
  const auto found = s.sources.find(id);
  if (found == s.sources.end())
    return std::nullopt;
  const auto& registration = found->second.registration;
  auto path = s.filters->memory(id, now.raw);
  if (!path) {
    const auto old = s.paths.find(registration.address);
    const bool heard = s.filters->source(id, now.raw).has_value();
    return heard || old == s.paths.end() ? std::nullopt
                                         : std::optional{old->second};
  }
  path->clock.shift(
    -ntp_duration::from_seconds(registration.offset_correction_s));
  return path;
}

} // namespace concert::ntp
