#include "ctl/view/control_views.hpp"

#include "config/config.hpp"
#include "ctl/csv.hpp"
#include "ctl/format.hpp"
#include "ctl/json_reader.hpp"
#include "ctl/schema.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace concert::ctl {

namespace {

using rapidjson::Value;

/// The elements of an array; none where it is no array.
std::vector<const Value*> elements(const Value& object, const char* key) {
  std::vector<const Value*> result;
  if (const Value& array = json_member(object, key); array.IsArray())
    for (const Value& each : array.GetArray())
      result.push_back(&each);
  return result;
}

bool truth(const Value& object, const char* key) {
  return json_truth(object, key).value_or(false);
}

/// "host:port" without the port that all use.
std::string name_of(const Value& source) {
  return without_usual_port(json_text(source, "source"),
                            json_text(source, "mode").starts_with("nts"));
}

/// Lines as one: "poll = 4, iburst = false".
std::string joined(std::string text) {
  while (text.ends_with('\n'))
    text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;)
    text.replace(at, 1, ", ");
  return text;
}

/// `json_text`, in which lines stay lines.
std::string lines(const Value& object, const char* key) {
  const Value& v = json_member(object, key);
  std::string_view rest;
  if (v.IsString())
    rest = {v.GetString(), v.GetStringLength()};
  std::string text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    text += printable(rest.substr(0, end)) + '\n';
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return text;
}

/// All keys as a file that is TOML, or the value of the one asked for.
std::string keys_view(const Value& result, const std::string& key) {
  const std::string asked_for = config::canonical_key(key);
  std::string text;
  for (const Value* each : elements(result, "keys")) {
    const std::string name = json_text(*each, "key");
    const std::string value = json_text(*each, "value");
    const std::string line = value.empty()
                               ? fmt::format("# {} is not set", name)
                               : fmt::format("{} = {}", name, value);
    if (name == asked_for)
      return (value.empty() ? line : value) + '\n';
    text
      += line
         + (truth(*each, "at_runtime") ? "\n" : "  # changes at a restart\n");
  }
  return text;
}

/// The changes under `member`, a line each.
std::string changed_lines(const Value& result, const char* member = "changes") {
  std::string text;
  const auto or_none = [](std::string value) {
    return value.empty() ? "(none)" : joined(std::move(value));
  };
  for (const Value* each : elements(result, member))
    text += fmt::format("{}: {} -> {}\n", json_text(*each, "key"),
                        or_none(lines(*each, "from")),
                        or_none(lines(*each, "to")));
  return text;
}

std::string diff_view(const Value& result) {
  const std::string text = changed_lines(result);
  return text.empty() ? "What is in force is what the files say.\n" : text;
}

/// What takes effect, and what waits for a restart.
std::string effect_view(const Value& result) {
  std::string text = changed_lines(result);
  if (text.empty())
    text = "Nothing changes.\n";
  for (const Value* each : elements(result, "restart"))
    text += json_text(*each) + " takes effect when the daemon restarts.\n";
  for (const Value* each : elements(result, "warnings"))
    text += json_text(*each) + '\n';
  return text;
}

std::string change_view(const Value& result) {
  std::string text = effect_view(result);
  if (!json_truth(result, "persisted"))
    return text;
  return text
         + (truth(result, "persisted")
              ? "Kept over a restart.\n"
              : "Until the daemon ends; \"ntp-ctl persist\" keeps it.\n");
}

std::string reload_view(const Value& result) {
  std::string text = effect_view(result);
  const auto pending = elements(result, "pending");
  if (!pending.empty())
    text += "Changed at run time, until the daemon ends or \"ntp-ctl persist\" "
            "keeps it:\n";
  for (const Value* each : pending)
    text += "  " + json_text(*each) + '\n';
  return text;
}

std::string persist_view(const Value& result) {
  const std::string kept = changed_lines(result, "kept");
  return kept.empty() ? "There is nothing to keep.\n"
                      : "Kept over a restart:\n" + kept;
}

std::string source_list_view(const Value& result) {
  table t{{{"source"}, {"mode"}, {"from"}, {"asked"}, {"settings"}}, 2};
  const auto sources = elements(result, "sources");
  if (sources.empty())
    return "No sources.\n";
  for (const Value* each : sources)
    t.row({name_of(*each), json_text(*each, "mode"), json_text(*each, "origin"),
           truth(*each, "offline") ? "offline" : "online",
           joined(lines(*each, "settings"))});
  return t.text();
}

std::string burst_view(const Value& result) {
  const auto n = json_count(result, "sources").value_or(0);
  return n == 1 ? "1 source is asked soon.\n"
                : fmt::format("{} sources are asked soon.\n", n);
}

std::string step_view(const Value& result) {
  const auto step_s = json_number(result, "step");
  if (step_s.value_or(0) == 0)
    return wrapped("Not stepped: " + json_text(result, "text"), 80, 0) + '\n';
  return fmt::format("The clock was stepped {} by {}.\n",
                     *step_s < 0 ? "back" : "forward", span(step_s));
}

result<std::string> read(const std::string& text, const auto& use) {
  const auto json = parse_json(text, max_answer);
  if (!json || !json->IsObject())
    return tl::unexpected{
      error{errc::malformed, "the daemon's answer makes no sense"}};
  return std::string{use(*json)};
}

} // namespace

result<std::string> control_view(command what, const std::string& key,
                                 const std::string& result) {
  return read(result, [&](const Value& v) {
    switch (what) {
      case command::get:
        return keys_view(v, key);
      case command::source_list:
        return source_list_view(v);
      case command::diff:
        return diff_view(v);
      case command::burst:
        return burst_view(v);
      case command::step:
      case command::force_sync:
        return step_view(v);
      case command::reload:
        return reload_view(v);
      case command::persist:
        return persist_view(v);
      default:
        return change_view(v);
    }
  });
}

result<std::string> control_csv(command what, const std::string& result) {
  return read(result, [&](const Value& v) {
    const char* array = "keys";
    std::vector<const char*> columns{"key", "value", "at_runtime"};
    if (what == command::diff) {
      array = "changes";
      columns = {"key", "from", "to"};
    } else if (what == command::source_list) {
      array = "sources";
      columns = {"source", "mode", "origin", "offline", "settings"};
    }
    csv table{{columns.begin(), columns.end()}};
    for (const Value* each : elements(v, array)) {
      std::vector<std::string> row;
      for (const char* column : columns) {
        const auto yes = json_truth(*each, column);
        row.push_back(yes ? fmt::format("{}", *yes)
                          : joined(lines(*each, column)));
      }
      table.row(row);
    }
    return table.text();
  });
}

std::string step_warning(const observation& o) {
  const observed_system& s = o.system;
  std::string text = headline(s) + '\n';
  if (!s.state_reason.empty())
    text += wrapped(s.state_reason, 80, 0) + '\n';
  text += "The clock is " + clock_sentence(s) + ".\n";
  if (is_measured(s))
    text += fmt::format("It will be set {} by {} at once, whatever the limits "
                        "of steps are.\n",
                        *s.offset_s < 0 ? "back" : "forward", span(s.offset_s));
  return text
         + "Programs see time jump. A daemon that stopped trusting its sources "
           "(panic)\ntrusts them again.\n";
}

} // namespace concert::ctl
