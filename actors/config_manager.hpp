#pragma once

#include "actors/actor_base.hpp"

#include <filesystem>
#include <functional>

namespace concert::actors {

struct config_manager_options {
  config::shared_config config; ///< in force
  std::filesystem::path path;
  bool must_exist = false;
  /// What the program knows better than the file (`--no-adjust`, the clock's
  /// precision…), applied to every configuration that is read.
  std::function<void(config::daemon_config&)> adapt;
  /// Changes made at run time that no file has; outlives the actor.
  std::shared_ptr<config::runtime_changes> pending
    = std::make_shared<config::runtime_changes>();
};

/// The configuration in force and its files, leap-seconds.list among them.
class config_manager final
  : public actor_base<config_manager_actor, placement::detached> {
public:
  config_manager(caf::actor_config& cfg, runtime& rt,
                 config_manager_options options);

  behavior_type make_behavior() override;

private:
  using loading
    = tl::expected<config::loaded_config, std::vector<config::diagnostic>>;

  void stopped() override;
  void on_wiring(const wiring& w);
  void on_reload();
  ctl::control_answer on_change(const change_wanted& wish);
  ctl::control_answer answer(const change_wanted& wish);
  ctl::control_answer get(const std::string& key) const;
  ctl::control_answer list_sources() const;
  ctl::control_answer diff() const;
  ctl::control_answer set(const change_wanted& wish);
  ctl::control_answer source_change(const change_wanted& wish);
  ctl::control_answer apply(const change_wanted& wish,
                            const config::runtime_changes& wanted);
  void log_reload(const config::daemon_config& before) const;
  ctl::control_answer reload_files(const change_wanted& wish);
  ctl::control_answer persist();
  loading load(const config::runtime_changes& changes) const;
  /// @returns the configuration that was in force before.
  config::shared_config put_in_force(config::daemon_config config);
  void change_log(const config::observability_config& before) const;
  void tell_leap_list();

  config_manager_options options_;
  wiring peers_;
  platform::log::limiter refusals_{std::chrono::seconds{1}};
};

} // namespace concert::actors
