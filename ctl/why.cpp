#include "ctl/client.hpp"
#include "ctl/commands.hpp"
#include "ctl/csv.hpp"
#include "ctl/format.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/observation.hpp"
#include "ctl/table.hpp"
#include "ctl/text.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace concert::ctl {

namespace {

using remotes = std::vector<observed_source>;

/// "192.0.2.1:123" and "[2001:db8::1]:123" without port and brackets.
std::string host_of(const std::string& place) {
  const auto colon = place.rfind(':');
  const std::string host{place, 0, colon};
  if (host.starts_with('[') && host.ends_with(']'))
    return host.substr(1, host.size() - 2);
  return host.find(':') == std::string::npos ? host : place;
}

bool is_called(const observed_source& source, const std::string& name) {
  return name == source.name || name == source.address
         || name == host_of(source.name) || name == host_of(source.address)
         || name == std::to_string(source.id);
}

bool contains(const observed_source& source, const std::string& part) {
  return source.name.find(part) != std::string::npos
         || source.address.find(part) != std::string::npos;
}

remotes those(const remotes& sources,
              const std::function<bool(const observed_source&)>& wanted) {
  remotes result;
  std::copy_if(sources.begin(), sources.end(), std::back_inserter(result),
               wanted);
  return result;
}

std::string list_of(const remotes& sources) {
  std::string text;
  for (const observed_source& s : sources)
    text += fmt::format("  {} ({})\n", short_name(s), s.address);
  return text;
}

/// All remotes of that name or address; else the one whose name or address has
/// `wanted` in it.
tl::expected<remotes, std::string> find(const observation& o,
                                        const std::string& wanted) {
  remotes found
    = those(o.sources, [&](const auto& s) { return is_called(s, wanted); });
  if (!found.empty())
    return found;
  found = those(o.sources, [&](const auto& s) { return contains(s, wanted); });
  if (found.size() == 1)
    return found;
  const std::string question = printable(wanted);
  if (!found.empty())
    return tl::unexpected{
      fmt::format("ntp-ctl: {} may be any of\n{}", question, list_of(found))};
  if (o.sources.empty())
    return tl::unexpected{
      fmt::format("ntp-ctl: {} is no source; there are none\n", question)};
  return tl::unexpected{fmt::format("ntp-ctl: {} is no source; there are\n{}{}",
                                    question, list_of(o.sources),
                                    truncation(o))};
}

bool is_used(const observed_source& source) {
  return source.state == "selected";
}

std::string measure(std::optional<double> value, const std::string& unit) {
  if (!value)
    return "-";
  if (unit == "s")
    return span(value);
  return fmt::format("{:.6g}{}{}", *value, unit.empty() ? "" : " ", unit);
}

std::string headline(const observed_source& source) {
  const std::string text = fmt::format(
    "{} ({}) is {}: {}", short_name(source), source.address,
    is_used(source) ? "used" : "not used",
    source.state_reason.empty() ? source.state : source.state_reason);
  return wrapped(text, 80, 2) + '\n';
}

std::string plain(const observed_source& source) {
  if (source.tests.empty())
    return headline(source) + "  The daemon does not tell its tests.\n";
  constexpr auto to_right = table::align::right;
  table t{
    {{""}, {"test"}, {"value", to_right}, {"limit", to_right}, {"passed"}}};
  for (const observed_test& test : source.tests) {
    const bool passed = test.passed.value_or(false);
    t.row({"", test.name, measure(test.value, test.unit),
           measure(test.limit, test.unit), passed ? "yes" : "NO"});
    constexpr std::size_t indent = 6;
    if (!passed && !test.text.empty())
      t.note(std::string(indent, ' ')
             + wrapped(test.text, 80 - indent, indent));
  }
  return headline(source) + t.text();
}

std::string plain(const remotes& sources) {
  std::string text;
  for (const observed_source& source : sources)
    text += (text.empty() ? "" : "\n") + plain(source);
  return text;
}

void write(json_writer& out, const observed_source& source) {
  out.field("name", source.name);
  out.field("address", source.address);
  out.field("id", source.id);
  out.field("used", is_used(source));
  out.field("state", source.state);
  out.field("state_reason", source.state_reason);
  out.array("tests", [&] {
    for (const observed_test& test : source.tests)
      out.object([&] {
        out.field("name", test.name);
        out.field("passed", test.passed);
        out.field("value", test.value);
        out.field("limit", test.limit);
        out.field("unit", test.unit);
        out.field("text", test.text);
      });
  });
}

std::string as_json(const remotes& sources) {
  return json_object([&](json_writer& out) {
           out.array("sources", [&] {
             for (const observed_source& source : sources)
               out.object([&] { write(out, source); });
           });
         })
         + '\n';
}

std::string as_csv(const remotes& sources) {
  const auto number = [](std::optional<double> v) {
    return v ? fmt::format("{:.9g}", *v) : "";
  };
  csv t{{"name", "address", "state", "test", "passed", "value", "limit", "unit",
         "text"}};
  for (const observed_source& source : sources)
    for (const observed_test& test : source.tests)
      t.row({source.name, source.address, source.state, test.name,
             test.passed.value_or(false) ? "true" : "false", number(test.value),
             number(test.limit), test.unit, test.text});
  return t.text();
}

std::string shown(const remotes& sources, output_form form) {
  switch (form) {
    case output_form::json:
      return as_json(sources);
    case output_form::csv:
      return as_csv(sources);
    case output_form::plain:
      break;
  }
  return plain(sources);
}

} // namespace

outcome run_why(const options& o) {
  const auto seen = find_socket(o)
                      .and_then([](const auto& place) { return ask(place); })
                      .and_then([](const auto& document) {
                        return read_observation(document);
                      });
  if (!seen)
    return {static_cast<int>(exit_code::unreachable),
            {},
            "ntp-ctl: " + seen.error().text + '\n'};
  const auto found = find(*seen, o.source);
  if (!found)
    return {static_cast<int>(exit_code::no), {}, found.error()};
  return {static_cast<int>(exit_code::ok), shown(*found, o.form), {}};
}

} // namespace concert::ctl
