#include "actors/remote_set.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace concert::actors {

remote_set::remote_set(std::uint32_t wanted,
                       std::vector<ntp::ip_address> ignore,
                       ntp::random_source& random)
  : wanted_(wanted),
    ignore_(std::move(ignore)),
    random_(random) {
}

void remote_set::remember(const std::vector<ntp::ip_address>& addresses) {
  fallback_ = addresses;
}

std::vector<ntp::ip_address>
remote_set::set_wanted(std::uint32_t wanted,
                       std::vector<ntp::ip_address> ignore) {
  wanted_ = wanted;
  ignore_ = std::move(ignore);
  std::vector<ntp::ip_address> ignored;
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(ignored),
               [this](const auto& m) {
                 return std::find(ignore_.begin(), ignore_.end(), m)
                        != ignore_.end();
               });
  return ignored;
}

void remote_set::on_addresses(const std::vector<ntp::ip_address>& addresses,
                              ntp::mono_time now) {
  resolving_ = false;
  spare_wanted_ = false;
  if (addresses.empty()) {
    on_failure(now);
    return;
  }
  // A name that answers differently each time (a pool) adds to what is known;
  // the newest come first.
  std::vector<ntp::ip_address> merged;
  for (const auto* list : {&addresses, &std::as_const(known_)})
    for (const auto& a : *list)
      if (merged.size() < max_known
          && std::find(merged.begin(), merged.end(), a) == merged.end())
        merged.push_back(a);
  known_ = std::move(merged);
  // An answer without a usable spare is no reason to ask faster.
  const auto spares = static_cast<std::size_t>(
    std::count_if(known_.begin(), known_.end(),
                  [&](const auto& a) { return usable(a, now); }));
  if (members_.size() + spares >= wanted_)
    failures_ = 0;
  back_off(now);
}

void remote_set::on_failure(ntp::mono_time now) {
  resolving_ = false;
  if (known_.empty())
    known_ = fallback_;
  back_off(now);
}

void remote_set::back_off(ntp::mono_time now) {
  const auto doublings = std::min<std::uint32_t>(failures_++, 16);
  const auto delay = std::min<std::chrono::nanoseconds>(
    first_retry * (std::int64_t{1} << doublings), last_retry);
  const auto jitter = 0.75 + 0.5 * random_.uniform();
  retry_at_ = now + ntp::nanoseconds_of(ntp::seconds_of(delay) * jitter);
}

bool remote_set::usable(const ntp::ip_address& a, ntp::mono_time now) const {
  if (members_.contains(a)
      || std::find(ignore_.begin(), ignore_.end(), a) != ignore_.end())
    return false;
  const auto it = excluded_.find(a);
  return it == excluded_.end() || it->second <= now;
}

std::optional<ntp::ip_address> remote_set::next(ntp::mono_time now) {
  if (members_.size() >= wanted_)
    return {};
  for (const auto& a : known_)
    if (usable(a, now)) {
      members_.insert(a);
      return a;
    }
  return {};
}

bool remote_set::on_silent(const ntp::ip_address& member, ntp::mono_time now) {
  if (!members_.contains(member))
    return false;
  const bool spare = std::any_of(known_.begin(), known_.end(),
                                 [&](const auto& a) { return usable(a, now); });
  if (spare) {
    excluded_[member] = now + exclusion;
    return true;
  }
  spare_wanted_ = true;
  return false;
}

void remote_set::on_useless(const ntp::ip_address& member, ntp::mono_time now) {
  leave_alone(member, now, exclusion);
}

void remote_set::leave_alone(const ntp::ip_address& member, ntp::mono_time now,
                             std::chrono::nanoseconds rest) {
  std::erase_if(excluded_, [&](const auto& e) { return e.second <= now; });
  if (excluded_.size() < max_known)
    excluded_[member] = now + rest;
}

void remote_set::on_ended(const ntp::ip_address& member) {
  members_.erase(member);
}

bool remote_set::wants_resolution(ntp::mono_time now) {
  if (resolving_ || !searching() || now < retry_at_)
    return false;
  return resolving_ = true;
}

std::optional<ntp::mono_time> remote_set::next_deadline() const {
  if (resolving_ || !searching())
    return {};
  return retry_at_;
}

void remote_set::retry_soon(ntp::mono_time now) {
  if (!searching())
    return;
  failures_ = 0;
  retry_at_ = now;
}

} // namespace concert::actors
