#pragma once

#include "actors/actor_base.hpp"
#include "actors/key_supply.hpp"
#include "ntp_core/crypto/secret_bytes.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace concert::actors {

struct keyset_options {
  config::keyset_config config;
  bool clock_was_set = false; ///< since the machine started
  /// The keys as a `key_rotation` writes them, for an actor that is started
  /// again: one at a time uses it. Empty at first.
  std::shared_ptr<ntp::secret_bytes> memory
    = std::make_shared<ntp::secret_bytes>();
};

/// `[keyset]`: makes the keys of the cookies, keeps them in a file, and gives
/// them to all workers and then to those who give out cookies. On a thread of
/// its own, as it waits for the disk.
class keyset final : public actor_base<keyset_actor, placement::detached> {
public:
  keyset(caf::actor_config& cfg, runtime& rt, keyset_options options);

  behavior_type make_behavior() override;

private:
  void stopped() override;
  void make_supply();
  void on_config(const config::keyset_config& config);
  void on_clock_set();
  /// Does what is due, and gives new keys to all.
  void look();
  void log_keys() const;
  void distribute();
  void give_to_servers();
  ctl::keyset_status status() const;

  keyset_options options_;
  std::unique_ptr<key_supply> supply_;
  key_supply::shared_keys keys_; ///< null: none yet
  std::vector<worker_actor> workers_;
  std::vector<nts_ke_server_actor> servers_;
  std::uint64_t distributions_ = 0; ///< only the last one is of interest
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
