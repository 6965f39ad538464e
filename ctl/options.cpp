#include "ctl/options.hpp"

#include "ctl/completion.hpp"
#include "ctl/format.hpp"
#include "ctl/toml_text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

namespace concert::ctl {

namespace {

/// Reads lengths of time into doubles.
CLI::Option* add_span(CLI::App& app, const std::string& name, double& into,
                      const std::string& description) {
  return app
    .add_option_function<std::string>(
      name,
      [&into, name](const std::string& text) {
        const auto s = parse_span(text);
        if (!s)
          throw CLI::ValidationError(
            name, "\"" + text + "\" is no length of time such as 100ms or 2s");
        into = *s;
      },
      description)
    ->type_name("TIME");
}

bool has_csv(command what) {
  switch (what) {
    case command::sources:
    case command::tracking:
    case command::servers:
    case command::nts:
    case command::source_list:
    case command::get:
    case command::diff:
    case command::why:
    case command::compare:
      return true;
    default:
      return false;
  }
}

/// A key and its value as `key = value`, for a TOML table. Values that are no
/// TOML literals are taken for text.
std::string toml_line(const std::string& setting) {
  const auto at = setting.find('=');
  if (at == 0 || at == std::string::npos)
    throw CLI::ValidationError("settings",
                               "\"" + setting + "\" is no key=value");
  return setting.substr(0, at) + " = " + toml_value(setting.substr(at + 1))
         + '\n';
}

/// The view of the arguments that CLI11 has. Subcommands that are called alike
/// in chrony are known by that name, too.
class command_line {
public:
  command_line() {
    app_.name("ntp-ctl");
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("-V,--version",
                          std::string{"ntp-ctl "} + CONCERT_VERSION,
                          "Print the version and exit");
    app_.require_subcommand(1);
    app_.fallthrough();
    add_common();
    add_views();
    add_judgements();
    add_advice();
    add_settings();
    add_sources();
    add_clock();
    add_command("completion", command::completion,
                "Print the completions of a shell")
      ->add_option("SHELL", result_.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  const CLI::App& app() const { return app_; }

  tl::expected<options, usage_answer>
  parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);
    try {
      app_.parse(std::move(arguments));
      finish();
    } catch (const CLI::ParseError& e) {
      return tl::unexpected{answer(e)};
    }
    return result_;
  }

private:
  /// What can only be done when all arguments are known.
  void finish() {
    if (format_ != "plain")
      result_.form = format_ == "json" ? output_form::json : output_form::csv;
    if (result_.form == output_form::csv && !has_csv(result_.what))
      throw CLI::ValidationError(
        "--format", "csv is for tables: sources, tracking, servers, nts, "
                    "source list, get, diff, why and compare");
    if (*config_)
      result_.config = config_path_;
    if (*socket_)
      result_.socket = socket_path_;
    if (*control_socket_)
      result_.control_socket = control_path_;
    if (*warn_)
      result_.limits.warning_s = warning_s_;
    if (*min_sources_)
      result_.limits.min_sources = min_sources_count_;
    if (*max_stratum_)
      result_.limits.max_stratum = max_stratum_value_;
    finish_change();
  }

  void finish_change() {
    if (result_.what == command::set)
      result_.value = toml_value(result_.value);
    if (result_.what == command::source_add)
      result_.value = toml_line("mode=" + mode_)
                      + toml_line("address=" + toml_string(address_));
    for (const std::string& setting : settings_)
      result_.value += toml_line(setting);
  }

  CLI::App* add_command(const std::string& name, command what,
                        const std::string& description) {
    return add_command(app_, name, what, description);
  }

  CLI::App* add_command(CLI::App& under, const std::string& name, command what,
                        const std::string& description) {
    CLI::App* sub = under.add_subcommand(name, description);
    sub->set_help_flag("-h,--help", "Print this help and exit");
    sub->callback([this, what] { result_.what = what; });
    return sub;
  }

  void add_common() {
    config_ = app_
                .add_option("-c,--config", config_path_,
                            "Configuration that names the daemon's sockets")
                ->type_name("FILE");
    socket_ = app_
                .add_option("-s,--socket", socket_path_,
                            "Ask the daemon at this socket instead")
                ->type_name("PATH");
    control_socket_
      = app_
          .add_option("--control-socket", control_path_,
                      "Change the daemon through this socket instead")
          ->type_name("PATH");
    app_
      .add_option("-f,--format", format_,
                  "Form of the output: plain, json, or csv for tables")
      ->check(CLI::IsMember({"plain", "json", "csv"}))
      ->type_name("FORM");
  }

  void add_views() {
    add_command("status", command::status, "Everything on one screen");
    add_command("sources", command::sources, "The sources, one by one")
      ->alias("sourcestats");
    add_command("tracking", command::tracking,
                "The clock and how well it is known");
    add_command("servers", command::servers,
                "What clients asked, and the answers")
      ->alias("serverstats");
    add_command("nts", command::nts,
                "The keys of Network Time Security, ours and those given out")
      ->alias("authdata");
    CLI::App* watch = add_command("watch", command::watch,
                                  "A live picture of clock and sources");
    watch->add_option("--count", result_.count, "End after so many pictures")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
    add_span(*watch, "--interval", result_.interval_s,
             "Time between pictures (default 1s, at least 100ms)");
  }

  void add_judgements() {
    add_command("validate", command::validate, "Check the configuration")
      ->add_flag("--strict", result_.strict, "Let warnings fail as well");
    check_ = add_command("check", command::check,
                         "Judge the clock as a monitoring plug-in");
    add_span(*check_, "--max-error", result_.limits.critical_s,
             "Critical above this maximum error (default 1s)");
    warn_ = add_span(*check_, "--warn", warning_s_,
                     "Warn above this maximum error");
    min_sources_ = check_
                     ->add_option("--min-sources", min_sources_count_,
                                  "Warn with fewer sources selected")
                     ->type_name("N");
    max_stratum_ = check_
                     ->add_option("--max-stratum", max_stratum_value_,
                                  "Warn above this stratum")
                     ->check(CLI::Range(1, 15))
                     ->type_name("N");
    CLI::App* wait = add_command("wait-sync", command::wait_sync,
                                 "Wait until the clock is synchronized");
    wait->alias("waitsync");
    add_span(*wait, "--max-error", result_.max_error_s,
             "And known to this maximum error");
    add_span(*wait, "--timeout", result_.timeout_s,
             "Give up after this time (default 180s, 0 = never)");
  }

  void add_advice() {
    add_source(
      *add_command("why", command::why, "Why a source is used, or is not"))
      ->required();
    add_command("compare", command::compare,
                "The clock of the daemon that is watched, hour by hour");
    add_command("doctor", command::doctor,
                "What on this machine stands in the way of good time");
    CLI::App* migrate
      = add_command("migrate", command::migrate,
                    "Print chrony's or ntpd's configuration as ours");
    migrate->add_option("FILE", result_.file, "chrony.conf or ntp.conf")
      ->type_name("FILE")
      ->required();
    migrate
      ->add_option("--from", result_.from,
                   "Whose it is: chrony, ntpd or openntpd")
      ->check(CLI::IsMember({"chrony", "ntpd", "openntpd"}));
  }

  void add_settings() {
    add_key(*add_command("get", command::get,
                         "The keys of the configuration in force"));
    CLI::App* set = add_command("set", command::set, "Change a key");
    add_key(*set)->required();
    set->add_option("VALUE", result_.value, "Its value, as in ntp.toml")
      ->required();
    add_persist(*set);
    CLI::App* unset = add_command("unset", command::unset,
                                  "Give a key back to what the files say");
    add_key(*unset)->required();
    add_persist(*unset);
    add_command("reload", command::reload, "Read the configuration again")
      ->add_flag("--discard", result_.discard,
                 "And forget what was changed at run time");
    add_command("diff", command::diff, "What is in force but not in the files");
    add_command("persist", command::persist, "Keep the changes over a restart");
  }

  void add_sources() {
    CLI::App* source = app_.add_subcommand("source", "See and change sources");
    source->set_help_flag("-h,--help", "Print this help and exit");
    source->require_subcommand(1);
    add_command(*source, "list", command::source_list,
                "The sources as configured, and where they are from");
    CLI::App* add
      = add_command(*source, "add", command::source_add, "Add a source");
    add->add_option("MODE", mode_, "server, pool, nts or nts-pool")
      ->check(CLI::IsMember({"server", "pool", "nts", "nts-pool"}))
      ->required();
    add->add_option("ADDRESS", address_, "host or host:port")->required();
    add_settings_of(*add);
    CLI::App* modify = add_command(*source, "modify", command::source_modify,
                                   "Change keys of a source");
    add_source(*modify)->required();
    add_settings_of(*modify)->required();
    CLI::App* remove
      = add_command(*source, "remove", command::source_remove, "End a source");
    add_source(*remove)->required();
    add_persist(*remove);
    CLI::App* online
      = add_command("online", command::online, "Ask a source again, or all");
    add_source(*online);
    add_persist(*online);
    CLI::App* offline = add_command("offline", command::offline,
                                    "Ask a source, or all, no longer");
    add_source(*offline);
    add_persist(*offline);
    add_source(
      *add_command("burst", command::burst, "Ask a source soon, or all"));
  }

  void add_clock() {
    add_command("step", command::step,
                "Step the clock by its offset instead of slewing it")
      ->alias("makestep");
    add_command("force-sync", command::force_sync,
                "Step the clock whatever the offset, and lift a panic")
      ->add_flag("-y,--yes", result_.confirmed, "Do not ask");
  }

  CLI::Option* add_source(CLI::App& to) {
    return to.add_option("SOURCE", result_.source,
                         "As configured: host or host:port");
  }

  CLI::Option* add_key(CLI::App& to) {
    return to.add_option("KEY", result_.key,
                         "Such as synchronization.max-error");
  }

  CLI::Option* add_settings_of(CLI::App& to) {
    add_persist(to);
    return to.add_option("KEY=VALUE", settings_,
                         "Further keys of the source, as in ntp.toml");
  }

  void add_persist(CLI::App& to) {
    to.add_flag("--persist", result_.persist,
                "Keep this and earlier changes over a restart");
  }

  usage_answer answer(const CLI::ParseError& e) const {
    if (e.get_exit_code() == 0) {
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(e, out, err);
      return {0, out.str()};
    }
    // A monitoring system takes 2 for "critical".
    const int code = check_->parsed() ? static_cast<int>(verdict::unknown)
                                      : static_cast<int>(exit_code::usage);
    return {code, std::string{"ntp-ctl: "} + e.what()
                    + "\nntp-ctl --help shows what can be said.\n"};
  }

  options result_;
  std::string format_ = "plain";
  std::string config_path_;
  std::string socket_path_;
  std::string control_path_;
  std::string mode_;
  std::string address_;
  std::vector<std::string> settings_;
  double warning_s_ = 0;
  std::uint64_t min_sources_count_ = 0;
  std::uint64_t max_stratum_value_ = 0;
  CLI::App app_{"Shows, judges and changes what ntp-daemon does."};
  CLI::Option* config_ = nullptr;
  CLI::Option* socket_ = nullptr;
  CLI::Option* control_socket_ = nullptr;
  CLI::Option* warn_ = nullptr;
  CLI::Option* min_sources_ = nullptr;
  CLI::Option* max_stratum_ = nullptr;
  CLI::App* check_ = nullptr;
};

} // namespace

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  return command_line{}.parse(std::move(arguments));
}

std::string completion(std::string_view shell) {
  return completion(command_line{}.app(), shell);
}

} // namespace concert::ctl
