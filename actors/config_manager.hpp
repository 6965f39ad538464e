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
};

/// The configuration in force and its files, leap-seconds.list among them.
class config_manager final
  : public actor_base<config_manager_actor, placement::detached> {
public:
  config_manager(caf::actor_config& cfg, runtime& rt,
                 config_manager_options options);

  behavior_type make_behavior() override;

private:
  void stopped() override;
  void on_wiring(const wiring& w);
  void on_reload();
  void tell_leap_list();

  config_manager_options options_;
  wiring peers_;
};

} // namespace concert::actors
