#include "ntp_core/selection/selection.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

constexpr std::uint32_t opposing_polls = 3;

} // namespace

selection_outcome selection::judge(std::span<const candidate> candidates,
                                   std::uint32_t required,
                                   std::optional<source_id> sampled,
                                   std::optional<interval> prediction,
                                   mono_time now) {
  selection_outcome o;
  o.usable = static_cast<std::uint32_t>(candidates.size());
  std::vector<interval> claims;
  claims.reserve(candidates.size());
  for (const auto& c : candidates)
    claims.push_back(c.claim);
  std::optional<double> centre;
  if (prediction)
    centre = (prediction->low + prediction->high) / 2;
  const auto group = intersect(claims, centre);
  if (!group)
    return o;

  o.common = group->common;
  o.opinions.reserve(candidates.size());
  for (const auto& c : candidates) {
    const auto past = excluded_.find(c.id.value);
    candidate_opinion view{c.id, c.claim};
    view.excluded = past != excluded_.end();
    if (c.claim.touches(o.common))
      view.value = view.excluded ? opinion::returning : opinion::agreeing;
    o.agreeing += view.value == opinion::agreeing ? 1 : 0;
    o.opinions.push_back(view);
  }

  const bool opposed = prediction && !prediction->touches(o.common);
  // A vague source may agree with the right ones and as well with a wrong one;
  // only what we know already can tell them apart.
  if (!prediction)
    o.ambiguity_s = group->span.high - group->common.high
                    + (group->common.low - group->span.low);
  const auto majority_of_all = o.usable / 2 + 1;
  o.needed = std::max(required, majority_of_all);
  if (o.ambiguity_s > harmless_ambiguity_s)
    o.result = agreement::no_majority;
  else if (o.agreeing < majority_of_all)
    o.result
      = group->count == o.usable ? agreement::too_few : agreement::no_majority;
  else if (o.agreeing < o.needed)
    o.result = agreement::too_few;
  else
    o.result = agreement::reached;

  if (o.result != agreement::reached || !opposed) {
    opposed_since_.reset();
  } else {
    if (!opposition_stands(o, sampled.has_value(), now))
      o.result = agreement::opposed;
    o.opposed_for = now - *opposed_since_;
  }
  // One source agrees with itself: that is no evidence.
  const bool majority = !opposed && 2 * group->count > o.usable
                        && group->count >= std::max(required, 2U);
  remember(o, sampled, majority);
  return o;
}

bool selection::opposition_stands(const selection_outcome& o, bool sampled,
                                  mono_time now) {
  if (!opposed_since_) {
    opposed_since_ = now;
    opposing_samples_ = 0;
  }
  opposing_samples_ += sampled ? 1 : 0;
  return now - *opposed_since_ >= opposing_time
         && opposing_samples_ >= opposing_polls * o.agreeing;
}

/// Excludes whom an accepted majority contradicts, and counts the agreeing
/// samples of those who want to return.
void selection::remember(selection_outcome& o, std::optional<source_id> sampled,
                         bool majority) {
  for (auto& view : o.opinions) {
    if (view.value == opinion::outside && o.result == agreement::reached) {
      view.newly_excluded = !view.excluded;
      view.excluded = true;
      excluded_[view.id.value] = 0;
    }
    if (view.value != opinion::returning)
      continue;
    auto& agreed = excluded_[view.id.value];
    if (majority && view.id == sampled)
      ++agreed;
    view.agreed_samples = agreed;
    if (agreed < samples_to_return)
      continue;
    excluded_.erase(view.id.value);
    view.excluded = false;
    view.value = opinion::agreeing;
  }
}

} // namespace concert::ntp
