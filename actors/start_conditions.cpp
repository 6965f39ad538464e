#include "actors/start_conditions.hpp"

#include "platform/log.hpp"
#include "platform/state_file.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

platform::saved_state load_saved(const std::filesystem::path& path) {
  if (path.empty())
    return {};
  auto loaded = platform::load_state(path);
  if (loaded)
    return *loaded;
  if (loaded.error().code != platform::errc::unavailable)
    log::warning("state-ignored", "file={} error=\"{}\"", path.string(),
                 loaded.error().text);
  return {};
}

/// What an earlier run of this boot, or of an earlier boot, is good for.
ntp::steering_memory memory_of(const platform::saved_state& saved) {
  ntp::steering_memory memory;
  memory.oscillator = saved.oscillator;
  memory.frequency_deviation = saved.frequency_deviation;
  const bool same_boot
    = !saved.boot_id.empty() && saved.boot_id == platform::boot_id();
  memory.started_this_boot = same_boot && saved.started_this_boot;
  if (same_boot)
    memory.accumulated_steps_s = saved.accumulated_steps_s;
  return memory;
}

} // namespace

supervisor_options options_of(config::daemon_config config,
                              const start_conditions& start) {
  supervisor_options o;
  o.state_file = start.state_file;
  o.saved = load_saved(o.state_file);
  o.memory = memory_of(o.saved);
  o.workers = start.workers;
  o.pin_workers = start.pin_workers;
  o.files.path = start.config_path;
  o.files.must_exist = start.config_must_exist;
  o.files.adapt = [read_only = start.read_only, precision = start.precision,
                   not_before = std::max(o.saved.time, start.not_before),
                   shadowed = start.shadowed](config::daemon_config& c) {
    if (shadowed)
      make_shadow(c, *shadowed);
    c.steering.read_only = read_only;
    c.steering.precision = precision;
    c.steering.not_before = not_before;
  };
  o.files.adapt(config);
  o.files.config
    = std::make_shared<const config::daemon_config>(std::move(config));
  return o;
}

} // namespace concert::actors
