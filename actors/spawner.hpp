#pragma once

#include "actors/actor_base.hpp"
#include "actors/remote_set.hpp"
#include "actors/source_entry.hpp"

#include <map>
#include <memory>

namespace concert::actors {

/// One `[[source]]`: resolves its name, keeps the wanted number of sources
/// alive, and replaces those that are silent, refused or rejected.
class spawner final : public actor_base<spawner_actor, placement::event_loop> {
public:
  spawner(caf::actor_config& cfg, runtime& rt, spawner_options options);

  behavior_type make_behavior() override;

private:
  struct member {
    ntp::source_id id;
    source_actor handle;
    ntp::mono_time started;
  };

  void stopped() override;
  void on_wiring(const wiring& w);
  void on_resolved(const resolved& answer);
  void on_config(const config::source_config& config);
  void on_lost(source_lost lost);
  void on_source_down(const caf::down_msg& down);
  void refill();
  void start_source(const ntp::ip_address& address);
  void end_source(ntp::ip_address address);
  void arm_retry();

  source_entry entry_;
  std::unique_ptr<ntp::random_source> random_;
  remote_set remotes_;
  std::map<ntp::ip_address, member> members_;
  wiring peers_;
  bool wired_ = false;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
