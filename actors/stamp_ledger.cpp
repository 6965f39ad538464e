#include "actors/stamp_ledger.hpp"

namespace concert::actors {

namespace {

/// One reply in so many is asked about; more where there is time.
constexpr std::uint64_t probe_interval = 1024;
constexpr std::uint64_t rested_probe_interval = 8;
/// Each of the first few is, so that little is sent without a known delay.
constexpr std::uint32_t early_probes = 64;

/// Without work for so long, a processor has rested.
constexpr auto rest = ntp::ntp_duration::from_seconds(100e-6);

} // namespace

void stamp_ledger::on_batch(ntp::ntp_timestamp arrived) {
  rested_ = last_start_.is_unknown() || arrived - last_start_ > rest;
}

std::size_t stamp_ledger::next_probe(std::size_t replies) {
  replies_ += replies;
  const auto interval = probes_ < early_probes ? 0
                        : rested_              ? rested_probe_interval
                                               : probe_interval;
  if (replies_ < last_probe_at_ + interval)
    return no_probe;
  last_probe_at_ = replies_;
  // The first teaches when the loop gets going, the last how fast it goes on.
  return probes_++ % 2 == 0 ? 0 : replies - 1;
}

std::uint64_t stamp_ledger::expect(const std::optional<ntp::client_slot>& slot,
                                   std::size_t place) {
  const auto tag = ++last_tag_;
  at(tag) = {tag, slot, place, {}, rested_};
  return tag;
}

ntp::ntp_duration stamp_ledger::time_of_seals(std::size_t seals) const {
  return seals_[rested_].of(seals);
}

void stamp_ledger::on_seals(std::size_t seals, ntp::ntp_duration spent) {
  seals_[rested_].on_group(seals, spent);
}

void stamp_ledger::on_start(ntp::ntp_timestamp start) {
  last_start_ = start;
  for (; group_begin_ <= last_tag_; ++group_begin_)
    at(group_begin_).start = start;
}

std::optional<ntp::client_slot>
stamp_ledger::on_stamp(std::uint64_t tag, ntp::ntp_timestamp left) {
  auto& a = at(tag);
  if (a.tag != tag)
    return {};
  delays_[a.rested].on_sample(a.place, left - a.start);
  a.tag = 0;
  return a.slot;
}

ntp::ntp_duration stamp_ledger::delay_of(std::size_t place) const {
  return delays_[rested_].of(place).value_or(ntp::ntp_duration{});
}

std::optional<double> stamp_ledger::learnt_delay_s() const {
  for (const auto& delay : delays_)
    if (const auto first = delay.of(0))
      return first->seconds();
  return std::nullopt;
}

void stamp_ledger::forget_awaited() {
  for (auto& a : awaited_)
    a.tag = 0;
}

} // namespace concert::actors
