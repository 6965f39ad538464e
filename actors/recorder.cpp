#include "actors/recorder.hpp"

#include "actors/record_lines.hpp"

#include <utility>

namespace concert::actors {

namespace log = platform::log;

recorder::recorder(caf::actor_config& cfg, runtime& rt,
                   const config::observability_config& config)
  : actor_base(cfg, rt, "recorder", "") {
  configure(config);
}

recorder::behavior_type recorder::make_behavior() {
  return {
    [this](const config_changed& c) { configure(c.config->observability); },
    [this](reload) {
      for (auto* each : {&measurements_, &tracking_})
        if (each->file)
          each->file->reopen();
    },
    [this](const measurement_taken& m) {
      if (measurements_.file)
        append(measurements_,
               measurement_line(m, world().clock().read().unix_time));
    },
    [this](const clock_updated& u) {
      if (tracking_.file)
        append(tracking_, tracking_line(u, world().clock().read().unix_time));
    },
  };
}

void recorder::stopped() {
  measurements_.file.reset();
  tracking_.file.reset();
}

void recorder::configure(const config::observability_config& config) {
  set_path(measurements_, config.measurement_log_path);
  set_path(tracking_, config.tracking_log_path);
}

void recorder::set_path(record& of,
                        const std::optional<std::filesystem::path>& path) {
  if (of.file && path && of.file->path() == *path)
    return;
  of = {};
  if (path)
    of.file = std::make_unique<platform::line_file>(*path);
}

/// A disk that is full says so at each line; a person reads it once.
void recorder::append(record& to, std::string line) {
  const auto done = to.file->append(std::move(line));
  if (!done) {
    ++to.lost;
    if (!std::exchange(to.failed, true))
      log::warning("record-failed",
                   "file={} error=\"{}\" lines are lost until it can be "
                   "written again",
                   to.file->path().string(), done.error().text);
    return;
  }
  if (std::exchange(to.failed, false))
    log::info("record-resumed", "file={} lost={}", to.file->path().string(),
              std::exchange(to.lost, 0));
}

} // namespace concert::actors
