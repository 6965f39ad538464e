#include "config/migration/access_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace concert::config {

bool access_rules::set(const ntp::ip_prefix& range, bool allowed) {
  if (rules_.size() >= limit && rules_.find(range) == rules_.end())
    return false;
  rules_[range] = allowed;
  return true;
}

bool access_rules::set_all(const ntp::ip_prefix& range, bool allowed) {
  // Those within the range stand together, but for the other family's.
  const bool v4 = range.network.is_v4();
  auto it = rules_.lower_bound({range.network, 0});
  while (it != rules_.end()) {
    const auto& [network, length] = it->first;
    if (network.is_v4() != v4) {
      ++it;
      continue;
    }
    if (!range.contains(network))
      break;
    it = length >= range.length ? rules_.erase(it) : std::next(it);
  }
  return set(range, allowed);
}

bool access_rules::serves(bool v4) const {
  return !ranges(v4, true).empty();
}

std::vector<ntp::ip_prefix> access_rules::ranges(bool v4, bool allowed) const {
  const bool any
    = std::any_of(rules_.begin(), rules_.end(), [&](const auto& rule) {
        return rule.second && rule.first.network.is_v4() == v4;
      });
  std::vector<ntp::ip_prefix> result;
  for (const auto& [range, verdict] : rules_) {
    // Everybody is refused anyway who is not in the list of those allowed.
    const bool says_nothing = !verdict && (range.length == 0 || !any);
    if (range.network.is_v4() == v4 && verdict == allowed && !says_nothing)
      result.push_back(range);
  }
  return result;
}

ntp::ip_prefix whole_family(bool v4) {
  return {v4 ? ntp::ip_address{} : ntp::ip_address::v6({}), 0};
}

std::optional<ntp::ip_prefix> parse_range(std::string_view text) {
  const auto slash = text.find('/');
  std::string address{text.substr(0, slash)};
  std::string length{slash == std::string_view::npos ? ""
                                                     : text.substr(slash + 1)};
  const bool v6 = address.find(':') != std::string::npos;
  const auto dots = std::count(address.begin(), address.end(), '.');
  if (!v6 && dots < 3) {
    if (length.empty())
      length = fmt::format("{}", 8 * (dots + 1));
    for (auto i = dots; i < 3; ++i)
      address += ".0";
  }
  if (length.empty())
    length = v6 ? "128" : "32";
  return ntp::ip_prefix::parse(fmt::format("{}/{}", address, length));
}

} // namespace concert::config
