#include "ntp_core/discipline/osb_discipline.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// A source that is not selected for so many of its samples leaves the joint
/// filter; before, what it knows of the others' asymmetry is worth keeping.
constexpr std::uint8_t samples_to_leave = 8;
constexpr std::size_t most_joint_paths = 10;

double square(double v) {
  return v * v;
}

bool changed_path(reception r) {
  return r == reception::lengthened || r == reception::rerouted;
}

} // namespace

void osb_discipline::add_source(source_id id, const oscillator_prior& prior,
                                const std::optional<path_memory>& memory) {
  sources_.try_emplace(id, source_entry{{prior, memory}, prior});
}

void osb_discipline::remove_source(source_id id) {
  leave(id);
  pending_.reset();
  sources_.erase(id);
  std::erase_if(selected_, [id](const auto& s) { return s.id == id; });
}

bool osb_discipline::is_selected(source_id id) const {
  return std::any_of(selected_.begin(), selected_.end(),
                     [id](const auto& s) { return s.id == id; });
}

sample_verdict osb_discipline::on_sample(source_id id,
                                         const path_sample& sample) {
  forget_pending();
  const auto found = sources_.find(id);
  if (found == sources_.end())
    return sample_verdict::suspect;
  auto& alone = found->second.alone;
  const auto [path, how] = alone.add(sample);
  pending_ = {id, path, sample, how};
  switch (how) {
    case reception::held_back:
      return sample_verdict::suspect;
    case reception::jumped:
      return sample_verdict::jump;
    case reception::used:
    case reception::rerouted:
    case reception::lengthened:
    case reception::impossible:
      break;
  }
  return sample_verdict::used;
}

void osb_discipline::set_selected(std::span<const selected_source> sources) {
  selected_.assign(sources.begin(), sources.end());
  std::erase_if(selected_,
                [this](const auto& s) { return !sources_.contains(s.id); });
  if (pending_) {
    auto& entry = sources_.at(pending_->id);
    if (is_selected(pending_->id)) {
      entry.unselected_samples = 0;
      const auto joint = join(*pending_);
      if (changed_path(joint))
        pending_->how = joint;
      if (joint == reception::impossible)
        leave(pending_->id);
    } else if (++entry.unselected_samples == samples_to_leave) {
      leave(pending_->id);
    }
  }
  forget_pending();
}

/// Now both filters have seen the delays that make a change of path.
void osb_discipline::forget_pending() {
  if (pending_ && changed_path(pending_->how))
    sources_.at(pending_->id).alone.path_changed(pending_->path, pending_->how);
  pending_.reset();
}

// -- the joint filter ---------------------------------------------------------

std::optional<std::size_t> osb_discipline::in_joint(source_id id,
                                                    std::size_t path) const {
  for (std::size_t i = 0; i < joint_paths_.size(); ++i)
    if (joint_paths_[i].id == id && joint_paths_[i].path == path)
      return i;
  return std::nullopt;
}

/// Lets the joint filter take a sample of a selected source, or begin.
reception osb_discipline::join(const pending_sample& news) {
  if (!joint_ && selected_.size() < 2)
    return reception::used;
  if ((!joint_ || starting_together_) && can_start_together()) {
    start_together();
    starting_together_
      = std::any_of(selected_.begin(), selected_.end(), [this](const auto& s) {
          return sources_.at(s.id).alone.is_starting();
        });
    return reception::used;
  }
  starting_together_ = false;
  if (!joint_) {
    start_from_best();
    return reception::used;
  }
  const auto& alone = sources_.at(news.id).alone;
  const auto& watch = alone.watch(news.path);
  if (const auto at = in_joint(news.id, news.path))
    return joint_->take(*at, news.sample, watch, false);
  if (joint_paths_.size() == most_joint_paths
      || (!alone.is_remembered() && watch.samples() < delay_watch::starting))
    return reception::used;
  if (!joint_->allows(news.sample, alone.filter().base_delay_s(news.path)))
    return reception::used;
  joint_paths_.push_back({news.id, news.path});
  // What was remembered goes stale as the samples come in.
  const bool same_clock
    = alone.is_remembered() && alone.samples() <= delay_watch::starting;
  return joint_->join(news.sample, watch, alone.filter(), news.path,
                      same_clock);
}

/// Whether all samples of all selected sources are at hand.
bool osb_discipline::can_start_together() const {
  return std::all_of(selected_.begin(), selected_.end(), [this](const auto& s) {
    const auto& alone = sources_.at(s.id).alone;
    return !alone.is_remembered()
           && alone.samples() == alone.first_samples().size();
  });
}

/// Takes all samples of all selected sources in the order of their arrival.
void osb_discipline::start_together() {
  struct arrival {
    source_id id;
    const path_sample* sample;
  };
  std::vector<arrival> all;
  for (const auto& s : selected_)
    for (const auto& sample : sources_.at(s.id).alone.first_samples())
      all.push_back({s.id, &sample});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.sample->at < b.sample->at;
  });
  if (all.empty())
    return;
  joint_.emplace(sources_.at(all.front().id).prior);
  joint_paths_.clear();
  for (const auto& [id, sample] : all) {
    const auto& alone = sources_.at(id).alone;
    const auto path = alone.path_of(*sample);
    auto at = in_joint(id, path);
    if (!at) {
      if (joint_paths_.size() == most_joint_paths)
        continue;
      at = joint_paths_.size();
      joint_paths_.push_back({id, path});
    }
    joint_->take(*at, *sample, alone.watch(path), true);
  }
}

/// The joint filter begins with what the surest source knows; the others join
/// with their next sample.
void osb_discipline::start_from_best() {
  const auto* best = best_selected();
  if (best == nullptr)
    return;
  joint_ = best->filter();
  for (const auto& s : selected_)
    if (&sources_.at(s.id).alone == best)
      for (std::size_t i = 0; i < best->filter().paths(); ++i)
        joint_paths_.push_back({s.id, i});
}

void osb_discipline::leave(source_id id) {
  for (std::size_t i = joint_paths_.size(); i-- > 0;) {
    if (joint_paths_[i].id != id)
      continue;
    joint_->remove_path(i);
    joint_paths_.erase(joint_paths_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (joint_paths_.empty()) {
    joint_.reset();
    starting_together_ = false;
  }
}

// -- what they say ------------------------------------------------------------

void osb_discipline::inflate(double offset_variance_s2,
                             double frequency_variance) {
  forget_pending();
  for (auto& [id, entry] : sources_)
    entry.alone.inflate(offset_variance_s2, frequency_variance);
  if (joint_)
    joint_->inflate(offset_variance_s2, frequency_variance);
}

void osb_discipline::shift(ntp_duration by) {
  forget_pending(); // its sample is from before
  for (auto& [id, entry] : sources_)
    entry.alone.shift(by);
  if (joint_)
    joint_->shift(by);
}

/// What one source says by itself moves exactly. What the joint filter knows
/// it has from all sources together, so that it begins anew, from the best.
void osb_discipline::shift_source(source_id id, ntp_duration by) {
  forget_pending();
  const auto found = sources_.find(id);
  if (found == sources_.end())
    return;
  found->second.alone.shift(by);
  const bool joined = std::any_of(joint_paths_.begin(), joint_paths_.end(),
                                  [id](const auto& p) { return p.id == id; });
  if (!joined)
    return;
  joint_paths_.clear();
  joint_.reset();
  starting_together_ = false;
}

const source_filter* osb_discipline::best_selected() const {
  const source_filter* best = nullptr;
  double least = 0;
  for (const auto& s : selected_) {
    const auto& alone = sources_.at(s.id).alone;
    if (alone.samples() == 0)
      continue;
    const auto e = alone.filter().estimate();
    const double doubt
      = e.clock.variance_s2 + e.asymmetry_variance + s.server_variance;
    if (best == nullptr || doubt < least) {
      best = &alone;
      least = doubt;
    }
  }
  return best;
}

std::optional<source_estimate> osb_discipline::source(source_id id,
                                                      raw_time when) const {
  const auto found = sources_.find(id);
  if (found == sources_.end() || found->second.alone.samples() == 0)
    return std::nullopt;
  const auto& alone = found->second.alone;
  const auto& filter = alone.filter();
  const auto path = alone.present();
  source_estimate e;
  e.clock = filter.estimate().clock.predicted(when);
  e.base_delay_s = filter.base_delay_s(path);
  e.mean_excess_s = filter.mean_excess_s(path);
  const auto at = in_joint(id, path);
  e.asymmetry_s = at ? joint_->asymmetry_s(*at) : filter.asymmetry_s(path);
  e.samples = alone.samples();
  return e;
}

std::optional<path_memory> osb_discipline::memory(source_id id,
                                                  raw_time when) const {
  const auto found = sources_.find(id);
  if (found == sources_.end()
      || found->second.alone.samples() < source_filter::kept)
    return std::nullopt;
  const auto& alone = found->second.alone;
  const auto path = alone.present();
  const auto at = in_joint(id, path);
  const auto& filter = at ? *joint_ : alone.filter();
  path_memory m;
  m.clock = filter.estimate().clock.predicted(when);
  m.base_delay_s = alone.filter().base_delay_s(path);
  m.mean_excess_s = alone.filter().mean_excess_s(path);
  m.asymmetry_s = filter.asymmetry_s(at.value_or(path));
  m.sent = alone.sent(path);
  m.received = alone.received(path);
  return m;
}

std::optional<combined_estimate> osb_discipline::combined(raw_time when) const {
  if (selected_.empty())
    return std::nullopt;
  // Until the joint filter knows a selected source, the surest one speaks.
  const bool joined
    = std::any_of(joint_paths_.begin(), joint_paths_.end(),
                  [this](const auto& p) { return is_selected(p.id); });
  const auto* best = joined ? nullptr : best_selected();
  if (!joined && best == nullptr)
    return std::nullopt;
  const auto b = joined ? joint_->estimate() : best->filter().estimate();
  combined_estimate c;
  c.clock = b.clock.predicted(when);
  // Servers err independently; each counts as much as its path does.
  double precision = 0;
  double servers = 0;
  for (const auto& s : selected_) {
    const auto& alone = sources_.at(s.id).alone;
    if (alone.samples() == 0 || (!joined && &alone != best))
      continue;
    const double doubt
      = 1 / (square(alone.filter().base_delay_s(alone.present())) + 1e-12);
    precision += doubt;
    servers += square(doubt) * s.server_variance;
  }
  if (precision > 0)
    c.server_variance = servers / square(precision);
  c.bias_variance = b.asymmetry_variance + c.server_variance;
  return c;
}

std::unique_ptr<discipline> make_discipline() {
  return std::make_unique<osb_discipline>();
}

} // namespace concert::ntp
