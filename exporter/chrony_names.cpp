#include "exporter/chrony_names.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>

namespace concert::exporter {

namespace {

using enum metric_type;

/// One value of the clock, under a name that begins with chrony_tracking_.
struct tracking_value {
  family of;
  std::optional<double> value;
};

std::optional<double> scaled(const std::optional<double>& value, double by) {
  return value ? std::optional{*value * by} : std::nullopt;
}

void add_tracking(exposition& text, const reading& r) {
  const auto& s = r.observed->system;
  text.add({"chrony_tracking", info, "", "Reference in use."},
           {{"tracking_refid", fmt::format("{:08X}", s.reference_id)}},
           std::uint64_t{1});
  const std::array values{
    tracking_value{{"chrony_tracking_stratum", gauge, "", "Stratum."},
                   s.stratum ? std::optional{static_cast<double>(*s.stratum)}
                             : std::nullopt},
    tracking_value{{"chrony_tracking_system_time_seconds", gauge, "seconds",
                    "Correction that remains; positive when the clock is "
                    "slow."},
                   s.offset_s},
    // The sign is chrony's: positive when the clock is fast.
    tracking_value{{"chrony_tracking_last_offset_seconds", gauge, "seconds",
                    "Clock less agreed time."},
                   scaled(s.offset_s, -1)},
    tracking_value{{"chrony_tracking_root_delay_seconds", gauge, "seconds",
                    "Round trip to the reference."},
                   s.root_delay_s},
    tracking_value{{"chrony_tracking_root_dispersion_seconds", gauge, "seconds",
                    "Dispersion at the reference."},
                   s.root_dispersion_s},
    tracking_value{{"chrony_tracking_frequency_ppms", gauge, "ppms",
                    "Correction of the frequency."},
                   scaled(s.frequency, 1e6)},
    tracking_value{{"chrony_tracking_skew_ppms", gauge, "ppms",
                    "Uncertainty of the frequency."},
                   scaled(s.frequency_uncertainty, 1e6)},
    tracking_value{{"chrony_tracking_reference_timestamp_seconds", gauge,
                    "seconds", "Unix time of the last update."},
                   s.last_update_age_s
                     ? std::optional{r.at_s - *s.last_update_age_s}
                     : std::nullopt}};
  for (const auto& v : values)
    if (v.value)
      text.add(v.of, {}, *v.value);
}

void add_sources(exposition& text, const reading& r) {
  const auto each = [&](const family& f, const auto& value_of) {
    for (const auto& s : r.observed->sources)
      if (const std::optional<double> value = value_of(s))
        text.add(f, {{"source_address", s.address}, {"source_name", s.name}},
                 *value);
  };
  using source = ctl::observed_source;
  each({"chrony_sources_last_sample_age_seconds", gauge, "seconds",
        "Time since the last measurement."},
       [](const source& s) { return s.last_sample_age_s; });
  each({"chrony_sources_last_sample_offset_seconds", gauge, "seconds",
        "Our time less that of the source."},
       [](const source& s) { return scaled(s.offset_s, -1); });
  each({"chrony_sources_last_sample_error_margin_seconds", gauge, "seconds",
        "Half of the round trip."},
       [](const source& s) { return scaled(s.delay_s, 0.5); });
  each({"chrony_sources_polling_interval_seconds", gauge, "seconds",
        "Time between polls."},
       [](const source& s) -> std::optional<double> {
         return s.poll ? std::optional{std::exp2(static_cast<double>(*s.poll))}
                       : std::nullopt;
       });
  each({"chrony_sources_reachability_ratio", gauge, "ratio",
        "Part of the last eight polls that was answered."},
       [](const source& s) -> std::optional<double> {
         if (!s.reachability)
           return {};
         return std::popcount(*s.reachability & 0xff) / 8.0;
       });
  each({"chrony_sources_stratum", gauge, "", "Stratum of the source."},
       [](const source& s) -> std::optional<double> {
         return s.stratum ? std::optional{static_cast<double>(*s.stratum)}
                          : std::nullopt;
       });
}

} // namespace

void add_chrony_names(exposition& text, const reading& r) {
  text.add({"chrony_up", gauge, "", "Whether the daemon answers."}, {},
           std::uint64_t{r.observed.has_value()});
  if (!r.observed)
    return;
  add_tracking(text, r);
  add_sources(text, r);
}

} // namespace concert::exporter
