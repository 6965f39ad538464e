#include "actors/state_keeper.hpp"

#include "platform/private_file.hpp"

#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// No jar is longer: eight cookies of 1,024 octets, keys and names.
constexpr std::size_t longest_jar = 16384;

} // namespace

state_keeper::state_keeper(caf::actor_config& cfg, runtime& rt,
                           std::filesystem::path path)
  : actor_base(cfg, rt, "state_keeper", path.string()),
    path_(std::move(path)) {
}

state_keeper::behavior_type state_keeper::make_behavior() {
  return {
    [this](const actors::save_state& s) { save(s.state); },
    [this](const save_cookies& s) { save(s); },
    [this](const take_cookies& wanted) { return take(wanted.name); },
    [this](end_when_saved) { quit(); },
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

std::filesystem::path state_keeper::jar_file(const std::string& name) const {
  return path_.string() + "." + name + ".cookies";
}

void state_keeper::save(const save_cookies& s) {
  if (path_.empty())
    return;
  const auto file = jar_file(s.name);
  const auto done = s.jar.empty() ? platform::remove_private_file(file)
                                  : platform::write_private_file(file, s.jar);
  if (!done)
    log::warning("cookies-not-saved", "file={} error=\"{}\"", file.string(),
                 done.error().text);
}

saved_cookies state_keeper::take(const std::string& name) {
  if (path_.empty())
    return {};
  const auto file = jar_file(name);
  auto jar = platform::read_private_file(file, longest_jar);
  const auto removed = platform::remove_private_file(file);
  // What cannot be removed would be used again at the next start.
  if (!removed)
    log::warning("cookies-not-used", "file={} error=\"{}\"", file.string(),
                 removed.error().text);
  if (!removed || !jar)
    return {};
  return {std::move(*jar)};
}

} // namespace concert::actors
