#include "config/config.hpp"
#include "ctl/commands.hpp"
#include "ctl/connection.hpp"
#include "ctl/doctor/findings.hpp"
#include "ctl/doctor/gather.hpp"
#include "ctl/json_writer.hpp"
#include "ctl/observation.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace concert::ctl {

namespace {

/// @returns the control socket that it names.
std::optional<std::filesystem::path>
judge_config(const std::filesystem::path& path, machine_facts& m) {
  config_facts& c = m.config;
  c.path = path;
  std::error_code ignored;
  c.exists = std::filesystem::exists(path, ignored);
  const auto loaded = config::load(path, false, config::named_files::ignored);
  for (const auto& d : loaded ? loaded->warnings : loaded.error())
    c.problems.push_back(printable(d.to_string()));
  c.valid = loaded.has_value();
  if (!loaded)
    return {};
  const config::daemon_config& with = loaded->config;
  c.sources = with.configured_sources();
  c.serves = !with.servers.empty();
  c.adjusts = with.clock.kind == config::clock_kind::system
              || with.clock.kind == config::clock_kind::automatic;
  if (with.leap_seconds_file)
    m.leap_files.insert(m.leap_files.begin(),
                        read_leap_file(*with.leap_seconds_file, true));
  if (with.state_file)
    m.state_folder = read_state_folder(with.state_file->parent_path());
  return with.control.path;
}

void ask_daemon(const options& o, machine_facts& m) {
  m.observe.wanted = true;
  const auto seen = find_socket(o)
                      .and_then([](const auto& place) { return ask(place); })
                      .and_then([](const auto& document) {
                        return read_observation(document);
                      });
  if (!seen) {
    m.observe.problem = seen.error().text;
    return;
  }
  m.observe.answers = true;
  m.clock_kind = seen->clock.kind;
  m.state = seen->system.state;
  m.state_reason = seen->system.state_reason;
}

/// Whether somebody listens there.
void knock(const std::filesystem::path& path, socket_facts& socket) {
  const auto opened = connection::open(path, std::chrono::steady_clock::now()
                                               + default_time_limit);
  socket.wanted = true;
  socket.answers = opened.has_value();
  if (!opened)
    socket.problem = opened.error().text;
}

machine_facts gather(const options& o) {
  machine_facts m = read_machine("/");
  m.now = std::chrono::duration_cast<std::chrono::seconds>(
            std::chrono::system_clock::now().time_since_epoch())
            .count();
  for (interface_facts& i : m.interfaces)
    read_stamping(i);
  m.kernel_clock = read_kernel_clock();
  const auto path = o.config.value_or(config::default_path());
  const auto configured = judge_config(path, m);
  ask_daemon(o, m);
  // Another daemon's control socket says nothing about the one that was asked.
  const auto control = o.control_socket ? o.control_socket
                       : o.socket       ? std::nullopt
                                        : configured;
  if (control)
    knock(*control, m.control);
  return m;
}

/// `text` in lines that all begin after `indent` columns; the first is there
/// already.
std::string block(const std::string& text, std::size_t indent) {
  std::string result;
  for (const char c : wrapped(text, 80 - indent, 0)) {
    result += c;
    if (c == '\n')
      result.append(indent, ' ');
  }
  return result + '\n';
}

std::string plain(const std::vector<finding>& all) {
  std::size_t column = 0;
  for (const finding& f : all)
    column = std::max(column, f.subject.size());
  constexpr std::size_t marks = 9;
  const std::size_t indent = marks + column + 2;
  std::string text;
  for (const finding& f : all) {
    text += left(to_string(f.how), marks) + left(f.subject, column + 2)
            + block(f.text, indent);
    if (!f.advice.empty())
      text += std::string(indent, ' ') + "-> " + block(f.advice, indent + 3);
  }
  return text;
}

std::string as_json(const std::vector<finding>& all) {
  return json_object([&](json_writer& out) {
           out.array("findings", [&] {
             for (const finding& f : all)
               out.object([&] {
                 out.field("weight", to_string(f.how));
                 out.field("subject", f.subject);
                 out.field("text", f.text);
                 out.field("advice", f.advice);
               });
           });
         })
         + '\n';
}

} // namespace

outcome run_doctor(const options& o) {
  const auto all = examine(gather(o));
  const bool bad = !all.empty() && all.front().how == weight::problem;
  return {static_cast<int>(bad ? exit_code::no : exit_code::ok),
          o.form == output_form::json ? as_json(all) : plain(all),
          {}};
}

} // namespace concert::ctl
