#include "config/schema.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concert::config {

namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

/// Seconds ≥ 0, or "inf".
value_or_error<double> seconds_or_inf(const toml::node& node) {
  if (node.value_exact<std::string_view>() == "inf")
    return unlimited;
  if (!node.is_number())
    return expected_kind("a number of seconds or \"inf\"", node);
  const double value = node.value_or(std::nan(""));
  if (!(value >= 0))
    return wrong(node, fmt::format("must not be negative, found {}", value));
  return value;
}

/// A number for both directions, or `{ forward, backward }` in which a missing
/// one is unlimited.
void read_threshold(table_reader& parent, std::string_view key,
                    ntp::step_threshold& field) {
  const auto* node = parent.find(key);
  if (node == nullptr)
    return;
  ntp::step_threshold read;
  if (node->is_table()) {
    auto section
      = parent.section(key, fmt::format("{} = {{ forward, backward }}", key));
    section.optional("forward", read.forward_s, seconds_or_inf);
    section.optional("backward", read.backward_s, seconds_or_inf);
    section.reject_unknown();
  } else {
    parent.optional(key, read.forward_s, seconds_or_inf);
    read.backward_s = read.forward_s;
  }
  field = read;
}

void read_panic_thresholds(table_reader& section,
                           ntp::steering_config& steering) {
  read_threshold(section, "single-step-panic-threshold",
                 steering.single_step_panic_threshold);
  read_threshold(section, "startup-step-panic-threshold",
                 steering.startup_step_panic_threshold);
  double accumulated = 0;
  section.optional("accumulated-step-panic-threshold", accumulated,
                   seconds_or_inf);
  if (accumulated > 0 && std::isfinite(accumulated))
    steering.accumulated_step_panic_threshold_s = accumulated;
}

/// Up to four ASCII characters, left-justified and padded with zeros
/// (RFC 5905 §7.3, reference ID).
value_or_error<std::uint32_t> reference_id(const toml::node& node) {
  const auto read = text(node);
  if (!read)
    return tl::unexpected{read.error()};
  const auto printable_ascii = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (read->size() > 4
      || !std::all_of(read->begin(), read->end(), printable_ascii))
    return wrong(node, fmt::format("must be at most 4 ASCII characters, found "
                                   "\"{}\"",
                                   printable(*read)));
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < 4; ++i)
    id = id << 8
         | (i < read->size() ? static_cast<unsigned char>((*read)[i]) : 0U);
  return id;
}

/// 0 is what ntpd-rs takes for "no minimum"; it takes one source all the same.
value_or_error<std::uint32_t> agreeing_sources(const toml::node& node) {
  return integer(node, 0, 1000).map([](std::int64_t count) {
    return static_cast<std::uint32_t>(std::max<std::int64_t>(count, 1));
  });
}

void read_algorithm(table_reader& parent, ntp::steering_config& steering) {
  auto section = parent.section("algorithm", "[synchronization.algorithm]");
  section.optional("initial-wander", steering.initial_wander,
                   number_within(0, 1e-3));
  section.optional("slew-length", steering.slew_polls, number_within(0.05, 4));
  section.optional("poll-tolerance", steering.poll_tolerance,
                   number_within(0.1, 100));
  const double most_slew = steering.max_slew;
  double slew = most_slew;
  const auto* given = section.optional("slew-maximum-frequency-offset", slew,
                                       number_within(1e-6, 1));
  steering.max_slew = std::min(slew, most_slew);
  if (given != nullptr && slew > most_slew)
    section.warning(given->source(), "slew-maximum-frequency-offset",
                    fmt::format("{} is more than Concert ever slews; {} is "
                                "used",
                                slew, most_slew));
  section.no_effect(
    {"precision-low-probability",  "precision-high-probability",
     "precision-hysteresis",       "precision-minimum-weight",
     "poll-interval-low-weight",   "poll-interval-high-weight",
     "poll-interval-hysteresis",   "poll-interval-step-threshold",
     "delay-outlier-threshold",    "initial-frequency-uncertainty",
     "maximum-source-uncertainty", "range-statistical-weight",
     "range-delay-weight",         "steer-offset-threshold",
     "steer-offset-leftover",      "steer-frequency-threshold",
     "steer-frequency-leftover",   "step-threshold",
     "slew-minimum-duration",      "maximum-frequency-steer",
     "ignore-server-dispersion",   "meddling-threshold"},
    "has no effect: Concert's clock algorithm has no such setting");
  section.reject_unknown();
}

/// A key that may stand at the top level or in `[synchronization]`.
template <class Field, class Reader>
void in_either(table_reader& top, table_reader& section, std::string_view key,
               Field& field, Reader reader) {
  const auto* above = top.optional(key, field, reader);
  const auto* here = section.optional(key, field, reader);
  if (above != nullptr && here != nullptr)
    section.error(
      here->source(), key,
      fmt::format("is also given at {}", to_string(above->source())));
}

} // namespace

void read_synchronization(table_reader& top, daemon_config& config) {
  auto section = top.section("synchronization", "[synchronization]");
  auto& steering = config.steering;
  section.optional("minimum-agreeing-sources",
                   steering.minimum_agreeing_sources, agreeing_sources);
  read_panic_thresholds(section, steering);
  section.optional("warn-on-jump", steering.warn_on_jump, boolean);
  section.optional("local-stratum", steering.local_stratum,
                   integer_within<std::uint8_t>(1, 16));
  section.optional("reference-id", steering.reference_id, reference_id);
  section.optional("combine-limit", steering.combine_limit,
                   integer_within<std::uint8_t>(1, 8));
  read_algorithm(section, steering);
  in_either(top, section, "max-error", steering.max_error_s,
            number_within(1e-6, 1e6));
  in_either(top, section, "on-panic", steering.exit_on_panic,
            one_of(on_panic_words()));
  in_either(top, section, "state-file", config.state_file, path);
  in_either(top, section, "leap-seconds-file", config.leap_seconds_file, path);
  in_either(top, section, "user", config.user, text);
  section.reject_unknown();
}

} // namespace concert::config
