#include "tools/ntp_inspect/views.hpp"

#include "ctl/format.hpp"
#include "ctl/table.hpp"
#include "tools/ntp_inspect/quantile.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace concert::inspect {

namespace {

constexpr auto right = ctl::table::align::right;

std::string state(const ctl::actor_status& a) {
  if (a.handling.empty())
    return {};
  return fmt::format("{}{} for {}", is_stuck(a) ? "STUCK in " : "in ",
                     a.handling, ctl::span(a.handling_s));
}

std::string quantile_text(const ctl::duration_histogram& h, double q) {
  const auto s = quantile(h, q);
  if (s && std::isinf(*s))
    return "> 1 s";
  return ctl::span(s);
}

std::string range_text(const ctl::duration_histogram& h) {
  return fmt::format("p50 < {}, p99 < {}", quantile_text(h, 0.5),
                     quantile_text(h, 0.99));
}

std::string disabled_note(const ctl::actors_status& status) {
  return status.enabled
           ? ""
           : "The inspector is switched off: only the actors are known.\n";
}

/// Children by parent, roots by 0; nobody is its own ancestor in it.
using children = std::multimap<std::uint64_t, const ctl::actor_status*>;

void write_branch(std::string& out, const children& all, std::uint64_t parent,
                  const std::string& indent, std::set<std::uint64_t>& written) {
  const auto [begin, end] = all.equal_range(parent);
  for (auto it = begin; it != end; ++it) {
    const auto& a = *it->second;
    if (!written.insert(a.id).second)
      continue;
    out += fmt::format("{}{} (#{}, {}){}{}\n", indent, label(a), a.id,
                       a.placement, a.handling.empty() ? "" : ": ", state(a));
    write_branch(out, all, a.id, indent + "  ", written);
  }
}

std::string show_one(const ctl::actor_status& a) {
  std::string out = fmt::format("{} (#{})\n", label(a), a.id);
  std::vector<std::vector<std::string>> lines{
    {"parent", a.parent == 0 ? "-" : fmt::format("#{}", a.parent)},
    {"runs", a.placement},
    {"uptime", ctl::age(a.uptime_s)},
    {"mailbox", fmt::format("{} waiting", a.mailbox_depth)},
    {"handled", std::to_string(a.handled)},
    {"now", a.handling.empty() ? "idle" : state(a)},
    {"wait", range_text(a.wait)},
    {"handling", range_text(a.handling_time)},
    {"restarts", std::to_string(a.restarts)},
  };
  if (!a.last_error.empty())
    lines.push_back({"last error", a.last_error});
  out += ctl::labelled(lines);
  if (a.messages.empty())
    return out;
  auto messages = a.messages;
  std::stable_sort(
    messages.begin(), messages.end(),
    [](const auto& x, const auto& y) { return x.handled > y.handled; });
  ctl::table table{{{"  message"}, {"handled", right}, {"slowest", right}}};
  for (const auto& m : messages)
    table.row({"  " + m.type, std::to_string(m.handled),
               m.slowest_s > 0 ? ctl::span(m.slowest_s) : "-"});
  return out + table.text();
}

} // namespace

bool is_stuck(const ctl::actor_status& a) {
  return !a.handling.empty() && a.handling_s >= stuck_after_s;
}

std::string label(const ctl::actor_status& a) {
  return a.name.empty() ? a.kind : a.kind + " " + a.name;
}

std::string list_text(const ctl::actors_status& status) {
  ctl::table table{{{"id", right},
                    {"actor"},
                    {"runs"},
                    {"uptime", right},
                    {"mailbox", right},
                    {"handled", right},
                    {"restarts", right},
                    {"now"}}};
  for (const auto& a : status.actors)
    table.row({std::to_string(a.id), label(a), a.placement,
               ctl::age(a.uptime_s), std::to_string(a.mailbox_depth),
               std::to_string(a.handled), std::to_string(a.restarts),
               state(a)});
  return disabled_note(status) + table.text();
}

std::string tree_text(const ctl::actors_status& status) {
  children all;
  std::set<std::uint64_t> known;
  for (const auto& a : status.actors)
    known.insert(a.id);
  for (const auto& a : status.actors)
    all.emplace(known.contains(a.parent) ? a.parent : 0, &a);
  std::string out;
  std::set<std::uint64_t> written;
  write_branch(out, all, 0, "", written);
  return disabled_note(status) + out;
}

std::string show_text(const ctl::actors_status& status) {
  std::string out = disabled_note(status);
  for (const auto& a : status.actors)
    out += (out.empty() ? "" : "\n") + show_one(a);
  return out;
}

std::string map_text(const std::vector<ctl::interface_status>& interfaces) {
  std::string out;
  for (const auto& i : interfaces) {
    out += i.kind + "\n";
    for (const auto& [message, answer] : i.messages)
      out += fmt::format("  {}{}{}\n", message, answer.empty() ? "" : " -> ",
                         answer);
  }
  return out;
}

std::string trace_text(const ctl::traced_message& m) {
  const auto who = [](std::uint64_t id, const std::string& kind,
                      const std::string& name) {
    if (id == 0)
      return std::string{"-"};
    return fmt::format("{}{}{}#{}", kind, name.empty() ? "" : " ", name, id);
  };
  const auto whole = std::floor(m.at_s);
  const auto us = static_cast<int>((m.at_s - whole) * 1e6);
  std::string out
    = m.lost == 0 ? "" : fmt::format("({} messages were lost)\n", m.lost);
  return out
         + fmt::format("{:%H:%M:%S}.{:06} {} -> {}: {} (waited {}, took {})\n",
                       fmt::gmtime(static_cast<std::time_t>(whole)), us,
                       who(m.sender, m.sender_kind, m.sender_name),
                       who(m.receiver, m.receiver_kind, m.receiver_name),
                       m.type, m.wait_s < 0 ? "?" : ctl::span(m.wait_s),
                       ctl::span(m.handling_s));
}

} // namespace concert::inspect
