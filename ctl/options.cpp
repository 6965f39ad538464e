#include "ctl/options.hpp"

#include "ctl/format.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
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

/// All that is said to ntp-ctl, and CLI11's parser for it.
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
  }

  tl::expected<options, usage_answer>
  parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::ParseError& e) {
      return tl::unexpected{answer(e)};
    }
    result_.json = format_ == "json";
    if (*config_)
      result_.config = config_path_;
    if (*socket_)
      result_.socket = socket_path_;
    if (*warn_)
      result_.limits.warning_s = warning_s_;
    return result_;
  }

private:
  CLI::App* add_command(const std::string& name, command what,
                        const std::string& description) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->set_help_flag("-h,--help", "Print this help and exit");
    sub->callback([this, what] { result_.what = what; });
    return sub;
  }

  void add_common() {
    config_ = app_
                .add_option("-c,--config", config_path_,
                            "Configuration that names the daemon's socket")
                ->type_name("FILE");
    socket_ = app_
                .add_option("-s,--socket", socket_path_,
                            "Ask the daemon at this socket instead")
                ->type_name("PATH");
    app_
      .add_option("-f,--format", format_, "Form of the output: plain or json")
      ->check(CLI::IsMember({"plain", "json"}))
      ->type_name("FORM");
  }

  void add_views() {
    add_command("status", command::status, "Everything on one screen");
    add_command("sources", command::sources, "The sources, one by one")
      ->alias("sourcestats");
    add_command("tracking", command::tracking,
                "The clock and how well it is known");
    add_command("servers", command::servers,
                "What clients asked, and the answers");
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
    CLI::App* wait = add_command("wait-sync", command::wait_sync,
                                 "Wait until the clock is synchronized");
    wait->alias("waitsync");
    add_span(*wait, "--max-error", result_.max_error_s,
             "And known to this maximum error");
    add_span(*wait, "--timeout", result_.timeout_s,
             "Give up after this time (default 180s, 0 = never)");
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
  double warning_s_ = 0;
  CLI::App app_{"Shows and judges what ntp-daemon does."};
  CLI::Option* config_ = nullptr;
  CLI::Option* socket_ = nullptr;
  CLI::Option* warn_ = nullptr;
  CLI::App* check_ = nullptr;
};

} // namespace

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  return command_line{}.parse(std::move(arguments));
}

} // namespace concert::ctl
