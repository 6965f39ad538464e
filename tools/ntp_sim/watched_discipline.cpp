#include "tools/ntp_sim/watched_discipline.hpp"

#include <fmt/format.h>

#include <cmath>
#include <ctime>

namespace concert::sim {

namespace {

class stopwatch {
public:
  explicit stopwatch(filter_watch& watch)
    : watch_(watch),
      start_(watch.paused ? 0 : cpu_now()) {
    // nop
  }
  stopwatch(const stopwatch&) = delete;
  stopwatch& operator=(const stopwatch&) = delete;
  ~stopwatch() {
    if (!watch_.paused)
      watch_.cpu_s += cpu_now() - start_;
  }

private:
  filter_watch& watch_;
  double start_;
};

std::string_view word(ntp::sample_verdict v) {
  switch (v) {
    case ntp::sample_verdict::used:
      return "used";
    case ntp::sample_verdict::suspect:
      return "suspect";
    case ntp::sample_verdict::jump:
      return "jump";
  }
  return "?";
}

} // namespace

double cpu_now() {
  std::timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

watched_discipline::watched_discipline(std::unique_ptr<ntp::discipline> inner,
                                       std::shared_ptr<filter_watch> watch)
  : inner_(std::move(inner)),
    watch_(std::move(watch)) {
  // nop
}

void watched_discipline::add_source(
  ntp::source_id id, const ntp::oscillator_prior& prior,
  const std::optional<ntp::path_memory>& memory) {
  inner_->add_source(id, prior, memory);
}

void watched_discipline::remove_source(ntp::source_id id) {
  inner_->remove_source(id);
}

ntp::sample_verdict
watched_discipline::on_sample(ntp::source_id id,
                              const ntp::path_sample& sample) {
  std::optional<ntp::source_estimate> before;
  if (watch_->note)
    before = inner_->source(id, sample.at);
  const auto verdict = [&] {
    const stopwatch running{*watch_};
    return inner_->on_sample(id, sample);
  }();
  ++watch_->samples;
  if (!watch_->note)
    return verdict;
  std::string line = fmt::format("sample source={} delay_s={:.9f} verdict={}",
                                 id.value, sample.delay_s, word(verdict));
  if (before)
    line += fmt::format(" innovation_s={:.9f} expected_sd_s={:.3g}",
                        (sample.offset - before->clock.origin).seconds()
                          - before->clock.offset_s,
                        std::sqrt(before->clock.variance_s2));
  if (const auto after = inner_->source(id, sample.at))
    line += fmt::format(
      " sd_s={:.3g} frequency={:.6g} frequency_sd={:.3g} wander={:.3g} "
      "base_delay_s={:.9f} mean_excess_s={:.3g} asymmetry_s={:.3g}",
      std::sqrt(after->clock.variance_s2), after->clock.frequency,
      std::sqrt(after->clock.frequency_variance), after->clock.wander,
      after->base_delay_s, after->mean_excess_s, after->asymmetry_s);
  watch_->note(line);
  return verdict;
}

void watched_discipline::set_selected(
  std::span<const ntp::selected_source> sources) {
  const stopwatch running{*watch_};
  inner_->set_selected(sources);
}

void watched_discipline::inflate(double offset_variance_s2,
                                 double frequency_variance) {
  inner_->inflate(offset_variance_s2, frequency_variance);
  if (watch_->note)
    watch_->note(fmt::format("doubt offset_sd_s={:.3g} frequency_sd={:.3g}",
                             std::sqrt(offset_variance_s2),
                             std::sqrt(frequency_variance)));
}

void watched_discipline::shift(ntp::ntp_duration by) {
  inner_->shift(by);
  if (watch_->note)
    watch_->note(fmt::format("shift by_s={:.9f}", by.seconds()));
}

void watched_discipline::shift_source(ntp::source_id id, ntp::ntp_duration by) {
  inner_->shift_source(id, by);
  if (watch_->note)
    watch_->note(
      fmt::format("shift source={} by_s={:.9f}", id.value, by.seconds()));
}

std::optional<ntp::source_estimate>
watched_discipline::source(ntp::source_id id, ntp::raw_time when) const {
  const stopwatch running{*watch_};
  return inner_->source(id, when);
}

std::optional<ntp::path_memory>
watched_discipline::memory(ntp::source_id id, ntp::raw_time when) const {
  return inner_->memory(id, when);
}

std::optional<ntp::combined_estimate>
watched_discipline::combined(ntp::raw_time when) const {
  const stopwatch running{*watch_};
  return inner_->combined(when);
}

} // namespace concert::sim
