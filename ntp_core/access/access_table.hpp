#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/access/range_map.hpp"

#include <cstdint>
#include <limits>
#include <span>

namespace concert::ntp {

enum class access_verdict : std::uint8_t {
  allowed,
  denied,      ///< by the deny list
  not_allowed, ///< outside of the allow list
};

/// What counts when both lists hold an address.
enum class access_order : std::uint8_t {
  deny_first,    ///< the deny list, however wide its prefix
  longest_match, ///< the longer prefix; of equal ones the deny list
};

/// Who may ask: a deny and an allow list, flattened into disjoint ranges when
/// made, so that 100,000 prefixes cost a request a search of a few cache
/// lines. Immutable after construction.
class access_table {
public:
  /// Everybody is allowed.
  access_table() = default;
  access_table(std::span<const ip_prefix> deny,
               std::span<const ip_prefix> allow, access_order order);

  /// IPv4 addresses lie in IPv4 prefixes only, not in ::/0. Scope ids do not
  /// matter.
  access_verdict judge(const ip_address& client) const;

  /// Ranges of both families, neighbours of one verdict being one.
  std::size_t size() const { return v4_.size() + v6_.size(); }

private:
  /// An IPv6 address as a number.
  struct v6_key {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    constexpr bool operator==(const v6_key&) const = default;
    constexpr auto operator<=>(const v6_key&) const = default;
    /// Without a branch, as every second guess would be wrong: whether
    /// o - *this does not borrow.
    constexpr bool operator<=(const v6_key& o) const {
      __extension__ using wide = unsigned __int128;
      return (wide{high} << 64 | low) <= (wide{o.high} << 64 | o.low);
    }
  };
  using v4_key = std::uint32_t;

  struct v4_family;
  struct v6_family;

  // One cache line a block of IPv4 keys, two neighbouring ones for IPv6.
  range_map<v4_key, access_verdict, 16> v4_;
  range_map<v6_key, access_verdict, 8> v6_;
};

} // namespace concert::ntp
