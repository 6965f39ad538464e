#include "actors/inspector.hpp"

#include "actors/interfaces.hpp"
#include "actors/trace_follower.hpp"
#include "actors/type_name.hpp"
#include "ctl/format.hpp"
#include "platform/log.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace concert::actors {

namespace {

using ctl::control_answer;
using ctl::control_refusal;
using ctl::control_request;

constexpr double longest_stick_s = 60;
constexpr std::uint32_t largest_fill = 100'000;

control_answer refuse(control_refusal why, std::string text) {
  return {{}, ctl::control_problem{why, std::move(text)}, false};
}

std::string name_of_message(const std::type_info& type) {
  return type == typeid(other_types) ? "(others)" : type_name(type);
}

std::vector<ctl::message_status> messages_of(const actor_stats& stats) {
  constexpr auto relaxed = std::memory_order_relaxed;
  std::vector<ctl::message_status> result;
  for (const auto& slot : stats.types)
    if (const auto* type = slot.type.load(relaxed))
      result.push_back(
        {name_of_message(*type), slot.handled.load(relaxed),
         static_cast<double>(slot.slowest_ns.load(relaxed)) * 1e-9});
  return result;
}

ctl::actor_status status_of(const actor_stats& stats) {
  ctl::actor_status result;
  result.id = stats.who.id;
  result.kind = stats.who.kind;
  result.name = stats.who.name;
  result.parent = stats.who.parent;
  result.placement = stats.who.placement;
  if (!stats.enabled)
    return result;
  const auto now = actor_stats::clock::now();
  result.uptime_s = ntp::seconds_of(now - stats.born);
  result.mailbox_depth = stats.mailbox_depth();
  result.handled = stats.handled();
  result.restarts = stats.restarts;
  if (const auto held = stats.handling(); held.type != nullptr) {
    result.handling = name_of_message(*held.type);
    result.handling_s = std::max(ntp::seconds_of(now - held.since), 0.0);
  }
  result.last_error = stats.last_error();
  result.messages = messages_of(stats);
  result.wait = stats.wait.read();
  result.handling_time = stats.handling_time.read();
  return result;
}

control_answer describe(actor_registry& registry,
                        const control_request& request) {
  const auto found = registry.find(request.actors);
  if (found.empty())
    return refuse(control_refusal::not_found, "there is no such actor");
  ctl::actors_status status;
  status.enabled = registry.keeps_statistics();
  for (const auto& actor : found)
    status.actors.push_back(status_of(*actor));
  auto text = ctl::to_json(status);
  // The answer's own members take some octets more.
  if (text.size() + 1024 > ctl::max_answer)
    return refuse(control_refusal::failed,
                  fmt::format("{} actors are too many for one answer: name "
                              "some, by kind, name or number",
                              found.size()));
  return {std::move(text), {}, false};
}

// -- faults on purpose --------------------------------------------------------

std::optional<std::uint32_t> count_of(std::string_view text) {
  std::uint32_t result = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, result);
  if (error != std::errc{} || stop != end || result == 0
      || result > largest_fill)
    return {};
  return result;
}

/// What `value` wants done to an actor; nothing if it is not understood.
std::function<void(actor_stats&)> fault_of(std::string_view value) {
  const auto space = value.find(' ');
  const auto verb = value.substr(0, space);
  const auto argument = space == std::string_view::npos
                          ? std::string_view{}
                          : value.substr(space + 1);
  if (verb == "stick") {
    const auto s = ctl::parse_span(argument);
    if (!s || *s > longest_stick_s)
      return {};
    return [d = std::chrono::nanoseconds{static_cast<std::int64_t>(*s * 1e9)}](
             actor_stats& a) {
      a.inject(fault::stick, d);
      a.poke(1);
    };
  }
  if (verb == "kill" && argument.empty())
    return [](actor_stats& a) {
      a.inject(fault::kill, {});
      a.poke(1);
    };
  if (verb == "fill")
    if (const auto n = count_of(argument))
      return [n = *n](actor_stats& a) { a.poke(n); };
  return {};
}

control_answer inject(actor_registry& registry,
                      const config::control_config& config,
                      const control_request& request) {
  if (!config.fault_injection)
    return refuse(control_refusal::not_now,
                  "faults on purpose are not allowed here: the configuration "
                  "would need fault-injection = true in [control]");
  if (!registry.keeps_statistics())
    return refuse(control_refusal::not_now,
                  "the inspector is switched off (inspector in [control])");
  if (request.actors.empty())
    return refuse(control_refusal::invalid,
                  "say which actor: a kind, a name or a number");
  const auto apply = fault_of(request.value);
  if (!apply)
    return refuse(control_refusal::invalid,
                  fmt::format("\"{}\" is none of \"stick TIME\" (up to 60s), "
                              "\"kill\" and \"fill NUMBER\" (up to {})",
                              request.value, largest_fill));
  const auto found = registry.find(request.actors);
  if (found.empty())
    return refuse(control_refusal::not_found, "there is no such actor");
  for (const auto& actor : found) {
    platform::log::warning(
      "fault-injected", "fault=\"{}\" actor={} name=\"{}\" id={}",
      request.value, actor->who.kind, actor->who.name, actor->who.id);
    apply(*actor);
  }
  return {fmt::format("{{\"actors\":{}}}", found.size()), {}, false};
}

// -- the map ------------------------------------------------------------------

std::string join(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// One message of an interface, from CAF's type for it.
template <class Signature>
struct signature;
template <class... In, class... Out>
struct signature<
  caf::typed_mpi<caf::detail::type_list<In...>, caf::output_tuple<Out...>>> {
  static std::pair<std::string, std::string> read() {
    std::vector<std::string> answer;
    if constexpr (!(std::is_void_v<Out> && ...))
      answer = {type_name(typeid(Out))...};
    return {join({type_name(typeid(In))...}), join(answer)};
  }
};

template <class Interface>
struct interface;
template <class... Signatures>
struct interface<caf::typed_actor<Signatures...>> {
  static ctl::interface_status read(std::string kind) {
    return {std::move(kind), {signature<Signatures>::read()...}};
  }
};

} // namespace

control_answer inspect(runtime& rt, const config::control_config& config,
                       const control_request& request) {
  switch (request.what) {
    case ctl::control_verb::actors:
      return describe(rt.registry(), request);
    case ctl::control_verb::interface_map:
      return {ctl::to_json(interface_map()), {}, false};
    case ctl::control_verb::inject:
      return inject(rt.registry(), config, request);
    default:
      return refuse(control_refusal::unknown, "not for the inspector");
  }
}

std::vector<ctl::interface_status> interface_map() {
  return {
    interface<source_actor>::read("source"),
    interface<spawner_actor>::read("spawner"),
    interface<nts_spawner_actor>::read("spawner with NTS"),
    interface<steering_actor>::read("steering"),
    interface<worker_actor>::read("server_worker"),
    interface<server_actor>::read("server"),
    interface<nts_ke_server_actor>::read("nts_ke_server"),
    interface<keyset_actor>::read("keyset"),
    interface<publisher_actor>::read("publisher"),
    interface<config_manager_actor>::read("config_manager"),
    interface<recorder_actor>::read("recorder"),
    interface<state_keeper_actor>::read("state_keeper"),
    interface<supervisor_actor>::read("supervisor"),
    interface<trace_follower_actor>::read("trace_follower"),
  };
}

} // namespace concert::actors
