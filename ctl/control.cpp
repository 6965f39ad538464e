#include "ctl/commands.hpp"
#include "ctl/control_client.hpp"
#include "ctl/observation.hpp"
#include "ctl/view/control_views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace concert::ctl {

namespace {

int to_int(exit_code code) {
  return static_cast<int>(code);
}

/// Of the commands that go through the control socket.
control_verb verb(command what) {
  switch (what) {
    case command::get:
      return control_verb::get;
    case command::set:
      return control_verb::set;
    case command::unset:
      return control_verb::unset;
    case command::source_list:
      return control_verb::source_list;
    case command::source_add:
      return control_verb::source_add;
    case command::source_modify:
      return control_verb::source_modify;
    case command::source_remove:
      return control_verb::source_remove;
    case command::online:
      return control_verb::online;
    case command::offline:
      return control_verb::offline;
    case command::burst:
      return control_verb::burst;
    case command::reload:
      return control_verb::reload;
    case command::diff:
      return control_verb::diff;
    case command::persist:
      return control_verb::persist;
    case command::step:
      return control_verb::step;
    case command::force_sync:
      return control_verb::force_sync;
    default:
      return control_verb::hello;
  }
}

control_request request_of(const options& o) {
  control_request request;
  request.what = verb(o.what);
  request.key = o.key;
  request.value = o.value;
  request.source = o.source;
  request.persist = o.persist;
  request.discard = o.discard;
  return request;
}

outcome failed(exit_code code, const std::string& text) {
  return {to_int(code), {}, "ntp-ctl: " + text + '\n'};
}

outcome refused(const control_problem& problem) {
  const bool forbidden = problem.why == control_refusal::not_permitted;
  return failed(forbidden ? exit_code::forbidden : exit_code::no,
                problem.text.empty() ? std::string{to_string(problem.why)}
                                     : problem.text);
}

/// Asks a question; everything but a clear yes is no.
bool confirm(const std::string& question) {
  std::fputs((question + " [y/N] ").c_str(), stderr);
  std::string line;
  return std::getline(std::cin, line) && (line == "y" || line == "yes");
}

/// What `force-sync` would do to the clock of the daemon that `client` asks.
result<std::string> warning_of_step(control_client& client) {
  control_request request;
  request.what = control_verb::status;
  return client.ask(request)
    .and_then([](const control_answer& answer) {
      return answer.problem ? result<observation>{tl::unexpected{
               error{errc::malformed, answer.problem->text}}}
                            : read_observation(answer.result);
    })
    .map([](const observation& seen) { return step_warning(seen); });
}

/// @returns what ends the command before anything is done; nothing when the
/// person at the terminal agrees.
std::optional<outcome> ask_first(control_client& client) {
  if (::isatty(STDIN_FILENO) == 0)
    return failed(exit_code::no, "force-sync asks for confirmation, and there "
                                 "is no terminal to ask at; use --yes");
  const auto warning = warning_of_step(client);
  if (!warning)
    return failed(exit_code::unreachable, warning.error().text);
  std::fputs(warning->c_str(), stderr);
  if (!confirm("Step the clock now?"))
    return failed(exit_code::no, "nothing was done");
  return {};
}

result<std::string> shown(const options& o, const std::string& answer) {
  if (o.form == output_form::json)
    return answer + '\n';
  return o.form == output_form::csv ? control_csv(o.what, answer)
                                    : control_view(o.what, o.key, answer);
}

} // namespace

outcome run_control(const options& o) {
  auto client = find_control_socket(o).and_then([](const socket_place& place) {
    return control_client::connect(place.path).map_error([&](error e) {
      e.text += place.origin;
      return e;
    });
  });
  if (!client)
    return failed(exit_code::unreachable, client.error().text);
  if (o.what == command::force_sync && !o.confirmed)
    if (const auto ended = ask_first(*client))
      return *ended;
  const auto answer = client->ask(request_of(o));
  if (!answer)
    return failed(exit_code::unreachable, answer.error().text);
  if (answer->problem)
    return refused(*answer->problem);
  const auto text = shown(o, answer->result);
  if (!text)
    return failed(exit_code::unreachable, text.error().text);
  return {to_int(exit_code::ok), *text, {}};
}

} // namespace concert::ctl
