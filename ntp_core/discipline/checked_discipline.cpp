#include "ntp_core/discipline/checked_discipline.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace concert::ntp {

namespace {

constexpr double deviations_apart = 5;
constexpr std::uint8_t samples_apart = 8;

} // namespace

checked_discipline::checked_discipline(std::unique_ptr<discipline> main)
  : main_(std::move(main)) {
}

void checked_discipline::add_source(source_id id, const oscillator_prior& prior,
                                    const std::optional<path_memory>& memory) {
  main_->add_source(id, prior, memory);
  check_.add_source(id, prior, memory);
}

void checked_discipline::remove_source(source_id id) {
  main_->remove_source(id);
  check_.remove_source(id);
}

sample_verdict checked_discipline::on_sample(source_id id,
                                             const path_sample& sample) {
  const auto verdict = main_->on_sample(id, sample);
  check_.on_sample(id, sample);
  sampled_ = sample.at;
  return verdict;
}

void checked_discipline::compare(raw_time when) {
  const auto a = main_->combined(when);
  const auto b = check_.combined(when);
  if (!a || !b)
    return;
  const double difference = (a->clock.origin - b->clock.origin).seconds()
                            + a->clock.offset_s - b->clock.offset_s;
  const double deviation = std::sqrt(a->clock.variance_s2 + a->bias_variance
                                     + b->clock.variance_s2 + b->bias_variance);
  const bool apart = std::abs(difference) > deviations_apart * deviation;
  apart_ = apart ? std::min<std::uint8_t>(apart_ + 1, samples_apart) : 0;
  difference_s_ = apart_ == samples_apart ? std::abs(difference) : 0;
}

void checked_discipline::set_selected(
  std::span<const selected_source> sources) {
  main_->set_selected(sources);
  check_.set_selected(sources);
  if (sampled_)
    compare(*sampled_);
  sampled_.reset();
}

void checked_discipline::inflate(double offset_variance_s2,
                                 double frequency_variance) {
  main_->inflate(offset_variance_s2, frequency_variance);
  check_.inflate(offset_variance_s2, frequency_variance);
}

void checked_discipline::shift(ntp_duration by) {
  main_->shift(by);
  check_.shift(by);
}

void checked_discipline::shift_source(source_id id, ntp_duration by) {
  main_->shift_source(id, by);
  check_.shift_source(id, by);
}

std::optional<source_estimate> checked_discipline::source(source_id id,
                                                          raw_time when) const {
  return main_->source(id, when);
}

std::optional<path_memory> checked_discipline::memory(source_id id,
                                                      raw_time when) const {
  return main_->memory(id, when);
}

std::optional<combined_estimate>
checked_discipline::combined(raw_time when) const {
  auto c = main_->combined(when);
  if (c)
    c->disagreement_s = difference_s_;
  return c;
}

} // namespace concert::ntp
