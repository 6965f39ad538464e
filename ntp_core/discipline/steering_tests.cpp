#include "ntp_core/association/loop.hpp"
#include "ntp_core/discipline/steering_state.hpp"
#include "ntp_core/discipline/steering_text.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace concert::ntp {

namespace {

/// How the error of a server grows since its last answer (RFC 5905 §7.2, PHI).
constexpr double dispersion_rate = 15e-6;

/// A server that may be wrong by more than this agrees with everybody
/// (RFC 5905 §7.2, MAXDIST); s.
constexpr double least_distance_limit = 1;

/// Whether any answer, usable or not, came to the last eight polls.
bool answers(const association_snapshot& a, mono_time now) {
  return a.last_answer
         && now - *a.last_answer < 8 * std::chrono::seconds{1U << a.poll};
}

/// "298.7 ms to 301.3 ms ahead".
std::string text_of(const interval& i) {
  const bool one_side = (i.low < 0) == (i.high < 0);
  return (one_side ? duration_text(std::abs(i.low)) : offset_text(i.low))
         + " to " + offset_text(i.high);
}

std::string count_of(std::uint32_t part, std::uint32_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

/// Lets a test decide, and notes it for whoever wants to know. Nothing but the
/// decision costs time where nobody does.
class examination {
public:
  explicit examination(std::vector<source_test>* notes) : notes_(notes) {}

  /// `text` makes a sentence of whether the test was passed.
  bool passes(std::string_view name, bool passed, const auto& text) {
    if (notes_ != nullptr)
      notes_->push_back({name, passed, {}, {}, {}, text(passed)});
    return passed;
  }
  /// What was found and what is allowed.
  void measured(double value, std::optional<double> limit,
                std::string_view unit) {
    if (notes_ == nullptr)
      return;
    notes_->back().value = value;
    notes_->back().limit = limit;
    notes_->back().unit = unit;
  }

private:
  std::vector<source_test>* notes_;
};

} // namespace

double root_distance_s(const source_entry& entry, mono_time now) {
  const double age
    = entry.last_sample ? seconds_of(now - *entry.last_sample) : 0;
  return entry.association.root_delay.seconds() / 2
         + entry.association.root_dispersion.seconds() + dispersion_rate * age;
}

std::optional<standing>
steering::state::unusable(const source_entry& entry, const clock_reading& now,
                          std::vector<source_test>* notes) const {
  const auto& a = entry.association;
  examination test{notes};
  if (!test.passes(
        "reachable", a.reachability != 0 || answers(a, now.mono), [&](bool ok) {
          return ok ? "answers" : "no answer to the last eight polls";
        }))
    return standing::unanswered;
  if (!test.passes("allowed", !entry.registration.noselect, [](bool ok) {
        return ok ? "may be used" : "shown only, as configured by noselect";
      }))
    return standing::noselect;
  const bool synchronized
    = a.last_verdict != packet_verdict::unsynchronized
      && !(a.last_answer && a.leap == leap_indicator::unsynchronized);
  if (!test.passes("synchronized", synchronized, [](bool ok) {
        return ok ? "says that it is synchronized"
                  : "says that it is not synchronized";
      }))
    return standing::unsynchronized;
  const bool acceptable
    = test.passes("usable-answers", a.reachability != 0, [&](bool ok) {
        return ok ? "answers to the last eight polls that could be used"
                  : "its answers are refused: "
                      + std::string{to_string(a.last_verdict)};
      });
  test.measured(std::popcount(a.reachability), 1, "polls");
  if (!acceptable)
    return standing::unacceptable;
  const int highest = std::clamp(config.local_stratum - 1, 0, 15);
  const bool near = test.passes("stratum", a.stratum <= highest, [](bool ok) {
    return ok ? "near enough to a reference clock"
              : "too far from any reference clock";
  });
  test.measured(a.stratum, highest, "");
  if (!near)
    return standing::bad_stratum;
  const bool loop
    = is_timing_loop(a.stratum, a.reference_id, own_reference_ids);
  if (!test.passes("no-loop", !loop, [](bool ok) {
        return ok ? "takes its time from elsewhere"
                  : "takes its time from this machine";
      }))
    return standing::loop;
  const auto e = filters->source(entry.registration.id, now.raw);
  const bool sampled = test.passes("samples", e.has_value(), [](bool ok) {
    return ok ? "has been measured" : "has given no usable sample yet";
  });
  test.measured(e ? static_cast<double>(e->samples) : 0, 1, "samples");
  if (!sampled)
    return standing::unmeasured;
  const double distance = root_distance_s(entry, now.mono);
  const double farthest = std::max(least_distance_limit, config.max_error_s);
  const bool witness
    = test.passes("root-distance", distance <= farthest, [](bool ok) {
        return ok ? "says how right it is within the limit"
                  : "may be so wrong that it agrees with everybody";
      });
  test.measured(distance, farthest, "s");
  if (!witness)
    return standing::too_distant;
  return std::nullopt;
}

/// What selection found, in its words.
void steering::state::note_opinion(const candidate_opinion& view,
                                   std::vector<source_test>& notes) const {
  examination test{&notes};
  const auto& o = outcome;
  test.passes("interval", view.value != opinion::outside, [&](bool ok) {
    return "by this source true time is " + text_of(view.claim)
           + " of the clock, by the largest group of sources "
           + text_of(o.common)
           + (ok ? ": these overlap" : ": these do not overlap");
  });
  test.measured(std::max(0.0, view.claim.gap(o.common)), 0, "s");
  test.passes("trusted", !view.excluded, [](bool ok) {
    return ok ? "has not contradicted a majority of late"
              : "has contradicted a majority; must agree in so many samples "
                "before it is believed again";
  });
  if (view.excluded)
    test.measured(view.agreed_samples, selection::samples_to_return, "samples");
  const bool clear = o.ambiguity_s <= selection::harmless_ambiguity_s;
  test.passes("one-group", clear, [](bool ok) {
    return ok ? "no other group of sources is as large"
              : "another group of sources is as large, so far from this one";
  });
  test.measured(o.ambiguity_s, selection::harmless_ambiguity_s, "s");
  test.passes("majority",
              o.result == agreement::reached || o.result == agreement::opposed
                || (!clear && o.agreeing >= o.needed),
              [&](bool) {
                return count_of(o.agreeing, o.usable)
                       + " usable sources agree; " + std::to_string(required())
                       + " must, and more than half";
              });
  test.measured(o.agreeing, o.needed, "sources");
  test.passes("running-clock", o.result != agreement::opposed, [&](bool ok) {
    if (!ok)
      return "the majority contradicts the running clock; believed when it "
             "has done so for so long";
    return o.opposed_for
             ? "the majority has contradicted the running clock for long enough"
             : "the majority does not contradict the running clock";
  });
  if (o.opposed_for)
    test.measured(seconds_of(*o.opposed_for),
                  seconds_of(selection::opposing_time), "s");
}

/// Of those who agree, who is used.
void steering::state::note_choice(const source_entry& entry,
                                  std::vector<source_test>& notes) const {
  examination test{&notes};
  if (!test.passes("preferred", entry.where != standing::not_preferred,
                   [](bool ok) {
                     return ok ? "no other source is preferred"
                               : "a preferred source is used instead";
                   }))
    return;
  const auto id = entry.registration.id;
  const auto& fits = close_group.fits();
  const auto fit = std::find_if(fits.begin(), fits.end(),
                                [&](const auto& f) { return f.id == id; });
  const bool odd = fit != fits.end() && fit->outlier;
  test.passes("no-outlier", !odd, [&](bool ok) {
    if (!ok)
      return "so far from where the others lie closely together; its path "
             "seems to be asymmetric";
    return fit == fits.end() ? "the others do not lie so closely together that "
                               "one could tell"
                             : "near enough to where the others lie";
  });
  if (fit != fits.end())
    test.measured(std::max(0.0, fit->beyond_s), fit->limit_s, "s");
  if (odd)
    return;
  const auto& ranked = combined.ranked();
  const auto rank = std::find_if(ranked.begin(), ranked.end(),
                                 [&](const auto& c) { return c.id == id; });
  if (rank == ranked.end())
    return;
  test.passes("among-best", entry.where != standing::spare, [&](bool) {
    return "how wrong it may be, with a bonus for being used; the best "
           + std::to_string(config.combine_limit) + " are used (combine-limit)";
  });
  const auto last = std::min<std::size_t>(config.combine_limit, ranked.size());
  test.measured(rank->distance_s,
                last > 0 && last < ranked.size()
                  ? std::optional{ranked[last - 1].distance_s}
                  : std::nullopt,
                "s");
}

std::vector<source_test>
steering::state::tests(const source_entry& entry) const {
  std::vector<source_test> notes;
  const auto bars = unusable(entry, judged, &notes);
  if (bars || !entry.view)
    return notes;
  note_opinion(*entry.view, notes);
  if (entry.agrees())
    note_choice(entry, notes);
  return notes;
}

} // namespace concert::ntp
