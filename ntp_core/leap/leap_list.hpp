#pragma once

#include "ntp_core/crypto/hash.hpp"
#include "ntp_core/errc.hpp"
#include "ntp_core/time/stamp.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace concert::ntp {

/// What a leap-seconds.list says of one instant.
struct leap_status {
  /// `insert_second` or `delete_second` during the 24 h before such an event,
  /// else `none`.
  leap_indicator leap = leap_indicator::none;
  /// TAI − UTC; absent before 1972.
  std::optional<std::chrono::seconds> tai_offset;
  /// Unix time at which TAI − UTC changes next; absent if none is announced.
  std::optional<std::chrono::seconds> next_event;
};

/// TAI − UTC from an instant (Unix time) on.
struct leap_entry {
  std::chrono::seconds since{};
  std::chrono::seconds tai_offset{};
};

/// The leap seconds of a leap-seconds.list, as the IERS and the NIST publish
/// it. All times are Unix time.
class leap_list {
public:
  /// Reads the file's text. The `#h` line must hold the SHA-1 of the contents;
  /// any code that starts with `leap_` may be the error.
  static tl::expected<leap_list, errc> parse(std::string_view text,
                                             sha1_fn sha1);

  std::chrono::seconds updated() const { return updated_; }

  std::chrono::seconds expires() const { return expires_; }

  bool expired(std::chrono::seconds now) const { return now >= expires_; }

  leap_status at(std::chrono::seconds now) const;

private:
  leap_list() = default;

  std::chrono::seconds updated_{};
  std::chrono::seconds expires_{};
  std::vector<leap_entry> entries_; // in order of time
};

} // namespace concert::ntp
