#include "ctl/commands.hpp"
#include "ctl/view/control_views.hpp"
#include "ctl/view/csv_views.hpp"
#include "tests/ctl/fake_daemon.hpp"
#include "tests/ctl/golden.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

namespace concert::ctl {

namespace {

using manner = fake_daemon::manner;

/// One answer of each kind, as docs/control.md has them.
constexpr auto keys
  = R"({"keys":[{"key":"synchronization.max-error","value":"0.5","at_runtime":true},
     {"key":"observability.log-level","value":null,"at_runtime":true},
     {"key":"clock.kind","value":"\"virtual\"","at_runtime":false}]})";
constexpr auto changes
  = R"({"changes":[{"key":"synchronization.max-error","from":"1","to":"0.5"},
     {"key":"source ntp.example.org:123","from":null,
      "to":"mode = \"server\"\naddress = \"ntp.example.org\"\n"}],
     "restart":["clock.kind"],"persisted":false})";
constexpr auto sources
  = R"({"sources":[{"source":"ntp.example.org:123","mode":"server",
      "origin":"file","offline":false,"settings":"iburst = false\nnoselect = true\n"},
     {"source":"nts.example.org:4460","mode":"nts","origin":"runtime",
      "offline":true,"settings":""}]})";

struct answered {
  command what;
  const char* name;
  const char* result;
};
constexpr answered answers[] = {
  {command::get, "get", keys},
  {command::set, "set", changes},
  {command::diff, "diff", changes},
  {command::source_list, "source-list", sources},
  {command::burst, "burst", R"({"sources":3})"},
  {command::step, "step", R"({"step":-0.25})"},
};

std::string answer_line(const std::string& result) {
  std::string line = "{\"v\":1,\"id\":1,\"result\":" + result + '}';
  std::erase(line, '\n');
  return line + '\n';
}

options asking(command what, const fake_daemon& daemon) {
  options o;
  o.what = what;
  o.control_socket = daemon.path();
  return o;
}

outcome refused_with(const char* why) {
  const fake_daemon daemon{"{\"v\":1,\"id\":1,\"error\":{\"why\":\""
                             + std::string{why} + "\",\"text\":\"because\"}}\n",
                           manner::stalls};
  return run_control(asking(command::set, daemon));
}

} // namespace

TEST_CASE("each control command's output reads as it did") {
  for (const auto& [what, name, result] : answers) {
    const fake_daemon daemon{answer_line(result), manner::stalls};
    options o = asking(what, daemon);
    const std::string stem = std::string{"control-"} + name;
    const outcome plain = run_control(o);
    CHECK(plain.code == 0);
    CHECK(plain.err.empty());
    CHECK(matches_golden(stem, plain.out));
    o.form = output_form::json;
    CHECK(matches_golden(stem + "-json", run_control(o).out));
  }
  for (const auto& [what, name, result] :
       {answers[0], answers[2], answers[3]}) {
    const fake_daemon daemon{answer_line(result), manner::stalls};
    options o = asking(what, daemon);
    o.form = output_form::csv;
    CHECK(matches_golden(std::string{"control-"} + name + "-csv",
                         run_control(o).out));
  }
}

TEST_CASE("each view has its form for programs") {
  const fake_daemon daemon{frame(to_json(samples::nts())), manner::answers};
  const std::pair<command, const char*> views[]
    = {{command::status, "status"},
       {command::sources, "sources"},
       {command::tracking, "tracking"},
       {command::servers, "servers"},
       {command::nts, "nts"}};
  for (const auto& [what, name] : views) {
    options o;
    o.what = what;
    o.socket = daemon.path();
    o.form = output_form::json;
    CHECK(matches_golden(std::string{"json-"} + name, run_view(o).out));
    o.form = output_form::csv;
    if (what != command::status)
      CHECK(matches_golden(std::string{"csv-"} + name, run_view(o).out));
  }
  options o;
  o.what = command::check;
  o.socket = daemon.path();
  o.form = output_form::json;
  CHECK(matches_golden("json-check", run_check(o).out));
}

TEST_CASE("a single key is its value alone, for scripts") {
  CHECK(control_view(command::get, "synchronization.max-error", keys).value()
        == "0.5\n");
  CHECK(control_view(command::get, "max-error", keys).value() == "0.5\n");
  CHECK(control_view(command::get, "observability.log-level", keys).value()
        == "# observability.log-level is not set\n");
}

TEST_CASE("a reload tells what else is changed, persist what it keeps") {
  CHECK(control_view(command::reload, "",
                     R"({"changes":[],"restart":[],"pending":[],
                         "persisted":true})")
          .value()
        == "Nothing changes.\n");
  CHECK(control_view(command::reload, "",
                     R"({"changes":[{"key":"a.b","from":null,"to":"1"}],
                         "pending":["clock.kind"],"persisted":false})")
          .value()
        == "a.b: (none) -> 1\n"
           "Changed at run time, until the daemon ends or \"ntp-ctl persist\" "
           "keeps it:\n  clock.kind\n");
  CHECK(control_view(command::persist, "", R"({"kept":[],"persisted":true})")
          .value()
        == "There is nothing to keep.\n");
  CHECK(control_view(command::persist, "",
                     R"({"kept":[{"key":"a.b","from":"2","to":"1"}],
                         "persisted":true})")
          .value()
        == "Kept over a restart:\na.b: 2 -> 1\n");
}

TEST_CASE("a refusal is told, and who may not has a code of its own") {
  CHECK(refused_with("invalid").code == 1);
  CHECK(refused_with("invalid").err == "ntp-ctl: because\n");
  CHECK(refused_with("not-found").code == 1);
  CHECK(refused_with("not-permitted").code == 4);
}

TEST_CASE("answers that make no sense are no answers") {
  for (const char* result : {"[]", "7", "null", "\"\""}) {
    const fake_daemon daemon{answer_line(result), manner::stalls};
    CHECK(run_control(asking(command::get, daemon)).code == 3);
  }
  for (const auto& [what, name, result] : answers)
    for (const char* strange :
         {R"({"keys":7,"sources":{},"changes":[7,[],null],"restart":[{}],
              "step":"x"})",
          R"({"keys":[{"key":7,"value":[]}],"sources":[{"settings":7}],
              "changes":[{"from":{}}],"persisted":"no"})"})
      CHECK(control_view(what, "k", strange).has_value());
}

TEST_CASE("the clock is not forced where nobody can be asked") {
  const int before = ::dup(STDIN_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
  const fake_daemon daemon{answer_line(R"({"step":1})"), manner::stalls};
  options o = asking(command::force_sync, daemon);
  const outcome unasked = run_control(o);
  CHECK(unasked.code == 1);
  CHECK(unasked.err.find("--yes") != std::string::npos);
  o.confirmed = true;
  CHECK(run_control(o).out == "The clock was stepped forward by 1.00 s.\n");
  ::dup2(before, STDIN_FILENO);
  ::close(before);
}

TEST_CASE("the warning before a forced step tells by how much") {
  const auto o = read_observation(to_json(samples::locked())).value();
  const std::string text = step_warning(o);
  CHECK(text.find("set forward by 23.0 us") != std::string::npos);
  CHECK(step_warning(observation{}).find("will be set") == std::string::npos);
}

TEST_CASE("the control socket is beside the observation socket") {
  options o;
  o.socket = "/nonexistent/observe";
  CHECK(find_control_socket(o).value().path == "/nonexistent/control");
  o.control_socket = "/nonexistent/other";
  CHECK(find_control_socket(o).value().path == "/nonexistent/other");
  CHECK(run_control(o).code == 3);
}

} // namespace concert::ctl
