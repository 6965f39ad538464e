#include "tools/ntp_sim/options.hpp"

#include "actors/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <sstream>
#include <thread>

namespace concert::sim {

namespace {

constexpr int usage_code = 2;

void add_run(CLI::App& app, options& o) {
  auto* run = app.add_subcommand("run", "Simulate, and judge by the limits");
  run->callback([&o] { o.what = command::run; });
  run->add_option("files", o.files, "Scenarios, or folders of them")
    ->required()
    ->type_name("FILE");
  run->add_option("--seeds", o.seeds, "How many seeds (default 8)")
    ->check(CLI::Range(1, 1000000))
    ->type_name("N");
  run->add_option("--first-seed", o.first_seed, "The first of them (default 1)")
    ->type_name("K");
  run->add_option("--jobs", o.jobs, "Processes at a time (default: all cores)")
    ->check(CLI::Range(1, 1024))
    ->type_name("J");
  const std::map<std::string, filter_kind> kinds{
    {"osb", filter_kind::osb},
    {"kalman", filter_kind::kalman},
    {"regression", filter_kind::regression}};
  run
    ->add_option("--discipline", o.discipline,
                 "The daemon's filters: osb (its own), kalman, regression")
    ->transform(CLI::CheckedTransformer(kinds))
    ->type_name("NAME");
  run->add_flag("--json", o.json, "Print JSON instead of a table");
  run->add_flag("--quiet", o.quiet, "Say nothing of the progress");
  run
    ->add_option("--plot", o.wanted.plot,
                 "Draw the first seed of the one scenario given")
    ->type_name("SVG");
  run
    ->add_option("--plot-from", o.wanted.plot_from_s,
                 "From this time on, s (default: where statistics begin)")
    ->check(CLI::NonNegativeNumber)
    ->type_name("T");
  run
    ->add_option("--trace", o.wanted.trace,
                 "Write what happens to the first seed of the one scenario")
    ->type_name("FILE");
  run->add_flag("--cost", o.wanted.cost, "Measure what the filters cost");
  auto* without = run->add_flag_callback(
    "--no-aside", [&o] { o.aside = aside_rows::without; },
    "Leave out what is kept aside while tuning");
  run
    ->add_flag_callback(
      "--only-aside", [&o] { o.aside = aside_rows::only; }, "Take only that")
    ->excludes(without);
}

void add_check(CLI::App& app, options& o) {
  auto* check = app.add_subcommand("check", "Read scenarios, simulate nothing");
  check->callback([&o] { o.what = command::check; });
  check->add_option("files", o.files, "Scenarios, or folders of them")
    ->required()
    ->type_name("FILE");
}

usage_answer answer(const CLI::App& app, const CLI::ParseError& e) {
  if (e.get_exit_code() != 0)
    return {usage_code, std::string{"ntp-sim: "} + e.what()
                          + "\nntp-sim --help shows what can be said.\n"};
  std::ostringstream out;
  std::ostringstream err;
  app.exit(e, out, err);
  return {0, out.str()};
}

} // namespace

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  options o;
  o.jobs = std::max(1U, std::thread::hardware_concurrency());
  CLI::App app{"Runs ntp-daemon in simulated worlds, in virtual time."};
  app.name("ntp-sim");
  app.set_version_flag("-V,--version",
                       "ntp-sim " + std::string{actors::version()});
  app.require_subcommand(1);
  add_run(app, o);
  add_check(app, o);
  std::ranges::reverse(arguments);
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    return tl::unexpected{answer(app, e)};
  }
  return o;
}

} // namespace concert::sim
