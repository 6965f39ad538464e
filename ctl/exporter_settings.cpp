#include "ctl/exporter_settings.hpp"

#include "config/config.hpp"

#include <fmt/format.h>

namespace concert::ctl {

result<exporter_settings>
read_exporter_settings(const std::optional<std::filesystem::path>& config) {
  const auto path = config.value_or(config::default_path());
  // The files that it names are the daemon's: others may not read them.
  const auto loaded
    = config::load(path, config.has_value(), config::named_files::ignored);
  if (!loaded)
    return tl::unexpected{
      error{errc::bad_path, fmt::format("the configuration is not valid: {}",
                                        loaded.error().empty()
                                          ? path.string()
                                          : loaded.error()[0].to_string())}};
  const auto& settings = loaded->config.observability;
  const auto& listen = settings.metrics_exporter_listen;
  return exporter_settings{
    .observation_path = settings.observation_path,
    .control_path = loaded->config.control.path,
    .log_path = settings.metrics_exporter_log_path,
    .listen = listen
                ? listen->to_string()
                : fmt::format("127.0.0.1:{}", config::default_metrics_port)};
}

} // namespace concert::ctl
