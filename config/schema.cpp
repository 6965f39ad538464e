#include "config/schema.hpp"

#include "config/words.hpp"

#include <limits>

namespace concert::config {

namespace {

constexpr std::string_view default_observation_path = "/run/concert/observe";

void read_virtual_clock(table_reader& section, clock_config& clock) {
  const toml::node* const given[] = {
    section.optional("initial-offset", clock.initial_offset_s,
                     number_within(-1e9, 1e9)),
    section.optional("frequency-error", clock.frequency_error,
                     number_within(-0.1, 0.1)),
    section.optional("wander", clock.wander, number_within(0, 1e-3)),
    section.optional("seed", clock.seed,
                     integer_within<std::uint64_t>(
                       0, std::numeric_limits<std::int64_t>::max())),
    section.optional("path", clock.path, path),
  };
  if (clock.kind == clock_kind::virtual_)
    return;
  for (const auto* node : given) {
    if (node != nullptr)
      section.found().warning(
        node->source(), "has an effect only with [clock] kind = \"virtual\"");
  }
}

clock_config read_clock(table_reader& top) {
  clock_config clock;
  auto section = top.section("clock", "[clock]");
  const auto* kind = section.find("kind");
  if (kind != nullptr && kind->value_exact<std::string_view>() == "phc")
    section.error(kind->source(), "kind", "\"phc\" is not supported yet");
  else
    section.optional("kind", clock.kind, one_of(clock_kind_words()));
  read_virtual_clock(section, clock);
  section.no_effect({"clock"}, "is not in effect yet: `kind` says which clock "
                               "is steered");
  section.no_effect({"interface"}, "is not in effect yet: the routes choose "
                                   "the interface");
  section.no_effect({"timestamp-mode"}, "is not in effect yet: stamps come "
                                        "from the kernel");
  section.reject_unknown();
  return clock;
}

observability_config read_observability(table_reader& top) {
  observability_config result;
  result.observation_path = default_observation_path;
  auto section = top.section("observability", "[observability]");
  section.optional("log-level", result.level, one_of(log_level_words()));
  section.optional("log-path", result.log_path, path);
  section.optional("observation-path", result.observation_path, path);
  section.optional("observation-permissions", result.observation_permissions,
                   integer_within<std::uint32_t>(0, 0777));
  section.optional("top-clients", result.top_clients,
                   integer_within<std::uint32_t>(0, 100));
  section.optional("measurement-log-path", result.measurement_log_path, path);
  section.optional("tracking-log-path", result.tracking_log_path, path);
  section.no_effect({"ansi-colors"}, "has no effect: the log has no colours");
  // For the metrics exporter, which reads the same file.
  section.optional("log-path-metrics-exporter",
                   result.metrics_exporter_log_path, path);
  section.optional("metrics-exporter-listen", result.metrics_exporter_listen,
                   listen_or(default_metrics_port));
  section.reject_unknown();
  return result;
}

/// Where the control socket is unless the configuration says so.
std::optional<std::filesystem::path>
default_control_path(const observability_config& observability) {
  auto place = observability.observation_path;
  if (!place)
    return place;
  if (place->filename() == "observe")
    place->replace_filename("control");
  else
    *place += ".control";
  return place;
}

/// A path, or "" for none.
value_or_error<std::optional<std::filesystem::path>>
path_or_none(const toml::node& node) {
  using result = std::optional<std::filesystem::path>;
  if (node.value_exact<std::string_view>() == "")
    return result{};
  return path(node).map(
    [](std::filesystem::path&& given) { return result{std::move(given)}; });
}

control_config read_control(table_reader& top,
                            const observability_config& observability) {
  control_config control;
  control.path = default_control_path(observability);
  auto section = top.section("control", "[control]");
  section.optional("path", control.path, path_or_none);
  section.optional("group", control.group, text);
  section.optional("runtime-path", control.runtime_path, path);
  section.optional("inspector", control.inspector, boolean);
  section.optional("fault-injection", control.fault_injection, boolean);
  section.reject_unknown();
  return control;
}

void reject_later_sections(table_reader& top) {
  for (const std::string_view key : {"csptp", "csptp-server"}) {
    if (const auto* node = top.find(key))
      top.error(node->source(), key, "is not supported yet");
  }
}

} // namespace

daemon_config read_config(const toml::table& table, diagnostics& found) {
  daemon_config config;
  table_reader top{&table, "", found};
  read_sources(top, config);
  config.servers = read_servers(top);
  config.nts_ke_servers = read_nts_ke_servers(top);
  config.keyset = read_keyset(top);
  read_synchronization(top, config);
  config.clock = read_clock(top);
  config.observability = read_observability(top);
  config.control = read_control(top, config.observability);
  top.optional("server-workers", config.server_workers,
               integer_within<std::uint32_t>(0, 64));
  top.optional("pin-workers", config.pin_workers, boolean);
  reject_later_sections(top);
  top.reject_unknown();
  return config;
}

} // namespace concert::config
