#pragma once

#include "actors/actor_base.hpp"
#include "actors/config_manager.hpp"
#include "actors/steering.hpp"
#include "actors/stuck_watch.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace concert::actors {

struct supervisor_options {
  config_manager_options files;
  /// What the state file said; `saved.time` and tokens as saved.
  platform::saved_state saved;
  std::filesystem::path state_file; ///< empty: keep no state
  ntp::steering_memory memory;
  std::uint32_t workers = 1;
  bool pin_workers = false;
  /// Called on the event loop when everything has ended.
  std::function<void(int code)> ended;
};

/// The life of all other actors: starts them in order, watches them, starts
/// them again with back-off, tells everybody where everybody is, and stops them
/// in reverse order.
class supervisor final
  : public actor_base<supervisor_actor, placement::event_loop> {
public:
  supervisor(caf::actor_config& cfg, runtime& rt, supervisor_options options);

  behavior_type make_behavior() override;

private:
  /// One child: how to start it, and its present incarnation.
  struct child {
    std::string name;
    /// Spawns it, keeps its handle where it belongs, and returns it.
    std::function<caf::actor_addr()> start;
    caf::actor_addr address;
    std::uint32_t restarts = 0;
    ntp::mono_time started{};
    std::optional<ntp::mono_time> restart_at;
  };
  struct server_slot {
    server_id id;
    config::server_config config;
    server_actor handle;
    child* life = nullptr;
  };
  struct spawner_slot {
    config::source_config config;
    spawner_actor handle;
    nts_spawner_actor nts; ///< the same; null where there is no NTS
    child* life = nullptr;
  };
  struct nts_ke_server_slot {
    config::nts_ke_server_config config;
    nts_ke_server_actor handle;
    child* life = nullptr;
  };
  enum class phase { running, preparing, stopping, saving };

  void stopped() override;
  void start_all();
  child& add_child(std::string name, std::function<caf::actor_addr()> start);
  void start_child(child& c);
  void drop_child(child* c);
  void add_worker(std::uint32_t index);
  void add_server(const config::server_config& config);
  void add_spawner(const config::source_config& config);
  caf::actor_addr start_spawner(spawner_slot& slot);
  void add_nts_ke_server(const config::nts_ke_server_config& config);
  std::vector<platform::saved_source>
  saved_of(const config::source_config& config) const;
  void keep_keyset();
  void tell_wiring();

  void on_deadline();
  void on_down(const caf::down_msg& down);
  void on_signal(int number);
  void on_config(const config_changed& change);
  void change_sources(const config::config_difference& d);
  void change_servers(config::config_difference& d);
  template <class Change, class Slot, class Config, class SamePlace>
  void change_slots(std::list<Slot>& slots, const std::vector<Config>& removed,
                    std::vector<Config>& added, SamePlace same_place);
  void on_network_change();
  void on_clock_set();
  void feed_watchdog();
  void arm_timer();

  void stop(int code);
  void stop_children();
  void stop_next_phase();

  supervisor_options options_;
  config::shared_config config_;
  wiring peers_;
  std::list<child> children_; ///< in order of start
  child* state_keeper_ = nullptr;
  child* config_manager_ = nullptr;
  bool reload_waits_ = false; ///< until there is a config_manager again
  child* keyset_ = nullptr;   ///< null: no cookies are used
  std::shared_ptr<ntp::secret_bytes> cookie_keys_; ///< of all keysets, in turn
  std::vector<worker_actor> workers_;
  std::list<server_slot> servers_;
  std::list<spawner_slot> spawners_;
  std::list<nts_ke_server_slot> nts_ke_servers_;
  std::uint32_t last_server_id_ = 0;
  ntp::steering_memory memory_; ///< what the next steering starts with
  bool just_heard_ = false;     ///< a short restart: no bursts
  bool clock_was_set_ = false;  ///< since the machine started
  phase phase_ = phase::running;
  int exit_code_ = 1; ///< until told to stop, it can only be a failure
  std::optional<std::chrono::nanoseconds> watchdog_interval_;
  ntp::mono_time next_watchdog_{};
  /// The publisher looks after the others, from another thread.
  stuck_watch stuck_watch_{watched::control};
  ntp::mono_time next_look_ = ntp::mono_time::max(); ///< at who is stuck
  ntp::mono_time started_;
  std::unique_ptr<timer> timer_;
};

} // namespace concert::actors
