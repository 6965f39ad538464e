#pragma once

#include "actors/actor_base.hpp"

#include <filesystem>

namespace concert::actors {

/// Writes the state file, and cookies into files beside it, where waiting for
/// the disk harms nobody.
class state_keeper final
  : public actor_base<state_keeper_actor, placement::detached> {
public:
  /// An empty path keeps nothing.
  state_keeper(caf::actor_config& cfg, runtime& rt, std::filesystem::path path);

  behavior_type make_behavior() override;

private:
  void save(const platform::saved_state& state);
  void save(const save_cookies& s);
  saved_cookies take(const std::string& name);
  std::filesystem::path jar_file(const std::string& name) const;

  std::filesystem::path path_;
  bool failed_ = false; ///< complained already
};

} // namespace concert::actors
