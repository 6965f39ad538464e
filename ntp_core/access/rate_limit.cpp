#include "ntp_core/access/rate_limit.hpp"

#include "ntp_core/access/siphash.hpp"
#include "ntp_core/packet/bytes.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

/// Limits that keep the arithmetic in range whatever is configured.
constexpr std::chrono::hours max_spacing{24};
constexpr std::uint32_t max_burst = 1000;
/// Less than this would silence clients in whose name somebody else asks.
constexpr std::uint32_t max_leak = 16;

/// What is limited as one: an IPv4 address, or the /64 that one IPv6 host may
/// choose its addresses from. The second word keeps the two families apart.
std::array<std::uint64_t, 2> identity(const ip_address& client) {
  const auto octets = std::as_bytes(std::span{client.octets()});
  return {read_big_endian<std::uint64_t>(octets, 0),
          client.is_v4() ? std::uint64_t{4} : 6};
}

} // namespace

rate_limiter::rate_limiter(const rate_limit_config& config,
                           std::uint64_t hash_key)
  : spacing_(std::min<std::chrono::milliseconds>(config.spacing, max_spacing)),
    depth_(spacing_ * std::clamp<std::uint32_t>(config.burst, 1, max_burst)),
    // Two unlike halves out of one unpredictable number.
    key_{siphash({hash_key, 1}, {}), siphash({hash_key, 2}, {})},
    leak_(std::clamp<std::uint32_t>(config.leak, 1, max_leak)),
    kiss_(config.kiss) {
  constexpr auto ways = std::tuple_size_v<decltype(bucket_set::ways)>;
  if (config.slots > 0 && spacing_.count() > 0)
    sets_.resize((std::size_t{config.slots} + ways - 1) / ways);
}

rate_limiter::decision rate_limiter::judge(const ip_address& client,
                                           mono_time now) {
  if (sets_.empty())
    return decision::pass;
  auto& b = find(siphash(key_, identity(client)));
  const auto full_at = std::max(b.full_at, now) + spacing_;
  if (full_at - now > depth_)
    return draw();
  b.full_at = full_at;
  return decision::pass;
}

/// The client's bucket; a new one takes the place of that which is, or will be,
/// full first and so holds the least knowledge.
rate_limiter::bucket& rate_limiter::find(std::uint64_t client) {
  // The high half chooses the set without bias towards the first ones.
  auto& ways = sets_[((client >> 32) * sets_.size()) >> 32].ways;
  const auto known
    = std::find_if(ways.begin(), ways.end(),
                   [&](const bucket& b) { return b.client == client; });
  if (known != ways.end())
    return *known;
  const auto oldest = std::min_element(
    ways.begin(), ways.end(),
    [](const bucket& a, const bucket& b) { return a.full_at < b.full_at; });
  *oldest = {client, mono_time::min()};
  return *oldest;
}

/// What a request over the rate gets, in an order that only the key tells.
rate_limiter::decision rate_limiter::draw() {
  const std::array<std::uint64_t, 1> count{++draws_};
  const auto random = siphash(key_, count);
  if ((random & 0xffffffff) % leak_ == 0)
    return decision::pass;
  return kiss_ > 0 && (random >> 32) % kiss_ == 0 ? decision::kiss
                                                  : decision::drop;
}

} // namespace concert::ntp
