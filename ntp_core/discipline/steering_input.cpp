#include "ntp_core/discipline/checked_discipline.hpp"
#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"
#include "ntp_core/leap/leap_vote.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

using severity = steering_event::severity;

/// Polls in a bad state after which another server would be better.
constexpr std::uint8_t bad_polls_allowed = 8;
constexpr std::chrono::minutes between_replacements{1};
constexpr std::chrono::seconds poll_spread{32};
/// A clock may change its rate by this at once (a virtual machine that moved);
/// our own prediction does not vote against what that explains.
constexpr double sudden_frequency = 50e-6;
/// Older memory of a path is worth less than its first sample: by then a usual
/// wander, 1e-8 per √s, makes a millisecond, and routes change too.
constexpr double memory_span_s = 3600;

double square(double v) {
  return v * v;
}

} // namespace

steering::state::state(const steering_config& c, const steering_memory& m,
                       frequency kernel, const clock_reading& now,
                       std::unique_ptr<discipline> empty_filters)
  : config(c),
    initial_frequency(m.oscillator.value_or(kernel).ratio),
    // A clock that was steered a moment ago is nearly right.
    initial_deviation(m.started_this_boot ? 1e-6 : 100e-6),
    remembered(m.oscillator.has_value()),
    paths(m.paths),
    filters(std::make_unique<checked_discipline>(std::move(empty_filters))),
    watch(now),
    policy(m.started_this_boot, m.accumulated_steps_s),
    in_force(kernel.ratio),
    last_actual(kernel.ratio),
    base(kernel.ratio),
    restarted(m.started_this_boot),
    since(now.mono) {
  if (m.oscillator) {
    // A cold machine may run otherwise than when it was switched off.
    initial_deviation
      = std::clamp(m.frequency_deviation, restarted ? 1e-7 : 1e-6, 100e-6);
    if (!restarted)
      start_with = m.oscillator->ratio;
  }
}

void steering::state::look(const clock_reading& now, steering_actions& out) {
  auto seen = watch.observe(now, in_force);
  seen.suspended_s += unheard.suspended_s;
  seen.jump_s += unheard.jump_s;
  unheard = {};
  if (seen.suspended_s != 0)
    on_suspended(seen.suspended_s, now, out);
  const auto disciplined = disciplined_unix(now);
  if (seen.jump_s != 0 && !leap.explains(seen.jump_s, disciplined))
    on_foreign_step(seen.jump_s, now, out);
  follow_leap(now, out);
}

void steering::state::on_suspended(double gap_s, const clock_reading& now,
                                   steering_actions& out) {
  // The oscillator stood still while time went on, by a clock that counts
  // seconds and may drift.
  const double doubt = square(200e-6 * gap_s) + 1;
  const auto gap = ntp_duration::from_seconds(gap_s);
  filters->shift(gap);
  filters->inflate(doubt, 1e-12);
  if (belief) {
    belief->shift(gap);
    belief->inflate(doubt, 1e-12);
  }
  tell(out, severity::info, "suspended",
       "seconds=" + seconds_text(gap_s)
         + " the machine slept; asking the sources");
  on_surprise(now, out);
}

void steering::state::on_foreign_step(double by_s, const clock_reading& now,
                                      steering_actions& out) {
  filters->inflate(square(by_s), 0);
  if (belief)
    belief->inflate(square(by_s), 0);
  tell(out, severity::warning, "clock-stepped-by-others",
       "by=" + seconds_text(by_s) + " now=" + unix_text(now.unix_time)
         + " somebody set the clock; asking the sources");
  status_due = now.mono; // the kernel forgot its status
  on_surprise(now, out);
}

void steering::state::on_surprise(const clock_reading& now,
                                  steering_actions& out) {
  surprised = now.mono;
  last_surprise = now.raw;
  for (auto& [id, entry] : sources) {
    entry.poll.reset();
    entry.far_samples = 0;
  }
  if (slew_end && may_touch(now.mono))
    end_slew(out);
  out.emplace_back(poll_sources{poll_spread});
}

void steering::state::follow_leap(const clock_reading& now,
                                  steering_actions& out) {
  const auto disciplined = disciplined_unix(now);
  leap.update(voted_leap(), leap_from_file, disciplined);
  if (!leap.passed(disciplined)) {
    tai_before_leap = tai_offset;
    return;
  }
  filters->shift(leap.utc_shift());
  if (belief)
    belief->shift(leap.utc_shift());
  // The kernel has moved its TAI − UTC too; whether the caller has already told
  // us of the new one depends on when it last looked into the file.
  if (tai_before_leap)
    tai_offset = *tai_before_leap
                 - std::chrono::round<std::chrono::seconds>(
                   leap.utc_shift().nanoseconds());
  status_due = now.mono;
  tell(out, severity::info, "leap-second",
       "by=" + seconds_text(leap.utc_shift().seconds())
         + " UTC has made the announced leap second");
}

leap_indicator steering::state::voted_leap() const {
  std::vector<leap_indicator> votes;
  for (const auto& [id, entry] : sources)
    if (entry.agrees())
      votes.push_back(entry.association.leap);
  return leap_majority(votes).value_or(leap_indicator::none);
}

std::optional<sample_verdict>
steering::state::take_sample(source_entry& entry, const measurement& sample,
                             const clock_reading& now) {
  const bool before_surprise = last_surprise && sample.t1.raw < *last_surprise;
  const auto disciplined = disciplined_unix(now);
  // What an interleaved answer completes is a poll old.
  const auto age = (now.raw - sample.t1.raw).nanoseconds();
  if (before_surprise || leap.near(disciplined - age, disciplined))
    return std::nullopt;
  const auto& registration = entry.registration;
  const auto path = make_path_sample(sample, registration.offset_correction_s,
                                     config.precision);
  if (!filters->source(registration.id, now.raw))
    filters->add_source(
      registration.id,
      {initial_frequency, initial_deviation, config.initial_wander},
      recall(registration, now.raw));
  const auto verdict = filters->on_sample(registration.id, path);
  entry.last_sample = sample.received_at;
  count_far(entry, path, now);
  if (verdict == sample_verdict::jump)
    entry.poll.reset();
  if (verdict != sample_verdict::used)
    return verdict;
  const auto e = filters->source(registration.id, now.raw);
  const double interval = std::exp2(entry.association.poll);
  const double growth = interval
                        * std::sqrt(e->clock.frequency_variance
                                    + square(e->clock.wander) * interval / 3);
  entry.poll.update(growth, std::sqrt(e->clock.variance_s2),
                    config.poll_tolerance);
  return verdict;
}

void steering::state::change(source_entry& entry, const source_registration& to,
                             const clock_reading& now, steering_actions& out) {
  const double by_s
    = to.offset_correction_s - entry.registration.offset_correction_s;
  entry.registration = to;
  entry.poll.set_limits(to.min_poll, to.max_poll);
  if (by_s != 0) {
    filters->shift_source(to.id, ntp_duration::from_seconds(by_s));
    // What we believe came from it too. Our own prediction must not vote
    // against what a person has just explained.
    if (belief && entry.where == standing::selected)
      belief->inflate(square(by_s), 0);
    entry.far_samples = 0;
  }
  judge(std::nullopt, now, out);
}

/// What an earlier run knew of this source; only once.
std::optional<path_memory>
steering::state::recall(const source_registration& source, raw_time now) {
  const auto found = paths.extract(source.address);
  if (!found)
    return std::nullopt;
  auto path = found.mapped();
  const double age = (now - path.clock.at).seconds();
  if (age < 0 || age > memory_span_s)
    return std::nullopt;
  path.clock.shift(ntp_duration::from_seconds(source.offset_correction_s));
  return path;
}

/// A step needs samples that agree with each other, not a filter that does.
void steering::state::count_far(source_entry& entry, const path_sample& sample,
                                const clock_reading& now) const {
  const double offset = (sample.offset - wall_minus_raw(now)).seconds();
  const bool far = std::abs(offset) > config.step_s;
  const bool alike = std::abs(offset - entry.far_offset_s)
                     < 0.1 * std::abs(offset) + sample.delay_s;
  if (!far)
    entry.far_samples = 0;
  else if (entry.far_samples == 0 || !alike)
    entry.far_samples = 1;
  else if (entry.far_samples < 255)
    ++entry.far_samples;
  entry.far_offset_s = offset;
}

std::uint32_t steering::state::required() const {
  if (config.minimum_agreeing_sources)
    return std::max(1U, *config.minimum_agreeing_sources);
  const auto known
    = configured > 0 ? configured : static_cast<std::uint32_t>(sources.size());
  return std::min(3U, known / 2 + 1);
}

std::vector<candidate> steering::state::candidates(const clock_reading& now) {
  std::vector<candidate> list;
  list.reserve(sources.size());
  const auto wall = wall_minus_raw(now);
  for (auto& [id, entry] : sources) {
    entry.view.reset();
    if (const auto why = unusable(entry, now, nullptr)) {
      entry.where = *why;
      continue;
    }
    const auto e = filters->source(id, now.raw);
    const double offset = e->clock.offset_against(wall);
    const double half = e->base_delay_s / 2 + root_distance_s(entry, now.mono)
                        + 3 * std::sqrt(e->clock.variance_s2);
    list.push_back({id, {offset - half, offset + half}});
  }
  return list;
}

/// Our own vote: where we expect true time, against the wall clock.
std::optional<interval>
steering::state::prediction(const clock_reading& now) const {
  const auto limits = bound();
  if (!limits || !policy.started() || panicking)
    return std::nullopt;
  const double half = limits->max_error_s(now.raw)
                      + sudden_frequency * seconds_of(now.mono - *last_update);
  if (half > config.max_error_s)
    return std::nullopt;
  const double centre = offset_s(now);
  return interval{centre - half, centre + half};
}

void steering::state::judge(std::optional<source_id> sampled,
                            const clock_reading& now, steering_actions& out) {
  judged = now;
  const auto list = candidates(now);
  outcome
    = judgement.judge(list, required(), sampled, prediction(now), now.mono);
  for (const auto& view : outcome.opinions) {
    auto& entry = sources.at(view.id);
    place(entry, view);
    if (view.newly_excluded)
      tell(out, severity::warning, "falseticker",
           "source=" + entry.registration.name + " "
             + source_reason(entry, now));
  }
  if (outcome.result == agreement::reached)
    select(now);
}

void steering::state::place(source_entry& entry,
                            const candidate_opinion& view) const {
  const auto undecided = [this] {
    switch (outcome.result) {
      case agreement::too_few:
        return standing::too_few;
      case agreement::opposed:
        return standing::opposed;
      default:
        return standing::no_majority;
    }
  };
  entry.view = view;
  if (view.value == opinion::returning)
    entry.where = standing::returning;
  else if (view.excluded)
    entry.where = standing::falseticker;
  else if (outcome.result != agreement::reached)
    entry.where = undecided();
  else
    entry.where = standing::selected;
}

/// Of those who agree, the preferred ones are used if there are any, without
/// those whose path is odd, and the best few of what remains.
void steering::state::select(const clock_reading& now) {
  const auto leave
    = [this](const std::set<source_id>& kept, bool inside, standing instead) {
        for (auto& [id, entry] : sources)
          if (entry.where == standing::selected && kept.contains(id) != inside)
            entry.where = instead;
      };
  std::set<source_id> preferred;
  for (const auto& [id, entry] : sources)
    if (entry.where == standing::selected && entry.registration.prefer)
      preferred.insert(id);
  if (!preferred.empty())
    leave(preferred, true, standing::not_preferred);

  std::vector<cluster_member> members;
  const auto wall = wall_minus_raw(now);
  for (const auto& [id, entry] : sources)
    if (const auto e = filters->source(id, now.raw);
        e && entry.where == standing::selected)
      members.push_back({id, e->clock.offset_against(wall),
                         std::sqrt(e->clock.variance_s2), e->base_delay_s / 2});
  leave(close_group.outliers(members), false, standing::outlier);

  std::vector<combine_candidate> ranked;
  for (const auto& m : members) {
    const auto& entry = sources.at(m.id);
    if (entry.where == standing::selected)
      ranked.push_back({m.id, m.one_way_s + 3 * m.deviation_s
                                + root_distance_s(entry, now.mono)});
  }
  leave(combined.choose(ranked, config.combine_limit), true, standing::spare);

  std::vector<selected_source> chosen;
  for (const auto& [id, entry] : sources) {
    // Not aged: how much a filter still knows is told by its own covariance,
    // and the newest sample must not outweigh a better source.
    if (entry.where == standing::selected)
      chosen.push_back(
        {id, square(entry.association.root_dispersion.seconds())
               + square(0.1 * entry.association.root_delay.seconds())});
  }
  filters->set_selected(chosen);
}

void steering::state::watch_bad(source_entry& entry, const clock_reading& now,
                                steering_actions& out) {
  const bool bad = entry.where == standing::unanswered
                   || entry.where == standing::loop
                   || entry.where == standing::bad_stratum
                   || entry.where == standing::unsynchronized
                   || entry.where == standing::unacceptable
                   || entry.where == standing::too_distant
                   || entry.where == standing::falseticker;
  if (!bad || !network) {
    entry.bad_polls = 0;
    return;
  }
  if (entry.bad_polls < 255)
    ++entry.bad_polls;
  if (entry.bad_polls <= bad_polls_allowed
      || (last_replacement
          && now.mono - *last_replacement < between_replacements))
    return;
  entry.bad_polls = 0;
  last_replacement = now.mono;
  out.emplace_back(replace_source{entry.registration.id});
}

} // namespace concert::ntp
