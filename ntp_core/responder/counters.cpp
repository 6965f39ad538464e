#include "ntp_core/responder/counters.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace concert::ntp {

namespace {

constexpr std::array<std::string_view, response_count> response_names{
  "answered", "kiss-deny", "kiss-rate", "kiss-nts", "ignored",
};

struct reason_entry {
  reason value;
  std::string_view name;
  std::string_view description;
};

/// The one table of reasons, in the order of the enumeration.
constexpr std::array<reason_entry, reason_count> reasons{{
  {reason::ok, "ok", "Good requests."},
  {reason::interleaved, "interleaved",
   "Good requests in interleaved mode, whose answers tell when the answer "
   "before them left."},
  {reason::nts, "nts", "Good requests with NTS."},
  {reason::nts_interleaved, "nts-interleaved",
   "Good requests with NTS in interleaved mode."},
  {reason::access, "access",
   "Requests from addresses on the deny list or outside of the allow list."},
  {reason::rate, "rate",
   "Requests beyond the rate that one address is allowed."},
  {reason::malformed, "malformed",
   "Packets that are too short, have fields that do not fit, or need a key "
   "that this server does not have."},
  {reason::mode, "mode", "Packets that are not client requests."},
  {reason::symmetric_active, "symmetric-active",
   "Packets from peers that ask for a symmetric association."},
  {reason::version, "version",
   "Requests in a version of NTP that is not served."},
  {reason::own_port, "own-port",
   "Packets that claim to come from a server port of this machine."},
  {reason::nts_required, "nts-required",
   "Requests without NTS where NTS is required."},
  {reason::nts_cookie, "nts-cookie",
   "Requests with NTS whose cookie this server did not make, or made with a "
   "key that it has no more."},
  {reason::nts_forged, "nts-forged",
   "Requests with NTS whose authenticator does not fit their contents."},
  {reason::no_stamp, "no-stamp",
   "Requests whose time of arrival is not known."},
  {reason::send_error, "send-error",
   "Replies that the operating system refused to send."},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < reasons.size(); ++i)
    if (reasons[i].value != static_cast<reason>(i))
      return false;
  return true;
}
static_assert(is_in_order());

} // namespace

std::string_view to_string(response r) {
  return response_names.at(static_cast<std::size_t>(r));
}

std::string_view to_string(reason r) {
  return reasons.at(static_cast<std::size_t>(r)).name;
}

std::string_view describe(reason r) {
  return reasons.at(static_cast<std::size_t>(r)).description;
}

void latency_histogram::add(ntp_duration latency) {
  const auto ns = std::max<std::int64_t>(latency.nanoseconds().count(), 1);
  const auto whole_us = static_cast<std::uint64_t>(ns - 1) / 1000;
  const auto bucket = static_cast<std::size_t>(std::bit_width(whole_us));
  ++buckets[std::min(bucket, size - 1)];
}

double latency_histogram::limit_s(std::size_t bucket) {
  return bucket + 1 < size
           ? 1e-6 * static_cast<double>(std::uint64_t{1} << bucket)
           : std::numeric_limits<double>::infinity();
}

std::uint64_t latency_histogram::total() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

double latency_histogram::quantile_s(double q) const {
  const auto all = total();
  if (all == 0)
    return 0;
  const auto wanted = std::max(1.0, q * static_cast<double>(all));
  std::size_t bucket = 0;
  auto reached = buckets[0];
  while (static_cast<double>(reached) < wanted && bucket + 1 < size)
    reached += buckets[++bucket];
  return limit_s(bucket);
}

latency_histogram&
latency_histogram::operator+=(const latency_histogram& other) {
  for (std::size_t i = 0; i < size; ++i)
    buckets[i] += other.buckets[i];
  return *this;
}

std::uint64_t server_counters::total() const {
  std::uint64_t sum = 0;
  for (const auto& row : packets)
    for (const auto n : row)
      sum += n;
  return sum;
}

server_counters& server_counters::operator+=(const server_counters& other) {
  for (std::size_t p = 0; p < packets.size(); ++p)
    for (std::size_t q = 0; q < packets[p].size(); ++q)
      packets[p][q] += other.packets[p][q];
  for (std::size_t v = 0; v < versions.size(); ++v)
    versions[v] += other.versions[v];
  queue_overflows += other.queue_overflows;
  latency += other.latency;
  return *this;
}

} // namespace concert::ntp
