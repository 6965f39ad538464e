#pragma once

#include "ntp_core/access/ip_address.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace concert::config {

/// Who may be served: rules of which the one with the longest range counts, as
/// chrony's and ntpd's do.
class access_rules {
public:
  /// More are refused.
  static constexpr std::size_t limit = 10'000;

  /// The last word on one range counts. False when there are too many.
  bool set(const ntp::ip_prefix& range, bool allowed);
  /// The same, and all rules within `range` are dropped.
  bool set_all(const ntp::ip_prefix& range, bool allowed);

  /// Whether anybody of the family may be served.
  bool serves(bool v4) const;
  /// The ranges of a family that are allowed, or denied, without those that
  /// change nothing, as nobody is served unless a rule says so.
  std::vector<ntp::ip_prefix> ranges(bool v4, bool allowed) const;

private:
  std::map<ntp::ip_prefix, bool> rules_;
};

/// All addresses of a family.
ntp::ip_prefix whole_family(bool v4);

/// "192.0.2.0/24", "192.0.2.1", "2001:db8::/32"; and as chrony takes them, "10"
/// or "10.1" for 10.0.0.0/8 and 10.1.0.0/16.
std::optional<ntp::ip_prefix> parse_range(std::string_view text);

} // namespace concert::config
