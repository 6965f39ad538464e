#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

std::string count_of(std::uint32_t part, std::uint32_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

source_state state_of(standing where) {
  switch (where) {
    case standing::unanswered:
      return source_state::unreachable;
    case standing::loop:
    case standing::bad_stratum:
    case standing::unsynchronized:
    case standing::unacceptable:
    case standing::too_distant:
      return source_state::unusable;
    case standing::selected:
      return source_state::selected;
    case standing::falseticker:
    case standing::returning:
      return source_state::falseticker;
    case standing::unmeasured:
    case standing::noselect:
    case standing::not_preferred:
    case standing::outlier:
    case standing::spare:
    case standing::no_majority:
    case standing::too_few:
    case standing::opposed:
      break;
  }
  return source_state::candidate;
}

} // namespace

std::string steering::state::source_reason(const source_entry& entry,
                                           const clock_reading& now) const {
  std::string offset = "offset";
  double outside = 0;
  if (const auto e = filters->source(entry.registration.id, now.raw)) {
    const double value = e->clock.offset_against(wall_minus_raw(now));
    offset += " " + offset_text(value);
    outside = std::max(
      {0.0, value - outcome.common.high, outcome.common.low - value});
  }
  const auto agree = count_of(outcome.agreeing, outcome.usable);
  const auto needed = std::to_string(required());
  switch (entry.where) {
    case standing::unanswered:
      return entry.last_sample ? "no answer to the last eight polls"
                               : "no answer yet";
    case standing::unmeasured:
      return "answers, but has given no usable sample yet";
    case standing::noselect:
      return offset + "; shown only, as configured by noselect";
    case standing::loop:
      return "takes its time from this machine";
    case standing::bad_stratum:
      return "stratum " + std::to_string(entry.association.stratum)
             + " is not below the limit of "
             + std::to_string(std::min<int>(config.local_stratum, 16));
    case standing::unsynchronized:
      return "says that it is not synchronized";
    case standing::unacceptable:
      return "answers, but its answers are refused: "
             + std::string{to_string(entry.association.last_verdict)};
    case standing::too_distant:
      return offset + "; it says that it may be wrong by "
             + duration_text(entry.association.root_delay.seconds() / 2
                             + entry.association.root_dispersion.seconds())
             + ", and so agrees with everybody";
    case standing::selected:
      return offset + " agrees; used for the clock";
    case standing::not_preferred:
      return offset + " agrees; a preferred source is used instead";
    case standing::outlier:
      return offset
             + " is possible, but far from where the others lie so closely "
               "together; its path seems to be asymmetric";
    case standing::spare:
      return offset + " agrees; the " + std::to_string(config.combine_limit)
             + " best sources are used (combine-limit)";
    case standing::no_majority:
      return offset + "; the sources disagree, and no more than "
             + count_of(outcome.agreeing, outcome.usable) + " agree";
    case standing::too_few:
      return offset + "; " + std::to_string(outcome.agreeing) + " agree, but "
             + needed + " are needed";
    case standing::opposed:
      return offset
             + "; the sources contradict the running clock, which stands for "
               "ten "
               "minutes before it is believed";
    case standing::falseticker:
      return offset + " is " + duration_text(outside)
             + " outside the interval agreed by " + agree + " sources";
    case standing::returning:
      return offset + " agrees again in "
             + std::to_string(entry.view ? entry.view->agreed_samples : 0)
             + " of the " + std::to_string(selection::samples_to_return)
             + " samples it needs to return";
  }
  return {};
}

std::string steering::state::starting_reason() const {
  const auto needed = required();
  const auto known
    = configured > 0 ? configured : static_cast<std::uint32_t>(sources.size());
  if (known == 0)
    return "no sources are configured";
  if (needed > known)
    return std::to_string(needed) + " sources must agree, but only "
           + std::to_string(known) + " are configured";
  switch (outcome.result) {
    case agreement::none:
      return "waiting for the first usable answer";
    case agreement::no_majority:
      return "the " + std::to_string(outcome.usable)
             + " usable sources disagree";
    default:
      return std::to_string(outcome.agreeing) + " of the "
             + std::to_string(needed) + " sources needed agree";
  }
}

bool steering::state::all_offline_by_person() const {
  return !sources.empty()
         && std::all_of(sources.begin(), sources.end(), [](const auto& s) {
              return s.second.registration.offline;
            });
}

std::string steering::state::state_reason(const clock_reading& now) const {
  const auto limit = duration_text(config.max_error_s);
  const auto error = duration_text(max_error_s(now));
  const auto silent
    = duration_text(last_update ? seconds_of(now.mono - *last_update) : 0);
  std::string reason;
  switch (current) {
    case system_state::starting:
      reason = starting_reason();
      break;
    case system_state::synchronized:
      reason = count_of(outcome.agreeing, outcome.usable)
               + " usable sources agree; the clock is right within " + error;
      break;
    case system_state::holdover:
      reason = "no majority of sources for " + silent
               + "; the clock keeps its last frequency, right within " + error;
      break;
    case system_state::unsynchronized:
      reason = "the clock may be wrong by " + error + ", the limit is " + limit;
      break;
    case system_state::panic:
      reason
        = "the sources want a step of "
          + offset_text(panic_offset_s, "forward", "back")
          + ", beyond what is allowed; `ntp-ctl force-sync` allows it once";
      break;
    case system_state::contested:
      reason = "another program has set the clock's frequency to "
               + frequency_text(foreign_frequency) + "; it is left alone";
      break;
    case system_state::offline:
      reason = (all_offline_by_person() ? "a person has taken all sources "
                                          "offline"
                                        : "there is no network")
               + std::string{"; the clock is right within "} + error;
      break;
  }
  if (!clock_problem.empty())
    reason += "; the clock cannot be set: " + clock_problem;
  return reason;
}

/// Our own clock as a reference of last resort (`local-stratum`).
void steering::state::serve_local(served_time& s) const {
  s.valid = true;
  s.leap = leap_indicator::none;
  s.stratum = config.local_stratum;
  s.reference_id = config.reference_id;
  s.root_delay = {};
}

served_time steering::state::served(const clock_reading& now) const {
  served_time s;
  s.precision = config.precision;
  s.step_count = policy.steps();
  s.wall_base = now.wall;
  s.reference_time = last_update ? peer.updated : now.wall;
  if (const auto limits = bound(); limits && !panicking) {
    const auto line = belief->predicted(now.raw);
    const double offset = line.offset_against(wall_minus_raw(now));
    s.valid = true;
    s.reference_id = peer.reference_id;
    s.root_delay = peer.root_delay;
    limits->serve(s, now.raw, config.read_only ? std::abs(offset) : 0);
    if (!config.read_only) {
      s.offset_s = offset;
      s.rate = (line.frequency - in_force) / (1 + in_force);
    }
  }
  const bool trusted
    = s.valid && policy.started() && !contested(now.mono)
      && max_error_s(now) - std::abs(offset_s(now)) <= config.max_error_s
      && peer.stratum < 15;
  if (trusted) {
    s.leap = leap.today();
    s.stratum = static_cast<std::uint8_t>(peer.stratum + 1);
  } else if (config.local_stratum < 16 && !panicking
             && (policy.started() || (configured == 0 && sources.empty()))) {
    serve_local(s);
  }
  return s;
}

system_snapshot steering::snapshot(const clock_reading& now) const {
  const auto& s = *state_;
  const auto status = s.kernel_status(now);
  system_snapshot r;
  r.state = s.current;
  r.state_reason = s.state_reason(now);
  r.state_since = s.since;
  r.synchronized = status.synchronized;
  r.served = s.served(now);
  r.offset_s = s.offset_s(now);
  r.frequency = s.base;
  r.frequency_uncertainty = s.initial_deviation;
  r.estimated_error_s = status.estimated_error_s;
  r.stability_s = status.estimated_error_s;
  r.max_error_s = status.max_error_s;
  r.wander = s.config.initial_wander;
  if (s.belief) {
    const auto line = s.belief->predicted(now.raw);
    r.frequency_uncertainty = std::sqrt(line.frequency_variance);
    r.stability_s = std::hypot(std::sqrt(line.variance_s2), r.offset_s);
    r.wander = line.wander;
    r.budget = s.bound()->budget(now.raw);
    r.budget.unslewed_s = std::abs(r.offset_s);
  }
  r.last_update = s.last_update;
  r.steps_total = s.policy.steps();
  r.last_step_s = s.policy.last_step_s();
  r.accumulated_steps_s = s.policy.accumulated_s();
  r.accumulated_steps_threshold_s = s.config.accumulated_step_panic_threshold_s;
  if (s.current == system_state::holdover)
    r.holdover_s = seconds_of(now.mono - s.since);
  for (const auto& [id, entry] : s.sources)
    r.selected_sources += entry.where == standing::selected ? 1 : 0;
  r.required_sources = s.required();
  return r;
}

std::vector<source_snapshot> steering::sources(const clock_reading& now) const {
  const auto& s = *state_;
  std::vector<source_snapshot> list;
  list.reserve(s.sources.size());
  for (const auto& [id, entry] : s.sources) {
    source_snapshot r;
    r.id = id;
    r.state = state_of(entry.where);
    r.state_reason = s.source_reason(entry, now);
    if (entry.registration.offline)
      r.state_reason = "not asked, since a person has said so (ntp-ctl "
                       "offline); "
                       + r.state_reason;
    r.tests = s.tests(entry);
    r.last_sample = entry.last_sample;
    r.desired_poll = entry.poll.poll();
    if (const auto e = s.filters->source(id, now.raw)) {
      r.offset_s = e->clock.offset_against(wall_minus_raw(now));
      r.uncertainty_s = std::sqrt(e->clock.variance_s2);
      r.delay_s = e->base_delay_s;
      r.jitter_s = e->mean_excess_s;
      r.asymmetry_s = e->asymmetry_s;
      r.frequency_ppm = (e->clock.frequency - s.base) * 1e6;
      r.samples = e->samples;
    }
    list.push_back(std::move(r));
  }
  return list;
}

} // namespace concert::ntp
