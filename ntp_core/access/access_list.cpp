#include "ntp_core/access/access_list.hpp"

#include <algorithm>

namespace concert::ntp {

namespace {

/// The last address of a prefix: its host bits are ones.
std::array<std::uint8_t, 16> last_of(const ip_prefix& p) {
  auto octets = p.network.octets();
  const std::size_t width = p.network.is_v4() ? 32 : 128;
  for (std::size_t bit = p.length; bit < width; ++bit)
    octets[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return octets;
}

} // namespace

access_list::access_list(std::span<const ip_prefix> prefixes) {
  for (const auto& p : prefixes)
    (p.network.is_v4() ? v4_ : v6_).push_back({p.network.octets(), last_of(p)});
  merge(v4_);
  merge(v6_);
}

access_list access_list::everybody() {
  const std::array<ip_prefix, 2> all{ip_prefix{},
                                     ip_prefix{ip_address::v6({}), 0}};
  return access_list{all};
}

void access_list::merge(std::vector<range>& ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const range& a, const range& b) { return a.first < b.first; });
  std::vector<range> merged;
  for (const auto& r : ranges) {
    if (!merged.empty() && r.first <= merged.back().last)
      merged.back().last = std::max(merged.back().last, r.last);
    else
      merged.push_back(r);
  }
  ranges = std::move(merged);
}

bool access_list::contains(const ip_address& address) const {
  const auto& ranges = address.is_v4() ? v4_ : v6_;
  const auto after = std::upper_bound(
    ranges.begin(), ranges.end(), address.octets(),
    [](const octets& a, const range& r) { return a < r.first; });
  return after != ranges.begin() && address.octets() <= std::prev(after)->last;
}

bool access_list::empty() const {
  return v4_.empty() && v6_.empty();
}

} // namespace concert::ntp
