#include "config/keys.hpp"

#include "config/key_names.hpp"
#include "config/value_text.hpp"

#include <algorithm>

namespace concert::config {

namespace {

using config_ref = const daemon_config&;

/// Four characters, padded with zeros, as text.
std::string reference_text(std::uint32_t id) {
  std::string result;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto character = static_cast<char>(id >> shift & 0xff);
    if (character != '\0')
      result += character;
  }
  return string_text(result);
}

std::string control_path_text(config_ref c) {
  return c.control.path ? text_of(*c.control.path) : "\"\"";
}

constexpr bool live = true;
constexpr bool at_start = false;
constexpr scalar_key all_scalar_keys[] = {
  {"state-file", at_start, [](config_ref c) { return text_of(c.state_file); }},
  {"leap-seconds-file", live,
   [](config_ref c) { return text_of(c.leap_seconds_file); }},
  {"user", at_start, [](config_ref c) { return text_of(c.user); }},
  {"server-workers", at_start,
   [](config_ref c) { return text_of(c.server_workers); }},
  {"pin-workers", at_start,
   [](config_ref c) { return text_of(c.pin_workers); }},
  {"source-defaults.poll-interval-limits.min", live,
   [](config_ref c) { return text_of(c.defaults.min_poll); }},
  {"source-defaults.poll-interval-limits.max", live,
   [](config_ref c) { return text_of(c.defaults.max_poll); }},
  {"source-defaults.initial-poll-interval", live,
   [](config_ref c) { return text_of(c.defaults.initial_poll); }},
  {"source-defaults.interleaved", live,
   [](config_ref c) { return text_of(c.defaults.interleaved); }},
  {"keyset.stale-key-count", live,
   [](config_ref c) { return text_of(c.keyset.stale_key_count); }},
  {"keyset.key-rotation-interval", live,
   [](config_ref c) {
     return text_of(c.keyset.key_rotation_interval.count());
   }},
  {"keyset.key-storage-path", live,
   [](config_ref c) { return text_of(c.keyset.key_storage_path); }},
  {"keyset.cluster-secret-file", live,
   [](config_ref c) { return text_of(c.keyset.cluster_secret_file); }},
  {"synchronization.max-error", live,
   [](config_ref c) { return text_of(c.steering.max_error_s); }},
  {"synchronization.on-panic", live,
   [](config_ref c) {
     return text_of(c.steering.exit_on_panic, on_panic_words());
   }},
  {"synchronization.minimum-agreeing-sources", live,
   [](config_ref c) { return text_of(c.steering.minimum_agreeing_sources); }},
  {"synchronization.single-step-panic-threshold", live,
   [](config_ref c) {
     return text_of(c.steering.single_step_panic_threshold);
   }},
  {"synchronization.startup-step-panic-threshold", live,
   [](config_ref c) {
     return text_of(c.steering.startup_step_panic_threshold);
   }},
  {"synchronization.accumulated-step-panic-threshold", live,
   [](config_ref c) {
     return text_of(c.steering.accumulated_step_panic_threshold_s);
   }},
  {"synchronization.warn-on-jump", live,
   [](config_ref c) { return text_of(c.steering.warn_on_jump); }},
  {"synchronization.local-stratum", live,
   [](config_ref c) { return text_of(c.steering.local_stratum); }},
  {"synchronization.reference-id", live,
   [](config_ref c) { return reference_text(c.steering.reference_id); }},
  {"synchronization.combine-limit", live,
   [](config_ref c) { return text_of(c.steering.combine_limit); }},
  {"synchronization.algorithm.initial-wander", live,
   [](config_ref c) { return text_of(c.steering.initial_wander); }},
  {"synchronization.algorithm.slew-length", live,
   [](config_ref c) { return text_of(c.steering.slew_polls); }},
  {"synchronization.algorithm.poll-tolerance", live,
   [](config_ref c) { return text_of(c.steering.poll_tolerance); }},
  {"synchronization.algorithm.slew-maximum-frequency-offset", live,
   [](config_ref c) { return text_of(c.steering.max_slew); }},
  {"clock.kind", at_start,
   [](config_ref c) { return text_of(c.clock.kind, clock_kind_words()); }},
  {"clock.initial-offset", at_start,
   [](config_ref c) { return text_of(c.clock.initial_offset_s); }},
  {"clock.frequency-error", at_start,
   [](config_ref c) { return text_of(c.clock.frequency_error); }},
  {"clock.wander", at_start,
   [](config_ref c) { return text_of(c.clock.wander); }},
  {"clock.seed", at_start, [](config_ref c) { return text_of(c.clock.seed); }},
  {"clock.path", at_start, [](config_ref c) { return text_of(c.clock.path); }},
  {"observability.log-level", live,
   [](config_ref c) {
     return text_of(c.observability.level, log_level_words());
   }},
  {"observability.log-path", live,
   [](config_ref c) { return text_of(c.observability.log_path); }},
  {"observability.observation-path", live,
   [](config_ref c) { return text_of(c.observability.observation_path); }},
  {"observability.observation-permissions", live,
   [](config_ref c) {
     return fmt::format("0o{:o}", c.observability.observation_permissions);
   }},
  {"observability.top-clients", live,
   [](config_ref c) { return text_of(c.observability.top_clients); }},
  {"observability.measurement-log-path", live,
   [](config_ref c) { return text_of(c.observability.measurement_log_path); }},
  {"observability.tracking-log-path", live,
   [](config_ref c) { return text_of(c.observability.tracking_log_path); }},
  {"control.path", live, control_path_text},
  {"control.group", live,
   [](config_ref c) { return text_of(c.control.group); }},
  {"control.runtime-path", live,
   [](config_ref c) { return text_of(c.control.runtime_path); }},
  {"control.inspector", at_start,
   [](config_ref c) { return text_of(c.control.inspector); }},
  {"control.fault-injection", at_start,
   [](config_ref c) { return text_of(c.control.fault_injection); }},
};

/// A key and another place for the same.
struct alias {
  std::string_view other;
  std::string_view canonical;
};

constexpr alias aliases[] = {
  {"synchronization.state-file", "state-file"},
  {"synchronization.leap-seconds-file", "leap-seconds-file"},
  {"synchronization.user", "user"},
  {"max-error", "synchronization.max-error"},
  {"on-panic", "synchronization.on-panic"},
  {"source-defaults.minpoll", "source-defaults.poll-interval-limits.min"},
  {"source-defaults.maxpoll", "source-defaults.poll-interval-limits.max"},
};

bool is_below(std::string_view key, std::string_view section) {
  return key.size() > section.size() && key.starts_with(section)
         && key[section.size()] == '.';
}

bool is_key_part(std::string_view part) {
  return !part.empty() && part.size() <= 64
         && std::all_of(part.begin(), part.end(), [](char c) {
              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                     || (c >= '0' && c <= '9') || c == '-' || c == '_';
            });
}

} // namespace

std::span<const scalar_key> scalar_keys() {
  return all_scalar_keys;
}

std::vector<key_value> keys(const daemon_config& config) {
  std::vector<key_value> result;
  for (const auto& key : scalar_keys())
    result.push_back({std::string{key.name}, key.text(config), key.at_runtime});
  return result;
}

std::string canonical_key(std::string_view key) {
  for (const auto& one : aliases) {
    if (one.other == key)
      return std::string{one.canonical};
  }
  return std::string{key};
}

std::vector<std::string_view> aliases_of(std::string_view key) {
  std::vector<std::string_view> result;
  for (const auto& one : aliases) {
    if (one.canonical == key)
      result.push_back(one.other);
  }
  return result;
}

std::vector<std::string_view> parts_of(std::string_view key) {
  std::vector<std::string_view> result;
  for (std::size_t at = 0; at <= key.size();) {
    const auto dot = std::min(key.find('.', at), key.size());
    result.push_back(key.substr(at, dot - at));
    at = dot + 1;
  }
  return result;
}

std::string why_not_settable(std::string_view key) {
  constexpr std::size_t deepest = 4;
  const auto parts = parts_of(key);
  if (parts.size() > deepest
      || !std::all_of(parts.begin(), parts.end(), is_key_part))
    return "is not a key; one looks like \"synchronization.max-error\"";
  if (parts[0] == "source")
    return "sources are changed with `ntp-ctl source add`, `modify` and "
           "`remove`";
  if (parts[0] == "server" || parts[0] == "nts-ke-server")
    return "servers are changed in the configuration's file; then reload";
  if (key == "control.runtime-path")
    return "says where this change would be kept; it is set in the "
           "configuration's file";
  for (const auto& known : scalar_keys()) {
    if (is_below(known.name, key))
      return "is a section; its keys are set one by one";
    if (is_below(key, known.name))
      return fmt::format("`{}` is one value, set as a whole", known.name);
  }
  return {};
}

} // namespace concert::config
