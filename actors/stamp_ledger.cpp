#include "actors/stamp_ledger.hpp"

namespace concert::actors {

namespace {

/// One reply in so many is asked about; each of the first few, so that a quiet
/// server knows its delay early too, and not from cold caches alone.
constexpr std::uint64_t probe_interval = 1024;
constexpr std::uint32_t early_probes = 64;

} // namespace

std::size_t stamp_ledger::next_probe(std::size_t replies) {
  replies_ += replies;
  if (replies_ < next_probe_at_)
    return no_probe;
  next_probe_at_ = replies_ + (probes_ < early_probes ? 0 : probe_interval);
  // The first teaches when the loop gets going, the last how fast it goes on.
  return probes_++ % 2 == 0 ? 0 : replies - 1;
}

std::uint64_t stamp_ledger::expect(const std::optional<ntp::client_slot>& slot,
                                   std::size_t place) {
  const auto tag = ++last_tag_;
  at(tag) = {tag, slot, place, {}};
  return tag;
}

void stamp_ledger::on_start(ntp::ntp_timestamp start) {
  for (; batch_begin_ <= last_tag_; ++batch_begin_)
    at(batch_begin_).start = start;
}

std::optional<ntp::client_slot>
stamp_ledger::on_stamp(std::uint64_t tag, ntp::ntp_timestamp left) {
  auto& a = at(tag);
  if (a.tag != tag)
    return {};
  delay_.on_sample(a.place, left - a.start);
  a.tag = 0;
  return a.slot;
}

ntp::ntp_duration stamp_ledger::delay_of(std::size_t place) const {
  return delay_.of(place).value_or(ntp::ntp_duration{});
}

std::optional<double> stamp_ledger::learnt_delay_s() const {
  const auto first = delay_.of(0);
  return first ? std::optional{first->seconds()} : std::nullopt;
}

void stamp_ledger::forget_awaited() {
  for (auto& a : awaited_)
    a.tag = 0;
}

} // namespace concert::actors
