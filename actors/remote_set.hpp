#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/random.hpp"
#include "ntp_core/time/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace concert::actors {

/// Which addresses of one `[[source]]` should be polled: the logic of the
/// spawner, without actors. Names are resolved again when addresses are
/// missing, with exponential back-off and jitter.
class remote_set {
public:
  /// How long an address that refused us or lied is left alone.
  static constexpr std::chrono::hours exclusion{4};
  static constexpr std::chrono::seconds first_retry{2};
  static constexpr std::chrono::seconds last_retry{1024};
  static constexpr std::size_t max_known = 256;

  /// `wanted` addresses at the same time; `ignore` are never used.
  remote_set(std::uint32_t wanted, std::vector<ntp::ip_address> ignore,
             ntp::random_source& random);

  /// Another number of addresses, or others to ignore. Returns the members
  /// that are to end: those now ignored.
  std::vector<ntp::ip_address> set_wanted(std::uint32_t wanted,
                                          std::vector<ntp::ip_address> ignore);
  /// How many members there are beyond those wanted.
  std::size_t surplus() const {
    return members_.size() > wanted_ ? members_.size() - wanted_ : 0;
  }

  /// Addresses to fall back on while the name does not resolve.
  void remember(const std::vector<ntp::ip_address>& addresses);
  /// The name service answered; an empty list is a failure too.
  void on_addresses(const std::vector<ntp::ip_address>& addresses,
                    ntp::mono_time now);
  void on_failure(ntp::mono_time now);

  /// An address to add to the members, if one is missing and known.
  std::optional<ntp::ip_address> next(ntp::mono_time now);
  /// A member did not answer for long: look for another. True if it is to end
  /// at once since a spare is known; otherwise it stays until there is one.
  bool on_silent(const ntp::ip_address& member, ntp::mono_time now);
  /// A member is of no use: it ends and is left alone for a while.
  void on_useless(const ntp::ip_address& member, ntp::mono_time now);
  /// A member ends and is not given again for `rest`.
  void leave_alone(const ntp::ip_address& member, ntp::mono_time now,
                   std::chrono::nanoseconds rest);
  /// Whether a member that the steering rejects should be replaced: only if
  /// there can be another one.
  bool can_replace() const { return wanted_ > 1; }
  void on_ended(const ntp::ip_address& member);

  /// Whether the name is to be resolved now; if so, the answer is awaited.
  bool wants_resolution(ntp::mono_time now);
  /// When to ask `wants_resolution` again.
  std::optional<ntp::mono_time> next_deadline() const;
  /// A network change: a failed name is worth another try now.
  void retry_soon(ntp::mono_time now);

  const std::set<ntp::ip_address>& members() const { return members_; }

private:
  bool usable(const ntp::ip_address& a, ntp::mono_time now) const;
  void back_off(ntp::mono_time now);
  bool searching() const { return members_.size() < wanted_ || spare_wanted_; }

  std::uint32_t wanted_;
  std::vector<ntp::ip_address> ignore_;
  ntp::random_source& random_;
  std::vector<ntp::ip_address> known_;    ///< in order of preference
  std::vector<ntp::ip_address> fallback_; ///< from the state file
  std::set<ntp::ip_address> members_;
  std::map<ntp::ip_address, ntp::mono_time> excluded_; ///< until when
  std::uint32_t failures_ = 0;
  bool resolving_ = false;
  bool spare_wanted_ = false; ///< for a silent member
  ntp::mono_time retry_at_{};
};

} // namespace concert::actors
