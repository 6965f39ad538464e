#pragma once

#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/errc.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/rotation_config.hpp"
#include "ntp_core/time/random.hpp"

#include <tl/expected.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <vector>

namespace concert::ntp {

/// The cookie keys of a server on its own: a new random one each interval, and
/// the stale ones before it. A cookie is good for `stale_keys` rotations.
///
/// Times are Unix time by the wall clock, as the keys outlive the process.
/// That clock may be wrong or jump, so it decides only when the next step is
/// due, never which keys are too old, and each call takes one step at most:
/// - Far ahead, or after long sleep: one rotation, and an interval from there.
/// - Back before the newest key was made: no rotation; the interval is counted
///   from the earliest time seen since then. Once the clock is right again,
///   the key's own time counts as before. So a machine that always boots in the
///   past, or a clock that goes to and fro, uses up no keys.
class key_rotation {
public:
  /// Starts with one fresh key, under an id that nobody can guess.
  key_rotation(const rotation_config& config, std::chrono::seconds now,
               random_source& random);

  /// Reads what `serialize` made; keeps as many keys as `config` allows.
  /// Errors: any code that starts with `file_`.
  static tl::expected<key_rotation, errc> parse(std::span<const std::byte> file,
                                                const rotation_config& config);

  /// What to keep over a restart, in a file that only the daemon may read.
  secret_bytes serialize() const;

  /// Rotates if that is due, and then returns true: `keys()` and the file are
  /// to be renewed. To be called at `next_rotation()`, and now and then before
  /// (each hour, say), so that a clock that jumped is noticed.
  bool on_deadline(std::chrono::seconds now, random_source& random);
  std::chrono::seconds next_rotation() const {
    return counted_from_ + config_.interval;
  }

  /// Takes effect at once; keys that are too many are given up.
  void set_config(const rotation_config& config);

  std::shared_ptr<const cookie_keys> keys() const { return keys_; }
  /// When the newest key was made.
  std::chrono::seconds newest_since() const { return newest_since_; }

private:
  key_rotation(const rotation_config& config, std::chrono::seconds newest_since,
               std::vector<cookie_keys::key> newest_first);

  rotation_config config_;
  std::chrono::seconds newest_since_;
  std::chrono::seconds counted_from_; ///< earlier if the clock went back
  std::shared_ptr<const cookie_keys> keys_;
};

} // namespace concert::ntp
