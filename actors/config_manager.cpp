#include "actors/config_manager.hpp"

#include "platform/hash.hpp"
#include "platform/readiness.hpp"

#include <fstream>
#include <sstream>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::size_t max_leap_file = 1024 * 1024;

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text(max_leap_file, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (!in.eof() && in.fail()))
    return {};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty())
    return {};
  return text;
}

/// The list, or null with a warning.
std::shared_ptr<const ntp::leap_list>
load_leap_list(const std::filesystem::path& path,
               std::chrono::seconds unix_time) {
  const auto text = read_file(path);
  if (!text) {
    log::warning("leap-file-failed", "file={} error=\"cannot be read\"",
                 path.string());
    return nullptr;
  }
  const auto list = ntp::leap_list::parse(*text, &platform::sha1);
  if (!list) {
    log::warning("leap-file-failed", "file={} error=\"{}\"", path.string(),
                 to_string(list.error()));
    return nullptr;
  }
  if (list->expired(unix_time))
    log::warning("leap-file-expired",
                 "file={} the sources' majority decides instead",
                 path.string());
  return std::make_shared<const ntp::leap_list>(*list);
}

} // namespace

config_manager::config_manager(caf::actor_config& cfg, runtime& rt,
                               config_manager_options options)
  : actor_base(cfg, rt, "config_manager", options.path.string()),
    options_(std::move(options)) {
}

config_manager::behavior_type config_manager::make_behavior() {
  return {
    [this](const wiring& w) { on_wiring(w); },
    [this](reload) { on_reload(); },
  };
}

void config_manager::stopped() {
  peers_ = {};
}

void config_manager::on_wiring(const wiring& w) {
  const bool new_steering = w.steering != peers_.steering;
  peers_ = w;
  if (new_steering)
    tell_leap_list();
}

void config_manager::on_reload() {
  platform::readiness::reloading();
  log::reopen();
  auto loaded = config::load(options_.path, options_.must_exist);
  if (!loaded) {
    for (const auto& d : loaded.error())
      log::error("config-refused", "{}", d.to_string());
    log::error("config-kept", "the configuration in force stays as it was");
    platform::readiness::ready("configuration refused; the old one stays");
    return;
  }
  for (const auto& d : loaded->warnings)
    log::warning("config-warning", "{}", d.to_string());
  options_.adapt(loaded->config);
  const auto change = config::difference(*options_.config, loaded->config);
  for (const auto& key : change.needs_restart)
    log::warning("config-needs-restart", "key={} takes effect at next start",
                 key);
  log::info("config-reloaded",
            "sources_added={} sources_removed={} servers_added={} "
            "servers_removed={} steering_changed={}",
            change.added_sources.size(), change.removed_sources.size(),
            change.added_servers.size(), change.removed_servers.size(),
            change.steering_changed);
  options_.config
    = std::make_shared<const config::daemon_config>(std::move(loaded->config));
  const config_changed message{options_.config};
  send(peers_.supervisor, message);
  send(peers_.steering, message);
  send(peers_.publisher, message);
  tell_leap_list();
  platform::readiness::ready("configuration reloaded");
}

void config_manager::tell_leap_list() {
  std::shared_ptr<const ntp::leap_list> list;
  if (options_.config->leap_seconds_file)
    list = load_leap_list(*options_.config->leap_seconds_file,
                          std::chrono::duration_cast<std::chrono::seconds>(
                            world().clock().read().unix_time));
  send(peers_.steering, leap_list_changed{std::move(list)});
}

} // namespace concert::actors
