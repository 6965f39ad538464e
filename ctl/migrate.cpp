#include "config/migration/migration.hpp"
#include "ctl/commands.hpp"
#include "ctl/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace concert::ctl {

namespace {

using config::migration;

outcome failed(const std::string& why) {
  return {static_cast<int>(exit_code::no), {}, "ntp-ctl: " + why + '\n'};
}

/// Whether the result is worth installing: it is valid.
int code_of(const migration& m) {
  return static_cast<int>(m.errors.empty() ? exit_code::ok : exit_code::no);
}

std::string report_of(const migration& m) {
  std::string text;
  for (const auto& note : m.notes)
    text += printable(note.to_string()) + '\n';
  for (const auto* list : {&m.warnings, &m.errors})
    for (const auto& d : *list)
      text += printable(d.to_string()) + '\n';
  return text
         + fmt::format(
           "{} carried over, {} changed, {} not needed, {} not "
           "carried over\n",
           m.count(config::fate::carried_over), m.count(config::fate::changed),
           m.count(config::fate::not_needed), m.count(config::fate::lost));
}

std::string key_of(config::fate f) {
  switch (f) {
    case config::fate::carried_over:
      return "carried-over";
    case config::fate::changed:
      return "changed";
    case config::fate::not_needed:
      return "not-needed";
    case config::fate::lost:
      break;
  }
  return "lost";
}

std::string json_of(const migration& m) {
  return json_object([&](json_writer& out) {
           out.field("dialect", config::to_string(m.from));
           out.field("valid", m.errors.empty());
           // Not `printable`: line ends matter, and all is ASCII.
           out.array("toml", [&] {
             std::string_view rest = m.toml;
             while (!rest.empty()) {
               const auto end = std::min(rest.find('\n'), rest.size());
               out.value(rest.substr(0, end));
               rest.remove_prefix(std::min(end + 1, rest.size()));
             }
           });
           out.array("notes", [&] {
             for (const auto& note : m.notes)
               out.object([&] {
                 out.field("file", note.file);
                 out.field("line", note.line);
                 out.field("fate", key_of(note.what));
                 out.field("directive", note.directive);
                 out.field("text", note.text);
               });
           });
           out.array("diagnostics", [&] {
             for (const auto* list : {&m.warnings, &m.errors})
               for (const auto& d : *list)
                 out.value(d.to_string());
           });
         })
         + '\n';
}

} // namespace

outcome run_migrate(const options& o) {
  const auto text = config::read_migrated(o.file);
  if (!text)
    return failed(fmt::format("{} cannot be read, or is larger than {} octets",
                              printable(o.file.string()),
                              config::largest_migrated));
  const auto name = o.file.string();
  const auto from = o.from.empty() ? config::detect_dialect(*text, name)
                                   : config::dialect_of(o.from);
  if (!from)
    return failed(fmt::format("whose configuration {} is cannot be told: use "
                              "--from chrony, ntpd or openntpd",
                              printable(name)));
  const auto m = config::migrate(*text, *from, name, &config::read_included);
  if (o.form == output_form::json)
    return {code_of(m), json_of(m), {}};
  return {code_of(m), m.errors.empty() ? m.toml : std::string{}, report_of(m)};
}

} // namespace concert::ctl
