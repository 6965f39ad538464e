#include "config/schema.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <initializer_list>

namespace concert::config {

namespace {

/// Bounds of poll exponents, log2 s.
constexpr std::int8_t shortest_poll = 0;
constexpr std::int8_t longest_poll = 17;

auto exponent() {
  return integer_within<std::int8_t>(shortest_poll, longest_poll);
}

/// The poll keys of one `[[source]]` or of `[source-defaults]`.
struct poll_keys {
  std::optional<std::int8_t> min;
  std::optional<std::int8_t> max;
  std::optional<std::int8_t> initial;
  toml::source_region where; ///< of the limits, or else of the section
};

void reject_reversed(table_reader& section, const toml::source_region& where,
                     int low, int high) {
  section.found().error(where,
                        fmt::format("the minimum poll interval {} exceeds the "
                                    "maximum {}",
                                    low, high));
}

/// The short form of a limit; returns it if it is there.
const toml::node* read_short_form(table_reader& section, std::string_view key,
                                  std::optional<std::int8_t>& field,
                                  const toml::node* long_form) {
  const auto* node = section.optional(key, field, exponent());
  if (node != nullptr && long_form != nullptr)
    section.error(node->source(), key,
                  "is also given by `poll-interval-limits`");
  return node;
}

/// `poll-interval-limits` with its short forms `minpoll` and `maxpoll`, and
/// `initial-poll-interval`. Limits that contradict each other are dropped.
poll_keys read_poll_keys(table_reader& section) {
  poll_keys keys;
  auto limits = section.section("poll-interval-limits",
                                "poll-interval-limits = { min, max }");
  const auto* long_min = limits.optional("min", keys.min, exponent());
  const auto* long_max = limits.optional("max", keys.max, exponent());
  limits.reject_unknown();
  keys.where = limits.present() ? limits.source() : section.source();
  for (const auto* node :
       {read_short_form(section, "minpoll", keys.min, long_min),
        read_short_form(section, "maxpoll", keys.max, long_max)}) {
    if (node != nullptr)
      keys.where = node->source();
  }
  if (keys.min && keys.max && *keys.min > *keys.max) {
    reject_reversed(section, keys.where, *keys.min, *keys.max);
    keys.min.reset();
    keys.max.reset();
  }
  section.optional("initial-poll-interval", keys.initial, exponent());
  return keys;
}

/// A limit that nobody set gives way to one that somebody did set.
void settle_open_limit(source_config& source) {
  constexpr poll_limits usual;
  if (source.min_poll && !source.max_poll && *source.min_poll > usual.max)
    source.max_poll = source.min_poll;
  if (source.max_poll && !source.min_poll && *source.max_poll < usual.min)
    source.min_poll = source.max_poll;
}

void apply_poll_keys(table_reader& section, const poll_keys& own,
                     const source_defaults& defaults, source_config& source) {
  source.min_poll = own.min ? own.min : defaults.min_poll;
  source.max_poll = own.max ? own.max : defaults.max_poll;
  source.initial_poll = own.initial ? own.initial : defaults.initial_poll;
  settle_open_limit(source);
  const std::int8_t low = source.min_poll.value_or(shortest_poll);
  const std::int8_t high = source.max_poll.value_or(longest_poll);
  if (low > high) {
    reject_reversed(section, own.where, low, high);
    return;
  }
  if (!source.initial_poll)
    return;
  const std::int8_t wanted = *source.initial_poll;
  const std::int8_t initial = std::clamp(wanted, low, high);
  source.initial_poll = initial;
  if (own.initial && initial != wanted)
    section.warning(section.source(), "initial-poll-interval",
                    fmt::format("{} lies outside the limits {} to {}; {} is "
                                "used",
                                wanted, low, high, initial));
}

/// What the entry says of its mode. Nothing when the rest cannot be read: the
/// mode is unknown, or one of a later version.
std::optional<source_mode> read_mode(table_reader& section) {
  const auto* node = section.find("mode");
  const auto word
    = node == nullptr ? std::nullopt : node->value_exact<std::string_view>();
  constexpr std::string_view later[] = {"sock", "pps", "csptp"};
  if (word
      && std::find(std::begin(later), std::end(later), *word)
           != std::end(later)) {
    section.error(node->source(), "mode",
                  fmt::format("\"{}\" is not supported yet", *word));
    return std::nullopt;
  }
  source_mode mode{};
  if (section.required("mode", mode, one_of(source_mode_words())) == nullptr)
    return std::nullopt;
  return mode;
}

value_or_error<std::uint8_t> source_version(const toml::node& node) {
  if (node.value_exact<std::string_view>() == "auto")
    return wrong(node, "\"auto\" is not supported yet");
  if (node.value_exact<std::int64_t>() == 5)
    return wrong(node, "5 is not supported yet");
  return integer_within<std::uint8_t>(3, 4)(node);
}

void read_version(table_reader& section, source_config& source) {
  const auto* node
    = section.optional("ntp-version", source.ntp_version, source_version);
  if (node != nullptr && has_nts(source.mode) && source.ntp_version != 4)
    section.error(node->source(), "ntp-version", "must be 4 with NTS");
}

void reject_keys(table_reader& section,
                 std::initializer_list<std::string_view> keys,
                 std::string_view why) {
  for (const auto key : keys) {
    if (const auto* node = section.find(key))
      section.error(node->source(), key, why);
  }
}

void read_pool_keys(table_reader& section, source_config& source) {
  if (!is_pool(source.mode)) {
    reject_keys(section, {"count", "ignore"},
                "is for mode = \"pool\" or \"nts-pool\" only");
    return;
  }
  section.optional("count", source.count, integer_within<std::uint32_t>(1, 64));
  section.optional("ignore", source.ignore, array_of(address));
}

void read_nts_keys(table_reader& section, source_config& source) {
  if (!has_nts(source.mode)) {
    reject_keys(section,
                {"certificate-authority", "certificate-time-check", "aeads",
                 "enable-srv-resolution"},
                "is for mode = \"nts\" or \"nts-pool\" only");
    return;
  }
  auto& nts = source.nts;
  section.optional("certificate-authority", nts.certificate_authorities,
                   one_or_more_paths);
  section.optional("certificate-time-check", nts.time_check,
                   one_of(time_check_words()));
  section.optional("aeads", nts.aeads, aeads);
  bool srv = false;
  const auto* node = section.optional("enable-srv-resolution", srv, boolean);
  if (srv)
    section.error(node->source(), "enable-srv-resolution",
                  "is not supported yet");
}

source_defaults read_defaults(table_reader&& section) {
  source_defaults defaults;
  const auto polls = read_poll_keys(section);
  defaults.min_poll = polls.min;
  defaults.max_poll = polls.max;
  defaults.initial_poll = polls.initial;
  section.optional("interleaved", defaults.interleaved, boolean);
  section.reject_unknown();
  return defaults;
}

std::optional<source_config> read_source(table_reader& section,
                                         const source_defaults& defaults) {
  const auto mode = read_mode(section);
  if (!mode)
    return std::nullopt;
  source_config source;
  source.mode = *mode;
  section.required(
    "address", source.address,
    host_or(has_nts(source.mode) ? default_nts_ke_port : default_ntp_port));
  read_pool_keys(section, source);
  read_nts_keys(section, source);
  read_version(section, source);
  apply_poll_keys(section, read_poll_keys(section), defaults, source);
  section.optional("iburst", source.iburst, boolean);
  section.optional("prefer", source.prefer, boolean);
  section.optional("noselect", source.noselect, boolean);
  source.interleaved = defaults.interleaved;
  section.optional("interleaved", source.interleaved, boolean);
  section.optional("offset", source.offset_s, number_within(-3600, 3600));
  section.optional("offline", source.offline, boolean);
  section.reject_unknown();
  return source;
}

} // namespace

void read_sources(table_reader& top, daemon_config& config) {
  config.defaults
    = read_defaults(top.section("source-defaults", "[source-defaults]"));
  for (auto& entry : top.sections("source")) {
    if (auto source = read_source(entry, config.defaults))
      config.sources.push_back(std::move(*source));
  }
}

} // namespace concert::config
