#include "ctl/schema.hpp"

#include "ctl/json_reader.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <utility>

namespace concert::ctl {

namespace {

using rapidjson::Value;
using writer = rapidjson::Writer<rapidjson::StringBuffer>;

constexpr std::array<std::string_view, control_verb_count> verb_names{
  "hello",         "status",        "get",    "source-list", "diff",
  "actors",        "interface-map", "set",    "unset",       "source-add",
  "source-modify", "source-remove", "online", "offline",     "burst",
  "reload",        "persist",       "step",   "force-sync",  "trace",
  "inject"};
static_assert(!verb_names.back().empty());

constexpr std::array<std::string_view, control_refusal_count> refusal_names{
  "malformed", "version", "unknown", "not-permitted", "invalid",
  "not-found", "not-now", "busy",    "failed"};
static_assert(!refusal_names.back().empty());

template <class Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names,
                          std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return {};
  return static_cast<Enum>(found - names.begin());
}

tl::unexpected<control_problem> refuse(control_refusal why, std::string text) {
  return tl::unexpected{control_problem{why, std::move(text)}};
}

tl::unexpected<control_problem> malformed(std::string text) {
  return refuse(control_refusal::malformed, std::move(text));
}

std::string_view as_text(const Value& v) {
  return {v.GetString(), v.GetStringLength()};
}

bool take(const Value& v, std::string& into) {
  if (v.IsString())
    into = as_text(v);
  return v.IsString();
}

bool take(const Value& v, bool& into) {
  if (v.IsBool())
    into = v.GetBool();
  return v.IsBool();
}

bool take(const Value& v, std::vector<std::string>& into) {
  if (!v.IsArray())
    return false;
  for (const auto& each : v.GetArray())
    if (!take(each, into.emplace_back()))
      return false;
  return true;
}

/// What a member must be; empty if it is that, and taken.
std::string take_member(std::string_view name, const Value& v,
                        control_request& into) {
  constexpr auto text = "a string";
  constexpr auto truth = "true or false";
  if (name == "key")
    return take(v, into.key) ? "" : text;
  if (name == "value")
    return take(v, into.value) ? "" : text;
  if (name == "source")
    return take(v, into.source) ? "" : text;
  if (name == "persist")
    return take(v, into.persist) ? "" : truth;
  if (name == "discard")
    return take(v, into.discard) ? "" : truth;
  if (name == "actors")
    return take(v, into.actors) ? "" : "an array of strings";
  return "left out: there is no such member";
}

/// A member without which the request means nothing; empty = all are there.
std::string_view missing_member(const control_request& r) {
  switch (r.what) {
    case control_verb::set:
      return r.key.empty() ? "key" : r.value.empty() ? "value" : "";
    case control_verb::unset:
      return r.key.empty() ? "key" : "";
    case control_verb::source_modify:
      return r.source.empty() ? "source" : r.value.empty() ? "value" : "";
    case control_verb::source_remove:
      return r.source.empty() ? "source" : "";
    case control_verb::source_add:
    case control_verb::inject:
      return r.value.empty() ? "value" : "";
    default:
      return "";
  }
}

/// Checks what is common to all requests, and gives the verb.
tl::expected<control_verb, control_problem> read_head(const Value& object,
                                                      std::uint64_t& id) {
  const auto number = json_count(object, "id");
  id = number.value_or(0);
  const Value& version = json_member(object, "v");
  if (!version.IsInt())
    return malformed("\"v\", the version of the protocol, must be a number");
  if (version.GetInt() != control_version)
    return refuse(control_refusal::version,
                  fmt::format("this daemon speaks version {} of the control "
                              "protocol, not {}",
                              control_version, version.GetInt()));
  if (!number)
    return malformed("\"id\" must be a number from 0 to 2^64 - 1");
  const Value& what = json_member(object, "request");
  if (!what.IsString())
    return malformed("\"request\" must be a string");
  const auto verb = control_verb_of(as_text(what));
  if (!verb)
    return refuse(control_refusal::unknown,
                  fmt::format("there is no request \"{}\"",
                              shortened(printable(as_text(what)), 40)));
  return *verb;
}

void write(writer& out, std::string_view text) {
  out.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void write(writer& out, const char* key, std::string_view text) {
  out.Key(key);
  write(out, text);
}

void write_unless_empty(writer& out, const char* key, std::string_view text) {
  if (!text.empty())
    write(out, key, text);
}

void write_if(writer& out, const char* key, bool truth) {
  if (!truth)
    return;
  out.Key(key);
  out.Bool(true);
}

std::string text_of(const rapidjson::StringBuffer& buffer) {
  return {buffer.GetString(), buffer.GetSize()};
}

/// `printable`, but lines stay lines.
std::string printable_lines(std::string_view text) {
  std::string result;
  for (;;) {
    const auto end = text.find('\n');
    result += printable(text.substr(0, end));
    if (end == std::string_view::npos)
      return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

tl::unexpected<error> no_answer(const std::string& why) {
  return tl::unexpected{
    error{errc::malformed, "the daemon's answer makes no sense: " + why}};
}

std::optional<control_problem> read_problem(const Value& v) {
  const Value& why = json_member(v, "why");
  const Value& text = json_member(v, "text");
  if (!why.IsString() || !text.IsString())
    return {};
  const auto refusal = named<control_refusal>(refusal_names, as_text(why));
  if (!refusal)
    return {};
  return control_problem{*refusal, printable_lines(as_text(text))};
}

} // namespace

std::string_view to_string(control_verb v) {
  return verb_names.at(static_cast<std::size_t>(v));
}

std::optional<control_verb> control_verb_of(std::string_view name) {
  return named<control_verb>(verb_names, name);
}

bool needs_rights(control_verb v) {
  return v >= control_verb::set;
}

std::string_view to_string(control_refusal r) {
  return refusal_names.at(static_cast<std::size_t>(r));
}

tl::expected<control_request, control_problem>
read_request(std::string_view line, std::uint64_t& id) {
  id = 0;
  const auto json = parse_json(line, max_request);
  if (!json)
    return malformed("the request is " + json.error().text);
  if (!json->IsObject())
    return malformed("the request is no JSON object");
  const auto verb = read_head(*json, id);
  if (!verb)
    return tl::unexpected{verb.error()};
  control_request request;
  request.id = id;
  request.what = *verb;
  for (auto m = json->MemberBegin(); m != json->MemberEnd(); ++m) {
    const auto name = as_text(m->name);
    if (json->FindMember(m->name) != m)
      return malformed(
        fmt::format("\"{}\" is there twice", shortened(printable(name), 40)));
    if (name == "v" || name == "id" || name == "request")
      continue;
    if (const auto wanted = take_member(name, m->value, request);
        !wanted.empty())
      return malformed(fmt::format("\"{}\" must be {}",
                                   shortened(printable(name), 40), wanted));
  }
  if (const auto name = missing_member(request); !name.empty())
    return malformed(
      fmt::format("\"{}\" needs \"{}\"", to_string(*verb), name));
  return request;
}

std::string to_json(const control_request& request) {
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  out.StartObject();
  out.Key("v");
  out.Int(control_version);
  out.Key("id");
  out.Uint64(request.id);
  write(out, "request", to_string(request.what));
  write_unless_empty(out, "key", request.key);
  write_unless_empty(out, "value", request.value);
  write_unless_empty(out, "source", request.source);
  write_if(out, "persist", request.persist);
  write_if(out, "discard", request.discard);
  if (!request.actors.empty()) {
    out.Key("actors");
    out.StartArray();
    for (const auto& a : request.actors)
      write(out, a);
    out.EndArray();
  }
  out.EndObject();
  return text_of(buffer);
}

std::string to_json(std::uint64_t id, const control_answer& answer) {
  const std::string_view more = answer.more ? R"(,"more":true)" : "";
  if (!answer.problem)
    return fmt::format(R"({{"v":{},"id":{},"result":{}{}}})", control_version,
                       id, answer.result.empty() ? "{}" : answer.result, more);
  rapidjson::StringBuffer buffer;
  writer out{buffer};
  out.StartObject();
  write(out, "why", to_string(answer.problem->why));
  write(out, "text", printable_lines(answer.problem->text));
  out.EndObject();
  return fmt::format(R"({{"v":{},"id":{},"error":{}{}}})", control_version, id,
                     text_of(buffer), more);
}

result<read_answer> read_control_answer(std::string_view line) {
  const auto json = parse_json(line, max_answer);
  if (!json)
    return no_answer(json.error().text);
  const Value& version = json_member(*json, "v");
  if (!version.IsInt() || version.GetInt() != control_version)
    return no_answer(fmt::format(
      "it is not of version {} of the control protocol", control_version));
  const auto id = json_count(*json, "id");
  if (!id)
    return no_answer("it has no number");
  read_answer read{*id, {}};
  read.answer.more = json_truth(*json, "more").value_or(false);
  const auto found = json->FindMember("result");
  if (found != json->MemberEnd()) {
    rapidjson::StringBuffer buffer;
    writer out{buffer};
    found->value.Accept(out);
    read.answer.result = text_of(buffer);
    return read;
  }
  read.answer.problem = read_problem(json_member(*json, "error"));
  if (!read.answer.problem)
    return no_answer("it has neither a result nor an error");
  return read;
}

} // namespace concert::ctl
