#pragma once

#include "config/config.hpp"
#include "ctl/status.hpp"
#include "ntp_core/crypto/secret_bytes.hpp"
#include "ntp_core/nts/cookie_keys.hpp"
#include "ntp_core/nts/rotation_config.hpp"
#include "ntp_core/time/random.hpp"

#include <chrono>
#include <memory>

namespace concert::actors {

/// Where the keys of the cookies come from. Times are Unix time. Waits for the
/// disk, and logs what goes wrong, once.
class key_supply {
public:
  using shared_keys = std::shared_ptr<const ntp::cookie_keys>;

  virtual ~key_supply() = default;

  /// The keys now, after all that is due has been done; null: there are none
  /// yet. To be called at `next_change()`, each hour at least, and when the
  /// clock was stepped.
  virtual shared_keys at(std::chrono::seconds now) = 0;
  /// When other keys follow on those that `at` gave last.
  virtual std::chrono::seconds next_change() const = 0;
  /// Takes a configuration of the same kind of keys.
  virtual void set_config(const config::keyset_config& config) = 0;
  /// Files may have other contents now.
  virtual void reload() = 0;
  /// From now on the clock can be believed.
  virtual void clock_was_set() = 0;
  /// All but how many keys there are.
  virtual ctl::keyset_status status() const = 0;
};

/// What the core asks to know of a configuration.
ntp::rotation_config rotation_of(const config::keyset_config& config);

/// Random keys, kept in `memory` and, if configured, in a file. Those in
/// `memory` come first, as they are the newest.
std::unique_ptr<key_supply>
make_random_keys(const config::keyset_config& config,
                 std::shared_ptr<ntp::secret_bytes> memory,
                 std::unique_ptr<ntp::random_source> random);

/// Keys that follow from the secret of a cluster.
std::unique_ptr<key_supply>
make_cluster_keys(const config::keyset_config& config, bool clock_was_set);

} // namespace concert::actors
