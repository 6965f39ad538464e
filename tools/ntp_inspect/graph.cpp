#include "tools/ntp_inspect/graph.hpp"

#include "tools/ntp_inspect/views.hpp"

#include <fmt/format.h>

namespace concert::inspect {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + '"';
}

} // namespace

graph::graph(ctl::actors_status actors) : actors_(std::move(actors)) {
  for (const auto& a : actors_.actors)
    names_[a.id] = label(a);
}

void graph::add(const ctl::traced_message& m) {
  lost_ += m.lost;
  if (m.receiver == 0)
    return;
  const auto name
    = [this](std::uint64_t id, const std::string& kind, const std::string& of) {
        names_.try_emplace(id, of.empty() ? kind : kind + " " + of);
      };
  name(m.receiver, m.receiver_kind, m.receiver_name);
  if (m.sender != 0)
    name(m.sender, m.sender_kind, m.sender_name);
  ++edges_[{m.sender, m.receiver}].types[m.type];
}

std::string graph::dot(double seconds) const {
  std::string out = "digraph concert {\n"
                    "  rankdir=LR;\n"
                    "  node [shape=box];\n";
  if (lost_ != 0)
    out += fmt::format("  // {} messages were lost\n", lost_);
  for (const auto& [id, name] : names_)
    out += fmt::format("  a{} [label={}];\n", id, quoted(name));
  for (const auto& a : actors_.actors)
    if (names_.contains(a.parent))
      out += fmt::format("  a{} -> a{} [style=dotted, arrowhead=none];\n",
                         a.parent, a.id);
  for (const auto& [ends, e] : edges_) {
    std::string text;
    for (const auto& [type, n] : e.types)
      text += fmt::format("{}{} {} ({:.3g}/s)", text.empty() ? "" : ", ", n,
                          type, static_cast<double>(n) / seconds);
    if (ends.first == 0)
      out += fmt::format("  world [shape=plaintext];\n  world -> a{} "
                         "[label={}];\n",
                         ends.second, quoted(text));
    else
      out += fmt::format("  a{} -> a{} [label={}];\n", ends.first, ends.second,
                         quoted(text));
  }
  return out + "}\n";
}

} // namespace concert::inspect
