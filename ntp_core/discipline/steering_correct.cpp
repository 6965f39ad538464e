#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

using severity = steering_event::severity;

/// What the kernel can do by tick and frequency, ratio.
constexpr double largest_frequency = 0.1;
/// Resolution of the kernel's frequency, ratio.
constexpr double resolution = 1e-6 / 65536;
/// With many sources there is news more often than a clock can use it.
constexpr std::chrono::milliseconds between_slews{950};
constexpr std::chrono::seconds step_answer_time{10};
/// Samples of each source before a restarted daemon trusts them more than the
/// clock that it found running.
constexpr std::uint64_t samples_after_restart = 16;
constexpr std::uint8_t samples_for_step = 3;
/// Below so many standard deviations an offset may be mere noise.
constexpr double deviations_for_step = 3;
constexpr double longest_slew_s = 128;
constexpr double longest_calm = 4;
/// A program stamps its answer before it leaves: chronyd 2 to 13 us, of which
/// the offset takes half. All err to the same side, so that more of them do not
/// help; one deviation, s.
constexpr double early_stamp_s = 3e-6;

/// In interleaved mode (RFC 9769) the server's kernel may have stamped for it.
bool stamps_early(const source_entry& entry) {
  const auto& a = entry.association;
  const auto answers
    = a.packets[static_cast<std::size_t>(packet_verdict::accepted)];
  return entry.where == standing::selected
         && 2 * a.interleaved_answers <= answers;
}

std::uint32_t peer_id(const source_registration& r) {
  if (!r.address.address.is_v4())
    return r.reference_id;
  const auto& o = r.address.address.octets();
  return std::uint32_t{o[0]} << 24 | std::uint32_t{o[1]} << 16
         | std::uint32_t{o[2]} << 8 | std::uint32_t{o[3]};
}

const char* cause_text(panic_cause cause) {
  switch (cause) {
    case panic_cause::single_step:
      return "single-step-panic-threshold";
    case panic_cause::startup:
      return "startup-step-panic-threshold";
    case panic_cause::accumulated:
      return "accumulated-step-panic-threshold";
    case panic_cause::past:
      return "a time before the build or the saved time";
    case panic_cause::none:
      break;
  }
  return "no threshold";
}

} // namespace

void steering::state::accept(const clock_reading& now, steering_actions& out) {
  if (surprised && !fresh_majority())
    return;
  surprised.reset();
  believe(now);
  warn_of_disagreement(out);
  if (belief)
    correct(now, out);
}

void steering::state::warn_of_disagreement(steering_actions& out) {
  const bool disagree = upstream.disagreement_s > 0;
  if (disagree == disagreeing)
    return;
  disagreeing = disagree;
  if (disagree)
    tell(out, severity::warning, "filters-disagree",
         "by=" + seconds_text(upstream.disagreement_s)
           + " a simpler filter over the same samples says otherwise; the "
             "reported error grows by that much");
  else
    tell(out, severity::info, "filters-agree", "again");
}

/// After a surprise only sources heard since can say what it was.
bool steering::state::fresh_majority() const {
  std::uint32_t fresh = 0;
  for (const auto& [id, entry] : sources)
    fresh
      += entry.agrees() && entry.last_sample && *entry.last_sample >= *surprised
           ? 1
           : 0;
  return fresh >= required() && 2 * fresh > outcome.usable;
}

/// Takes over what the selected sources say together, and chooses the one
/// whose root distance is smallest as the system peer.
void steering::state::believe(const clock_reading& now) {
  const auto combined = filters->combined(now.raw);
  if (!combined)
    return;
  const auto wall = wall_minus_raw(now);
  const double offset = combined->clock.offset_against(wall);
  double best = 0;
  const source_entry* chosen = nullptr;
  std::int8_t slowest = 0;
  for (const auto& [id, entry] : sources) {
    if (entry.where != standing::selected)
      continue;
    const auto e = filters->source(id, now.raw);
    const auto& a = entry.association;
    const double apart = std::abs(e->clock.offset_against(wall) - offset);
    const double distance = (a.root_delay.seconds() + e->base_delay_s) / 2
                            + a.root_dispersion.seconds() + apart;
    slowest = std::max(slowest, a.poll);
    if (chosen && distance >= best)
      continue;
    best = distance;
    chosen = &entry;
    upstream.delay_s = a.root_delay.seconds() + e->base_delay_s;
    upstream.dispersion_s
      = a.root_dispersion.seconds() + apart + std::ldexp(1.0, config.precision);
  }
  if (!chosen)
    return;
  const bool early = std::ranges::any_of(
    sources, [](const auto& s) { return stamps_early(s.second); });
  upstream.stamp_s = early ? early_stamp_s : 0;
  upstream.bias_variance = combined->bias_variance;
  upstream.server_variance = combined->server_variance;
  upstream.disagreement_s = combined->disagreement_s;
  belief = combined->clock;
  last_update = now.mono;
  patience = std::chrono::seconds{5LL << std::clamp<int>(slowest, 0, 17)};
  peer.stratum = chosen->association.stratum;
  peer.reference_id = peer_id(chosen->registration);
  peer.root_delay = ntp_duration::from_seconds(upstream.delay_s);
  peer.updated = now.wall + ntp_duration::from_seconds(offset);
}

bool steering::state::may_touch(mono_time now) const {
  const bool refused = clock_refused_until && now < *clock_refused_until;
  return !config.read_only && !contested(now) && !refused;
}

void steering::state::correct(const clock_reading& now, steering_actions& out) {
  const double offset = offset_s(now);
  const auto disciplined = disciplined_unix(now);
  if (config.read_only) {
    policy.on_slewed();
    return;
  }
  if (step_pending && now.mono - *step_pending < step_answer_time)
    return;
  if (surprised || !may_touch(now.mono) || !network || leap.near(disciplined))
    return;

  const auto decision
    = policy.decide(config, {offset, confirmed(), now.mono, now.unix_time});
  if (decision.what == correction::panic) {
    enter_panic(decision.cause, offset, out);
    return;
  }
  if (decision.what == correction::wait) {
    // Unconfirmed: neither follow it nor go on with an older slew.
    end_slew(out);
    return;
  }
  if (panicking)
    leave_panic("the offset has gone", out);
  if (decision.what == correction::step)
    step(offset, now, out);
  else
    slew(offset, trust_after_restart(offset, now), now, out);
}

/// The clock that a restarted daemon finds was right a moment ago, and a few
/// samples know less: how much of an offset and of a frequency to believe, 0 to
/// 1.
double steering::state::trust_after_restart(double offset_s,
                                            const clock_reading& now) {
  if (!restarted || policy.forced(now.mono))
    return 1;
  std::uint64_t fewest = samples_after_restart;
  for (const auto& [id, entry] : sources) {
    if (entry.where == standing::selected)
      fewest = std::min(fewest, filters->source(id, now.raw)->samples);
  }
  const double doubt = std::sqrt(belief->variance_s2 + upstream.bias_variance);
  restarted = fewest < samples_after_restart && std::abs(offset_s) < 3 * doubt;
  return restarted ? static_cast<double>(fewest)
                       / static_cast<double>(samples_after_restart)
                   : 1;
}

bool steering::state::confirmed() const {
  std::uint32_t seen = 0;
  for (const auto& [id, entry] : sources)
    seen += entry.agrees() && entry.far_samples >= samples_for_step ? 1 : 0;
  return seen >= required() && 2 * seen > outcome.usable;
}

/// Time in which an offset is spent: a share of the time until the next sample.
/// Where little can happen until then against what is not known anyway, a
/// longer slew costs no time error and makes the frequency quieter.
double steering::state::slew_length_s(const clock_reading& now) const {
  double samples_per_s = 0;
  for (const auto& [id, entry] : sources)
    samples_per_s += entry.where == standing::selected
                       ? std::ldexp(1.0, -entry.association.poll)
                       : 0;
  const double interval = 1 / samples_per_s;
  const auto b = belief->predicted(now.raw);
  const double growth
    = interval
      * std::sqrt(b.frequency_variance + b.wander * b.wander * interval / 3);
  const double calm
    = std::clamp(std::sqrt(b.variance_s2) / growth, 1.0, longest_calm);
  return std::clamp(config.slew_polls * calm * interval, 1.0, longest_slew_s);
}

/// No dead band: each update sets the base frequency, and spends the offset
/// over part of the time until the next one (algorithm.md §4.8).
void steering::state::slew(double offset_s, double trust,
                           const clock_reading& now, steering_actions& out) {
  const bool first = !policy.started();
  policy.on_slewed();
  if (!first && last_slew && now.mono - *last_slew < between_slews)
    return;
  last_slew = now.mono;
  double duration = slew_length_s(now);
  offset_s *= trust;
  double rate = offset_s / duration;
  if (std::abs(rate) > config.max_slew) {
    rate = std::copysign(config.max_slew, offset_s);
    duration = std::abs(offset_s) / config.max_slew;
  }
  const double limit = largest_frequency - config.max_slew;
  const double wanted
    = std::clamp(belief->predicted(now.raw).frequency, -limit, limit);
  base += trust * (wanted - base);
  if (std::abs(rate) < resolution)
    command(base, std::nullopt, out);
  else
    command(base + rate, now.mono + nanoseconds_of(duration), out);
}

std::string steering::state::objection_to_step(const clock_reading& now) const {
  if (config.read_only)
    return "the clock is not ours to set: this daemon only watches it";
  if (current != system_state::synchronized)
    return "the clock is not synchronized: " + state_reason(now);
  if (surprised || outcome.result != agreement::reached)
    return "the sources do not agree on the time at the moment";
  if (!may_touch(now.mono) || step_pending)
    return "the clock could not be set a moment ago: " + clock_problem;
  if (leap.near(disciplined_unix(now)))
    return "a leap second is near; the clock is not stepped around it";
  const double offset = offset_s(now);
  const double doubt
    = deviations_for_step * std::sqrt(belief->predicted(now.raw).variance_s2);
  if (std::abs(offset) <= doubt)
    return "the clock is " + offset_text(offset, "slow", "fast")
           + ", not worth a step: that is known to no better than "
           + duration_text(doubt);
  if (std::abs(offset) > config.step_s && !confirmed())
    return "that the clock is " + offset_text(offset, "slow", "fast")
           + " has not been seen in three samples of each source yet";
  const auto cause
    = policy.forbids(config, {offset, true, now.mono, now.unix_time});
  if (cause != panic_cause::none)
    return "a step of " + offset_text(offset, "forward", "back") + " is beyond "
           + cause_text(cause);
  return {};
}

void steering::state::step(double offset_s, const clock_reading& now,
                           steering_actions& out) {
  end_slew(out);
  const auto by = ntp_duration::from_seconds(offset_s);
  step_wanted_by.clear();
  int named = 0;
  for (const auto& [id, entry] : sources) {
    if (entry.where != standing::selected)
      continue;
    if (++named > 3)
      continue;
    step_wanted_by += (named > 1 ? "," : "") + entry.registration.name;
  }
  if (named > 3)
    step_wanted_by += ",+" + std::to_string(named - 3);
  watch.announce(by);
  step_pending = now.mono;
  out.emplace_back(step_clock{by});
}

void steering::state::enter_panic(panic_cause cause, double offset_s,
                                  steering_actions& out) {
  panic_offset_s = offset_s;
  panic_because = cause;
  if (panicking)
    return;
  panicking = true;
  end_slew(out);
  tell(out, severity::error, "panic",
       "offset=" + seconds_text(offset_s) + " limit=" + cause_text(cause)
         + " the clock is not touched until `ntp-ctl force-sync`");
  if (config.exit_on_panic)
    out.emplace_back(exit_program{});
}

void steering::state::leave_panic(const char* why, steering_actions& out) {
  panicking = false;
  panic_because = panic_cause::none;
  tell(out, severity::warning, "panic-over", why);
}

void steering::state::end_slew(steering_actions& out) {
  if (slew_end)
    command(base, std::nullopt, out);
}

void steering::state::command(double value, std::optional<mono_time> end,
                              steering_actions& out) {
  const bool same
    = std::abs(value - in_force) < resolution && !end && !slew_end;
  slew_end = end;
  if (same)
    return;
  in_force = value;
  out.emplace_back(set_frequency{{value}, {base}, end});
}

} // namespace concert::ntp
