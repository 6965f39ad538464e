#include "ntp_core/access/access_table.hpp"

#include "ntp_core/packet/bytes.hpp"

#include <tuple>

namespace concert::ntp {

namespace {

constexpr auto all_ones = std::numeric_limits<std::uint64_t>::max();

/// `count` ones (0..64), then zeros.
constexpr std::uint64_t high_ones(unsigned count) {
  return count == 0 ? 0 : all_ones << (64 - count);
}

/// A prefix as the range of keys in it.
template <class Key>
struct key_range {
  Key first{};
  Key last{};
  unsigned length = 0;
  access_verdict verdict = access_verdict::allowed;
};

/// Cuts the keys of one family where the verdict changes. Of two prefixes one
/// lies in the other or they have nothing in common, so those around a key
/// form a stack.
template <class Family>
class flattening {
public:
  using key = typename Family::key;
  using starts = std::vector<range_start<key, access_verdict>>;

  explicit flattening(access_order order) : order_(order) {}

  void add(std::span<const ip_prefix> prefixes, access_verdict verdict) {
    for (const auto& p : prefixes)
      if (p.network.is_v4() == Family::is_v4)
        ranges_.push_back(Family::range_of(p, verdict));
  }

  /// The prefixes added so far as starts of ranges.
  starts finish() {
    // Outer ones come first; of equal ones the allow list, so that the deny
    // list has the last word.
    std::sort(ranges_.begin(), ranges_.end(), [](const auto& a, const auto& b) {
      const bool a_denies = a.verdict == access_verdict::denied;
      const bool b_denies = b.verdict == access_verdict::denied;
      return std::tie(a.first, a.length, a_denies)
             < std::tie(b.first, b.length, b_denies);
    });
    for (auto& r : ranges_) {
      while (!around_.empty() && around_.back().last < r.first)
        leave();
      if (order_ == access_order::deny_first
          && current() == access_verdict::denied)
        r.verdict = access_verdict::denied;
      around_.push_back(r);
      cut(r.first);
    }
    while (!around_.empty())
      leave();
    return std::move(starts_);
  }

private:
  access_verdict current() const {
    return around_.empty() ? access_verdict::not_allowed
                           : around_.back().verdict;
  }

  void leave() {
    const auto last = around_.back().last;
    around_.pop_back();
    if (last != Family::highest)
      cut(Family::next(last));
  }

  /// From `at` on the current verdict holds.
  void cut(const key& at) {
    if (starts_.back().first == at && starts_.size() > 1)
      starts_.pop_back();
    if (starts_.back().first == at)
      starts_.back().value = current();
    else if (starts_.back().value != current())
      starts_.push_back({at, current()});
  }

  access_order order_;
  std::vector<key_range<key>> ranges_;
  std::vector<key_range<key>> around_; ///< those that hold the present key
  starts starts_{{key{}, access_verdict::not_allowed}};
};

} // namespace

struct access_table::v4_family {
  using key = v4_key;
  static constexpr bool is_v4 = true;
  static constexpr key highest = std::numeric_limits<key>::max();

  static key key_of(const ip_address& a) {
    return read_big_endian<key>(std::as_bytes(std::span{a.octets()}), 0);
  }

  static key next(key k) { return k + 1; }

  static key_range<key> range_of(const ip_prefix& p, access_verdict verdict) {
    const auto length = std::min<unsigned>(p.length, 32);
    const auto mask = static_cast<key>(high_ones(length) >> 32);
    const auto first = key_of(p.network) & mask;
    return {first, first | ~mask, length, verdict};
  }
};

struct access_table::v6_family {
  using key = v6_key;
  static constexpr bool is_v4 = false;
  static constexpr key highest{all_ones, all_ones};

  static key key_of(const ip_address& a) {
    const auto octets = std::as_bytes(std::span{a.octets()});
    return {read_big_endian<std::uint64_t>(octets, 0),
            read_big_endian<std::uint64_t>(octets, 8)};
  }

  static key next(const key& k) {
    return {k.high + (k.low == all_ones ? 1 : 0), k.low + 1};
  }

  static key_range<key> range_of(const ip_prefix& p, access_verdict verdict) {
    const auto length = std::min<unsigned>(p.length, 128);
    const auto high_mask = high_ones(std::min(length, 64U));
    const auto low_mask = high_ones(length - std::min(length, 64U));
    const auto network = key_of(p.network);
    const key first{network.high & high_mask, network.low & low_mask};
    return {
      first, {first.high | ~high_mask, first.low | ~low_mask}, length, verdict};
  }
};

access_table::access_table(std::span<const ip_prefix> deny,
                           std::span<const ip_prefix> allow,
                           access_order order) {
  const auto flatten = [&](auto f) {
    f.add(allow, access_verdict::allowed);
    f.add(deny, access_verdict::denied);
    return f.finish();
  };
  v4_
    = decltype(v4_){flatten(flattening<v4_family>{order}), v4_family::highest};
  v6_
    = decltype(v6_){flatten(flattening<v6_family>{order}), v6_family::highest};
}

access_verdict access_table::judge(const ip_address& client) const {
  return client.is_v4() ? v4_.at(v4_family::key_of(client))
                        : v6_.at(v6_family::key_of(client));
}

} // namespace concert::ntp
