#include "actors/state_keeper.hpp"

#include <utility>

namespace concert::actors {

namespace log = platform::log;

state_keeper::state_keeper(caf::actor_config& cfg, runtime& rt,
                           std::filesystem::path path)
  : actor_base(cfg, rt, "state_keeper", path.string()),
    path_(std::move(path)) {
}

state_keeper::behavior_type state_keeper::make_behavior() {
  return {
    [this](const actors::save_state& s) { save(s.state); },
  };
}

void state_keeper::save(const platform::saved_state& state) {
  if (path_.empty())
    return;
  auto complete = state;
  complete.boot_id = platform::boot_id();
  const auto saved = platform::save_state(path_, complete);
  if (!saved && !failed_)
    log::warning("state-not-saved", "file={} error=\"{}\"", path_.string(),
                 saved.error().text);
  failed_ = !saved;
}

} // namespace concert::actors
