#include "actors/program.hpp"

#include "actors/log_level.hpp"
#include "actors/real_runtime.hpp"
#include "actors/shadow.hpp"
#include "actors/start_conditions.hpp"
#include "actors/version.hpp"
#include "config/config.hpp"
#include "platform/clock.hpp"
#include "platform/log.hpp"
#include "platform/privileges.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <thread>

namespace concert::actors {

namespace {

namespace log = platform::log;

/// Where the machine's clock is remembered; other clocks have no usual place.
constexpr auto default_state_file = "/var/lib/concert/state";

constexpr int exit_failed = 1;
constexpr int exit_no_permission = 77; ///< EX_NOPERM
constexpr int exit_bad_config = 78;    ///< EX_CONFIG

/// Time for the actors to end once the supervisor has.
constexpr std::chrono::seconds end_limit{3};

struct options {
  std::filesystem::path config_path = config::default_path();
  bool config_given = false;
  std::optional<log::level> level;
  bool no_adjust = false;
  bool shadow = false;
  std::filesystem::path shadow_file; ///< empty: one of the usual places
};

/// The options, or the exit code of `--help`, `--version` or a usage error.
tl::expected<options, int> parse_arguments(int argc, char** argv) {
  options o;
  CLI::App app{"Keeps this machine's clock right and serves time by NTP."};
  app.set_help_flag("-h,--help", "Show this help");
  app.set_version_flag("-V,--version", "ntp-daemon " + std::string{version()});
  auto* path
    = app.add_option("-c,--config", o.config_path, "Configuration file");
  const std::map<std::string, log::level> levels{
    {"trace", log::level::trace},     {"debug", log::level::debug},
    {"info", log::level::info},       {"warn", log::level::warning},
    {"warning", log::level::warning}, {"error", log::level::error}};
  app.add_option("-l,--log-level", o.level, "Log level, over the file's")
    ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case));
  app.add_flag("--no-adjust", o.no_adjust,
               "Never touch the clock; report and serve only");
  auto* shadow
    = app
        .add_option("--shadow", o.shadow_file,
                    "Watch the clock that another daemon steers, with the "
                    "sources of its configuration (chrony's or ntpd's); never "
                    "touch it")
        ->expected(0, 1)
        ->type_name("[FILE]");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return tl::unexpected{app.exit(e) == 0 ? 0 : exit_failed};
  }
  o.config_given = path->count() > 0;
  o.shadow = shadow->count() > 0;
  return o;
}

void print(const std::vector<config::diagnostic>& diagnostics) {
  for (const auto& d : diagnostics) {
    if (d.level == config::diagnostic::severity::error)
      log::error("config-error", "{}", d.to_string());
    else
      log::warning("config-warning", "{}", d.to_string());
  }
}

platform::result<std::unique_ptr<platform::clock>>
open_clock(const config::daemon_config& config, bool no_adjust) {
  using config::clock_kind;
  const auto& c = config.clock;
  if (c.kind == clock_kind::virtual_)
    return platform::open_virtual_clock(
      {c.initial_offset_s, c.frequency_error, c.wander, c.seed, c.path});
  if (c.kind == clock_kind::read_only || no_adjust)
    return platform::open_read_only_clock();
  auto opened = platform::open_system_clock();
  // Without sources there is nothing to set the clock by.
  const bool may_watch
    = c.kind == clock_kind::automatic || config.sources.empty();
  if (!opened && may_watch) {
    log::warning("clock-read-only",
                 "the clock may not be set here: it is only watched; "
                 "error=\"{}\"",
                 opened.error().text);
    return platform::open_read_only_clock();
  }
  return opened;
}

std::uint32_t worker_count(const config::daemon_config& c) {
  if (c.server_workers != 0)
    return c.server_workers;
  return std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
}

/// Runs the actors until they have ended; the exit code.
int run_actors(platform::clock& clock, supervisor_options options) {
  asio::io_context io;
  real_runtime rt{io, clock};
  caf::actor_system_config cfg;
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-threads", 1);
  cfg.set("scheduler.max-throughput", 50);
  caf::actor_system system{cfg};
  rt.attach(system);
  rt.registry().keep_statistics(options.files.config->control.inspector);
  int code = 0;
  bool ended = false;
  options.ended = [&](int c) {
    code = c;
    ended = true;
  };
  {
    auto root = spawn_actor<supervisor>(system, rt, std::move(options));
    const auto work = asio::make_work_guard(io);
    while (!ended)
      io.run_one();
  }
  // Sources end after their spawners, by messages of their own.
  const auto limit = std::chrono::steady_clock::now() + end_limit;
  while (system.registry().running() > 0) {
    if (std::chrono::steady_clock::now() > limit) {
      for (const auto& a : rt.registry().list())
        log::error("actor-hangs", "actor={} name=\"{}\"", a->who.kind,
                   a->who.name);
      ::_exit(code);
    }
    io.run_one_for(std::chrono::milliseconds{10});
  }
  log::info("stopped", "code={}", code);
  return code;
}

} // namespace

int run_program(int argc, char** argv) {
  const auto opts = parse_arguments(argc, argv);
  if (!opts)
    return opts.error();
  if (opts->level)
    log::set_level(*opts->level);
  auto loaded = config::load(opts->config_path, opts->config_given);
  if (!loaded) {
    print(loaded.error());
    return exit_bad_config;
  }
  auto& config = loaded->config;
  if (!opts->level)
    log::set_level(log_level_of(config.observability.level));
  if (config.observability.log_path)
    if (const auto r = log::to_file(*config.observability.log_path); !r) {
      log::error("log-failed", "error=\"{}\"", r.error().text);
      return exit_failed;
    }
  print(loaded->warnings);
  log::info("starting", "version={} config={}", version(),
            opts->config_path.string());

  std::optional<shadowed_daemon> shadowed;
  if (opts->shadow) {
    auto found = find_shadowed(opts->shadow_file);
    if (!found) {
      log::error("shadow-failed", "error=\"{}\"", found.error());
      return exit_bad_config;
    }
    shadowed = std::move(*found);
    make_shadow(config, *shadowed);
  }

  auto clock = open_clock(config, opts->no_adjust);
  if (!clock) {
    log::error("clock-failed", "error=\"{}\"", clock.error().text);
    return clock.error().code == platform::errc::permission ? exit_no_permission
                                                            : exit_failed;
  }
  const bool adjusts_kernel = (*clock)->kind() == "system";
  platform::raise_file_limit();
  if (const auto r
      = platform::drop_privileges(config.user.value_or(""), adjusts_kernel);
      !r) {
    log::error("privileges-failed", "error=\"{}\"", r.error().text);
    return exit_failed;
  }
  if (const auto r = platform::load_syscall_filter(); !r)
    log::warning("syscall-filter-failed", "error=\"{}\"", r.error().text);

  start_conditions start;
  start.config_path = opts->config_path;
  start.config_must_exist = opts->config_given;
  start.state_file
    = config.state_file.value_or(adjusts_kernel ? default_state_file : "");
  start.read_only = opts->no_adjust || (*clock)->kind() == "read-only";
  start.precision = (*clock)->precision();
  start.not_before = build_time();
  start.workers = worker_count(config);
  start.pin_workers = config.pin_workers;
  start.shadowed = std::move(shadowed);
  return run_actors(**clock, options_of(std::move(config), start));
}

} // namespace concert::actors
