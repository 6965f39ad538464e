#include "ctl/actors_document.hpp"

#include "ctl/json_reader.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/schema.hpp"

#include <algorithm>

namespace concert::ctl {

namespace {

using rapidjson::Value;

/// No daemon has more actors, types or interfaces in a document.
constexpr std::size_t max_elements = 8192;

/// Without the empty buckets at the end, which are most of them.
void write_histogram(json_writer& out, const char* key,
                     const duration_histogram& histogram) {
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(),
                                 [](std::uint64_t n) { return n != 0; });
  out.array(key, [&] {
    for (auto i = histogram.begin(); i != last.base(); ++i)
      out.value(*i);
  });
}

duration_histogram read_histogram(const Value& array) {
  duration_histogram result{};
  if (!array.IsArray())
    return result;
  const auto n = std::min<std::size_t>(array.Size(), result.size());
  for (rapidjson::SizeType i = 0; i < n; ++i)
    result[i] = array[i].IsUint64() ? array[i].GetUint64() : 0;
  return result;
}

void write_actor(json_writer& out, const actor_status& a) {
  out.field("id", a.id);
  out.field("kind", a.kind);
  out.field("name", a.name);
  out.field("parent", a.parent);
  out.field("placement", a.placement);
  out.field("uptime", a.uptime_s);
  out.field("mailbox_depth", a.mailbox_depth);
  out.field("handled", a.handled);
  out.field("restarts", a.restarts);
  out.field("handling", a.handling);
  out.field("handling_for", a.handling_s);
  out.field("last_error", a.last_error);
  out.array("messages", [&] {
    for (const auto& m : a.messages)
      out.object([&] {
        out.field("type", m.type);
        out.field("handled", m.handled);
        out.field("slowest", m.slowest_s);
      });
  });
  write_histogram(out, "wait", a.wait);
  write_histogram(out, "handling_time", a.handling_time);
}

template <class T>
std::vector<T> read_list(const Value& array, T (*read)(const Value&)) {
  std::vector<T> result;
  if (!array.IsArray())
    return result;
  const auto n = std::min<std::size_t>(array.Size(), max_elements);
  result.reserve(n);
  for (rapidjson::SizeType i = 0; i < n; ++i)
    result.push_back(read(array[i]));
  return result;
}

message_status read_message(const Value& v) {
  return {json_text(v, "type"), json_count(v, "handled").value_or(0),
          json_number(v, "slowest").value_or(0)};
}

actor_status read_actor(const Value& v) {
  actor_status a;
  a.id = json_count(v, "id").value_or(0);
  a.kind = json_text(v, "kind");
  a.name = json_text(v, "name");
  a.parent = json_count(v, "parent").value_or(0);
  a.placement = json_text(v, "placement");
  a.uptime_s = json_number(v, "uptime").value_or(0);
  a.mailbox_depth = json_count(v, "mailbox_depth").value_or(0);
  a.handled = json_count(v, "handled").value_or(0);
  a.restarts
    = static_cast<std::uint32_t>(json_count(v, "restarts").value_or(0));
  a.handling = json_text(v, "handling");
  a.handling_s = json_number(v, "handling_for").value_or(0);
  a.last_error = json_text(v, "last_error");
  a.messages = read_list(json_member(v, "messages"), read_message);
  a.wait = read_histogram(json_member(v, "wait"));
  a.handling_time = read_histogram(json_member(v, "handling_time"));
  return a;
}

std::pair<std::string, std::string> read_pair(const Value& v) {
  return {json_text(v, "message"), json_text(v, "answer")};
}

interface_status read_interface(const Value& v) {
  return {json_text(v, "kind"),
          read_list(json_member(v, "messages"), read_pair)};
}

/// @returns `errc::malformed`, also for what is no object.
result<rapidjson::Document> parse_object(std::string_view json) {
  auto document = parse_json(json, max_answer);
  if (!document)
    return tl::unexpected{error{errc::malformed, document.error().text}};
  if (!document->IsObject())
    return tl::unexpected{error{errc::malformed, "no JSON object"}};
  return document;
}

} // namespace

std::string to_json(const actors_status& status) {
  return json_object([&](json_writer& out) {
    out.field("enabled", status.enabled);
    out.array("actors", [&] {
      for (const auto& a : status.actors)
        out.object([&] { write_actor(out, a); });
    });
  });
}

result<actors_status> read_actors(std::string_view json) {
  const auto document = parse_object(json);
  if (!document)
    return tl::unexpected{document.error()};
  const Value& actors = json_member(*document, "actors");
  if (!actors.IsArray())
    return tl::unexpected{error{errc::malformed, "no list of actors"}};
  return actors_status{json_truth(*document, "enabled").value_or(true),
                       read_list(actors, read_actor)};
}

std::string to_json(const traced_message& m) {
  return json_object([&](json_writer& out) {
    out.field("at", m.at_s);
    out.field("sender", m.sender);
    out.field("sender_kind", m.sender_kind);
    out.field("sender_name", m.sender_name);
    out.field("receiver", m.receiver);
    out.field("receiver_kind", m.receiver_kind);
    out.field("receiver_name", m.receiver_name);
    out.field("type", m.type);
    out.field("wait", m.wait_s < 0 ? std::nullopt : std::optional{m.wait_s});
    out.field("handling_time", m.handling_s);
    out.field("lost", m.lost);
  });
}

result<traced_message> read_traced_message(std::string_view json) {
  const auto document = parse_object(json);
  if (!document)
    return tl::unexpected{document.error()};
  const Value& v = *document;
  traced_message m;
  m.at_s = json_number(v, "at").value_or(0);
  m.sender = json_count(v, "sender").value_or(0);
  m.sender_kind = json_text(v, "sender_kind");
  m.sender_name = json_text(v, "sender_name");
  m.receiver = json_count(v, "receiver").value_or(0);
  m.receiver_kind = json_text(v, "receiver_kind");
  m.receiver_name = json_text(v, "receiver_name");
  m.type = json_text(v, "type");
  m.wait_s = json_number(v, "wait").value_or(-1);
  m.handling_s = json_number(v, "handling_time").value_or(0);
  m.lost = json_count(v, "lost").value_or(0);
  return m;
}

std::string to_json(const std::vector<interface_status>& interfaces) {
  return json_object([&](json_writer& out) {
    out.array("interfaces", [&] {
      for (const auto& i : interfaces)
        out.object([&] {
          out.field("kind", i.kind);
          out.array("messages", [&] {
            for (const auto& m : i.messages)
              out.object([&] {
                out.field("message", m.first);
                out.field("answer", m.second.empty() ? std::nullopt
                                                     : std::optional{m.second});
              });
          });
        });
    });
  });
}

result<std::vector<interface_status>> read_interfaces(std::string_view json) {
  const auto document = parse_object(json);
  if (!document)
    return tl::unexpected{document.error()};
  const Value& interfaces = json_member(*document, "interfaces");
  if (!interfaces.IsArray())
    return tl::unexpected{error{errc::malformed, "no list of interfaces"}};
  return read_list(interfaces, read_interface);
}

} // namespace concert::ctl
