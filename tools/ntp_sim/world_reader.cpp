#include "config/values.hpp"
#include "tools/ntp_sim/scenario_reader.hpp"

#include <set>

namespace concert::sim {

using config::boolean;
using config::integer_within;
using config::one_of;
using config::table_reader;
using config::value_or_error;

namespace {

/// Servers that a scenario may have.
constexpr int most_servers = 1000;

value_or_error<double> drawn_number(const toml::node& node, const draws& from,
                                    std::string_view key, double low,
                                    double high) {
  const auto* list = node.as_array();
  if (list == nullptr)
    return config::number(node, low, high);
  if (list->size() != 2)
    return config::wrong(node, "a draw has two values: [low, high]");
  const auto a = config::number(*list->get(0), low, high);
  const auto b = config::number(*list->get(1), low, high);
  if (!a || !b)
    return a ? b : a;
  if (*a > *b)
    return config::wrong(node, "the first value exceeds the second");
  return *a + from.uniform(key) * (*b - *a);
}

/// When an event happens. Never drawn, so that statistics of all seeds are of
/// the same spans.
void read_span(table_reader& table, double& at_s, double& until_s) {
  const auto seconds = config::number_within(0, unlimited);
  table.required("at", at_s, seconds);
  table.optional("until", until_s, seconds);
  if (until_s != 0 && until_s <= at_s)
    table.error(table.source(), "until", "is not after `at`");
}

// -- links --------------------------------------------------------------------

void read_direction(drawing_reader r, actors::direction_options& d) {
  using actors::memory_law;
  using actors::queueing_memory;
  using actors::queueing_shape;
  r.positive("base", d.base_s);
  r.positive("jitter", d.jitter_s);
  r.table().optional(
    "shape", d.shape,
    one_of<queueing_shape>({{"exponential", queueing_shape::exponential},
                            {"gaussian", queueing_shape::gaussian},
                            {"heavy", queueing_shape::heavy},
                            {"uniform", queueing_shape::uniform},
                            {"bimodal", queueing_shape::bimodal},
                            {"exp-gauss", queueing_shape::exp_gauss},
                            {"gamma4", queueing_shape::gamma4},
                            {"triangular", queueing_shape::triangular}}));
  r.table().optional(
    "memory", d.memory,
    one_of<queueing_memory>({{"none", queueing_memory::none},
                             {"mean", queueing_memory::mean},
                             {"excess", queueing_memory::excess}}));
  r.table().optional(
    "memory-law", d.law,
    one_of<memory_law>(
      {{"ar1", memory_law::ar1}, {"self-similar", memory_law::self_similar}}));
  r.number("memory-time", d.memory_s, 1e-3);
  r.positive("memory-sd", d.memory_sd);
  r.number("daily-factor", d.daily_factor, 1e-3, 1e3);
  r.share("floor-sine", d.floor_sine);
  r.number("floor-period", d.floor_period_s, 1);
  r.share("floor-walk", d.floor_walk);
  r.share("short-share", d.short_share);
  r.positive("short", d.short_s);
  r.share("late-share", d.late_share);
  r.positive("late", d.late_s);
  r.share("loss", d.loss);
}

void read_one_direction(drawing_reader& link, std::string_view key,
                        actors::direction_options& d) {
  auto table = link.table().section(key, fmt::format("link.{}", key));
  read_direction({table, link.from().within(key)}, d);
  table.reject_unknown();
}

actors::link_event read_link_event(drawing_reader r) {
  actors::link_event e;
  read_span(r.table(), e.at_s, e.until_s);
  r.table().optional("every", e.every_s, config::number_within(0, unlimited));
  r.number("forward-base", e.forward_base_s);
  r.number("backward-base", e.backward_base_s);
  r.positive("forward-factor", e.forward_factor);
  r.positive("backward-factor", e.backward_factor);
  r.table().optional("cut", e.cut, boolean);
  if (e.every_s != 0 && (e.until_s == 0 || e.every_s < e.until_s - e.at_s))
    r.table().error(r.table().source(), "every",
                    "must be longer than the event, which needs an `until`");
  r.table().reject_unknown();
  return e;
}

void read_congestion(drawing_reader& link, actors::random_congestion& c) {
  auto table = link.table().section("congestion", "link.congestion");
  drawing_reader r{table, link.from().within("congestion")};
  r.positive("every", c.every_s);
  r.positive("least", c.least_s);
  r.positive("most", c.most_s);
  r.positive("excess", c.excess_s);
  r.positive("factor", c.factor);
  if (c.least_s > c.most_s)
    table.error(table.source(), "least", "exceeds `most`");
  table.reject_unknown();
}

void read_routes(drawing_reader& link, actors::random_routes& routes) {
  auto table = link.table().section("routes", "link.routes");
  drawing_reader r{table, link.from().within("routes")};
  table.optional("count", routes.count, integer_within<int>(0, 10000));
  r.positive("least", routes.least_s);
  r.positive("most", routes.most_s);
  if (routes.least_s > routes.most_s)
    table.error(table.source(), "least", "exceeds `most`");
  table.reject_unknown();
}

void make_asymmetric(drawing_reader& r, actors::link_options& link) {
  double share = 0;
  r.share("asymmetry", share);
  if (r.from().uniform("asymmetry's sign") < 0.5)
    share = -share;
  link.forward.base_s *= 1 + share;
  link.backward.base_s *= 1 - share;
}

value_or_error<std::string> stamp_word(const toml::node& node) {
  return one_of<std::string>({{"kernel", "kernel"},
                              {"hardware", "hardware"},
                              {"daemon", "daemon"}})(node);
}

void read_link(table_reader table, const draws& from,
               actors::link_options& link) {
  drawing_reader r{table, from};
  read_direction(r, link.forward);
  link.backward = link.forward;
  read_one_direction(r, "forward", link.forward);
  read_one_direction(r, "backward", link.backward);
  make_asymmetric(r, link);
  r.share("duplication", link.duplication);
  table.optional("stamps", link.stamps, stamp_word);
  r.share("daemon-share", link.daemon_share);
  r.positive("daemon-late", link.daemon_late_s);
  read_congestion(r, link.congestion);
  read_routes(r, link.routes);
  int number = 0;
  for (auto& event : table.sections("event"))
    link.events.push_back(
      read_link_event({event, from.within(fmt::format("event {}", ++number))}));
  table.reject_unknown();
}

// -- servers ------------------------------------------------------------------

value_or_error<std::string> address_text(const toml::node& node) {
  return config::address(node).map(
    [](const ntp::ip_address& a) { return a.to_string(); });
}

value_or_error<std::string> leap_word(const toml::node& node) {
  return one_of<std::string>(
    {{"none", "none"}, {"insert", "insert"}, {"delete", "delete"}})(node);
}

actors::server_event read_server_event(drawing_reader r) {
  actors::server_event e;
  read_span(r.table(), e.at_s, e.until_s);
  r.number("step", e.step_s);
  r.number("drift", e.drift);
  r.table().optional("silent", e.silent, boolean);
  r.table().optional("unsynchronized", e.unsynchronized, boolean);
  r.table().reject_unknown();
  return e;
}

actors::server_model_options read_server(table_reader& table,
                                         const draws& from) {
  actors::server_model_options s;
  drawing_reader r{table, from};
  table.find("count");
  table.optional("address", s.address, address_text);
  r.number("error", s.error_s);
  r.number("drift", s.drift);
  r.positive("wander", s.wander_s);
  r.number("wander-time", s.wander_time_s, 1);
  table.optional("stratum", s.stratum, integer_within<std::uint8_t>(0, 16));
  r.positive("root-delay", s.root_delay_s);
  r.positive("root-dispersion", s.root_dispersion_s);
  table.optional("leap", s.leap, leap_word);
  table.optional("rate-every", s.rate_every, integer_within<int>(0, 1000000));
  int number = 0;
  for (auto& event : table.sections("event"))
    s.events.push_back(read_server_event(
      {event, from.within(fmt::format("event {}", ++number))}));
  read_link(table.section("link", "link"), from.within("link"), s.link);
  table.reject_unknown();
  return s;
}

void read_servers(table_reader& top, const draws& from,
                  actors::world_options& world) {
  std::set<std::string> addresses;
  for (auto& table : top.sections("server")) {
    int count = 1;
    table.optional("count", count, integer_within<int>(1, most_servers));
    const bool named = table.find("address") != nullptr;
    if (named && count != 1)
      table.error(table.source(), "address", "stands for one server only");
    for (int i = 0; i < count && world.servers.size() < most_servers; ++i) {
      const auto number = world.servers.size() + 1;
      auto server
        = read_server(table, from.within(fmt::format("server {}", number)));
      if (server.address.empty())
        server.address
          = fmt::format("10.1.{}.{}", number / 250, number % 250 + 1);
      if (!addresses.insert(server.address).second)
        table.error(table.source(), "address", "is that of another server");
      world.servers.push_back(std::move(server));
      // Errors of one entry are said once.
      if (top.found().has_errors())
        break;
    }
  }
}

// -- machine ------------------------------------------------------------------

actors::machine_event read_machine_event(drawing_reader r) {
  using kind = actors::machine_event::kind;
  actors::machine_event e;
  auto& table = r.table();
  table.required("at", e.at_s, config::number_within(0, unlimited));
  table.required("what", e.what,
                 one_of<kind>({{"step", kind::step},
                               {"step-oscillator", kind::step_oscillator},
                               {"frequency", kind::frequency},
                               {"suspend", kind::suspend},
                               {"pause", kind::pause},
                               {"restart", kind::restart}}));
  r.number("value", e.value);
  if (e.what != kind::restart && table.find("value") == nullptr)
    table.error(table.source(), "value", "is missing");
  const bool lasts = e.what == kind::suspend || e.what == kind::pause;
  if (lasts && e.value < 0)
    table.error(table.source(), "value", "is a length, and negative");
  table.reject_unknown();
  return e;
}

void read_machine(table_reader table, const draws& from,
                  actors::machine_options& m) {
  drawing_reader r{table, from};
  r.number("offset", m.offset_s, -1e6, 1e6);
  r.number("frequency", m.frequency, -0.1, 0.1);
  r.number("wander", m.wander, 0, 1e-3);
  r.number("sine", m.sine, -1e-3, 1e-3);
  r.number("sine-period", m.sine_period_s, 1);
  r.number("square", m.square, -1e-3, 1e-3);
  r.number("square-period", m.square_period_s, 1);
  r.positive("square-lag", m.square_lag_s);
  int number = 0;
  for (auto& event : table.sections("event"))
    m.events.push_back(read_machine_event(
      {event, from.within(fmt::format("event {}", ++number))}));
  table.reject_unknown();
}

actors::name_options read_name(table_reader& table) {
  actors::name_options n;
  table.required("host", n.host, config::text);
  table.required("addresses", n.addresses, config::array_of(address_text));
  table.reject_unknown();
  return n;
}

} // namespace

void drawing_reader::number(std::string_view key, double& field, double low,
                            double high) {
  table_->optional(key, field, [&](const toml::node& node) {
    return drawn_number(node, from_, key, low, high);
  });
}

actors::world_options read_world(table_reader& top, const draws& from) {
  actors::world_options world;
  read_machine(top.section("machine", "[machine]"), from.within("machine"),
               world.machine);
  read_servers(top, from, world);
  for (auto& table : top.sections("name"))
    world.names.push_back(read_name(table));
  return world;
}

} // namespace concert::sim
