#include "ntp_core/discipline/source_filter.hpp"

#include <algorithm>
#include <cmath>

namespace concert::ntp {

namespace {

/// Kinds of stamps in a source; a further one shares the path of the last.
constexpr std::size_t most_paths = 3;

} // namespace

source_filter::source_filter(const oscillator_prior& prior,
                             const std::optional<path_memory>& memory)
  : prior_(prior),
    remembered_(memory.has_value()),
    filter_(memory ? oscillator_filter{prior, *memory}
                   : oscillator_filter{prior}) {
  if (memory)
    paths_.push_back({memory->sent, memory->received, {}});
}

std::size_t source_filter::path_of(const path_sample& sample) const {
  const auto found
    = std::find_if(paths_.begin(), paths_.end(), [&](const path& p) {
        return p.sent == sample.sent && p.received == sample.received;
      });
  const auto index = static_cast<std::size_t>(found - paths_.begin());
  return std::min(index, most_paths - 1);
}

source_filter::taken source_filter::add(const path_sample& sample) {
  if (remembered_ && samples_ == 0 && contradicts(sample)) {
    remembered_ = false;
    filter_ = oscillator_filter{prior_};
    paths_.clear();
  }
  const auto path = path_of(sample);
  if (path == paths_.size())
    paths_.push_back({sample.sent, sample.received, {}});
  auto& watch = paths_[path].watch;
  watch.add(sample.delay_s);
  present_ = path;
  ++samples_;
  if (samples_ <= kept)
    first_.push_back(sample);
  else
    first_ = {};
  if (is_starting() && first_.size() == samples_) {
    start_again();
    return {path, reception::used};
  }
  const bool fresh
    = watch.samples() <= delay_watch::starting && !(remembered_ && path == 0);
  return {path, filter_.take(path, sample, watch, fresh, true)};
}

/// The first samples are taken anew each time, with the noise as it looks now.
void source_filter::start_again() {
  filter_ = oscillator_filter{prior_};
  for (const auto& s : first_) {
    const auto path = path_of(s);
    filter_.take(path, s, paths_[path].watch, true, false);
  }
}

/// Whether the first sample says that what was remembered is no longer so.
bool source_filter::contradicts(const path_sample& sample) const {
  const auto known = filter_.estimate();
  const auto now = known.clock.predicted(sample.at);
  const double miss = now.offset_s + (now.origin - sample.offset).seconds()
                      + filter_.asymmetry_s(0);
  const double width = sample.delay_s / 2
                       + 6 * std::sqrt(now.variance_s2 + sample.noise_variance);
  // Another route, or a storm on this one: neither is what was remembered.
  const double base = filter_.base_delay_s(0);
  return std::abs(miss) > width || sample.delay_s < 0.75 * base
         || sample.delay_s > 5 * (base + filter_.mean_excess_s(0));
}

void source_filter::inflate(double offset_variance_s2,
                            double frequency_variance) {
  filter_.inflate(offset_variance_s2, frequency_variance);
  // They would be taken anew, without the doubt.
  first_.clear();
}

void source_filter::shift(ntp_duration by) {
  filter_.shift(by);
  for (auto& s : first_)
    s.offset += by;
}

void source_filter::path_changed(std::size_t path, reception how) {
  // A longer path took five samples to be noticed, a shorter one two.
  paths_[path].watch.path_changed(how == reception::lengthened ? 5 : 2);
}

} // namespace concert::ntp
