#include "tools/ntp_sim/scenario_reader.hpp"

#include "config/values.hpp"

#include <cmath>
#include <utility>

namespace concert::sim {

using config::boolean;
using config::integer_within;
using config::number_within;
using config::table_reader;
using config::value_or_error;

namespace {

constexpr double longest_s = 10 * 365.25 * 86400;
/// Runs beyond this are looked into less often.
constexpr double long_run_s = 200'000;

auto positive_number() {
  return number_within(0, unlimited);
}

/// Text that may be empty.
value_or_error<std::string> any_text(const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  if (!value)
    return config::expected_kind("a string", node);
  return *value;
}

value_or_error<std::pair<double, double>> two_numbers(const toml::node& node) {
  const auto list
    = config::array_of(number_within(-unlimited, unlimited))(node);
  if (!list)
    return tl::unexpected{list.error()};
  if (list->size() != 2 || (*list)[0] > (*list)[1])
    return config::wrong(node, "expected [low, high]");
  return std::pair{(*list)[0], (*list)[1]};
}

value_or_error<std::pair<std::int8_t, std::int8_t>>
poll_range(const toml::node& node) {
  const auto exponent = integer_within<std::int8_t>(0, 17);
  if (!node.is_array())
    return exponent(node).map([](std::int8_t p) { return std::pair{p, p}; });
  const auto list = config::array_of(exponent)(node);
  if (!list)
    return tl::unexpected{list.error()};
  if (list->size() != 2 || (*list)[0] > (*list)[1])
    return config::wrong(node, "expected [minimum, maximum]");
  return std::pair{(*list)[0], (*list)[1]};
}

void read_times(table_reader& top, scenario& s) {
  top.required("duration", s.duration_s, number_within(1, longest_s));
  s.settle_s = s.duration_s / 2;
  const auto* settle
    = top.optional("settle", s.settle_s, number_within(0, longest_s));
  if (settle != nullptr && s.settle_s >= s.duration_s)
    top.error(settle->source(), "settle", "is not before the end");
  s.look_s = s.duration_s > long_run_s ? 16 : 1;
  top.optional("look", s.look_s, integer_within<int>(1, 3600));
  std::pair<std::int8_t, std::int8_t> poll{s.min_poll, s.max_poll};
  top.optional("poll", poll, poll_range);
  std::tie(s.min_poll, s.max_poll) = poll;
}

void read_flags(table_reader& top, scenario& s) {
  top.optional("iburst", s.iburst, boolean);
  top.optional("chain", s.chain, integer_within<int>(1, 15));
  top.optional("sources", s.sources, boolean);
  top.optional("config", s.config, any_text);
  top.optional("lock-level", s.lock_level_s, positive_number());
  top.optional("cost", s.costly,
               config::one_of<bool>({{"low", false}, {"high", true}}));
  top.optional("aside", s.aside, boolean);
  top.optional("baselines", s.baselines, boolean);
}

void read_reference(table_reader& top, reference_figures& r) {
  auto table = top.section("reference", "[reference]");
  table.optional("bound", r.bound, positive_number());
  auto chrony = table.section("chrony", "reference.chrony");
  chrony.optional("rms", r.chrony.rms, positive_number());
  chrony.optional("max", r.chrony.max, positive_number());
  chrony.optional("p999", r.chrony.p999, positive_number());
  chrony.optional("frequency", r.chrony.frequency, positive_number());
  chrony.optional("first-lock", r.chrony.first_lock, positive_number());
  chrony.optional("first-lock-worst", r.chrony.first_lock_worst,
                  positive_number());
  chrony.optional("packets", r.chrony.packets, positive_number());
  chrony.reject_unknown();
  auto prototype = table.section("prototype", "reference.prototype");
  prototype.optional("rms", r.prototype.rms, positive_number());
  prototype.optional("max", r.prototype.max, positive_number());
  prototype.optional("p999", r.prototype.p999, positive_number());
  prototype.reject_unknown();
  table.reject_unknown();
}

void read_limit(table_reader& table, const measure& what, const scenario& s,
                std::vector<limit>& limits) {
  limit l{&what, {}, 0};
  const toml::node* node = nullptr;
  if (what.name == "consistency") {
    std::pair<double, double> range;
    node = table.optional(what.name, range, two_numbers);
    l.low = range.first;
    l.high = range.second;
  } else {
    node
      = table.optional(what.name, l.high, number_within(-unlimited, unlimited));
  }
  if (node == nullptr)
    return;
  // A figure of 1 for all that is ours: what is still missing is theirs.
  figures any;
  any.consistency = any.first_lock_median = any.first_lock_worst
    = any.selection_changes_per_day = 1;
  any.rms = 1;
  if (!what.needs.empty() && !what.of(any, s.reference))
    table.error(node->source(), what.name,
                fmt::format("needs `{}` in [reference]", what.needs));
  else
    limits.push_back(l);
}

void read_limits(table_reader& top, scenario& s) {
  auto table = top.section("limits", "[limits]");
  for (const auto& what : measures())
    read_limit(table, what, s, s.limits);
  table.reject_unknown();
}

void read_exceptions(table_reader& top, std::vector<window>& windows) {
  for (auto& table : top.sections("except")) {
    window w;
    table.required("from", w.from_s, positive_number());
    table.required("until", w.until_s, positive_number());
    if (w.until_s <= w.from_s)
      table.error(table.source(), "until", "is not after `from`");
    table.reject_unknown();
    windows.push_back(w);
  }
}

/// What is right key by key and wrong together.
void check_whole(table_reader& top, const scenario& s) {
  const auto where = top.source();
  if (s.world.servers.empty())
    top.found().error(where, "there is no [[server]]");
  if (s.chain > 1 && s.world.servers.empty())
    top.found().error(where, "a chain needs a [[server]]");
  if (!s.sources && s.config.empty())
    top.found().error(where, "`sources` is false: `config` must have its own");
}

} // namespace

scenario read_scenario(const toml::table& table, const std::string& name,
                       const draws& from, config::diagnostics& found) {
  scenario s;
  s.name = name;
  table_reader top{&table, "", found};
  top.required("title", s.title, config::text);
  top.required("group", s.group, config::text);
  read_times(top, s);
  read_flags(top, s);
  s.world = read_world(top, from);
  read_reference(top, s.reference);
  if (!s.lock_level_s && s.reference.chrony.rms)
    s.lock_level_s = 5 * *s.reference.chrony.rms;
  read_limits(top, s);
  read_exceptions(top, s.exceptions);
  top.reject_unknown();
  if (!found.has_errors())
    check_whole(top, s);
  return s;
}

} // namespace concert::sim
