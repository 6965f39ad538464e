#include "tools/ntp_once/options.hpp"

#include "config/host_port.hpp"
#include "ctl/format.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace concert::once {

namespace {

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw CLI::ValidationError(where, why);
}

/// A whole text as a number, or nothing.
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || rest != end)
    return {};
  return value;
}

double span_of(const std::string& name, const std::string& text) {
  const auto s = ctl::parse_span(text);
  if (!s || *s == 0 || *s > 1e9)
    refuse(name, "\"" + text + "\" is no length of time such as 500ms or 10s");
  return *s;
}

config::host_port server_of(const std::string& text) {
  const auto parsed = config::parse_host_port(text);
  if (!parsed)
    refuse("SERVER", "\"" + text + "\": " + parsed.error());
  return *parsed;
}

void set_poll(options& o, const std::string& text) {
  const auto colon = text.find(':');
  const auto least = number<int>(text.substr(0, colon));
  const auto most
    = colon == std::string::npos ? least : number<int>(text.substr(colon + 1));
  if (!least || !most || *least < 0 || *most > 17 || *least > *most)
    refuse("--poll", "\"" + text
                       + "\" is not MIN:MAX with 0 <= MIN <= MAX <= 17, the "
                         "exponents of powers of two seconds");
  o.min_poll = static_cast<std::int8_t>(*least);
  o.max_poll = static_cast<std::int8_t>(*most);
}

void set_parameter(platform::virtual_clock_options& o,
                   const std::string& text) {
  const auto equals = text.find('=');
  const auto key = text.substr(0, equals);
  const auto value = equals == std::string::npos ? "" : text.substr(equals + 1);
  // Within these limits nothing in the clock's model overflows.
  struct parameter {
    double* into;
    double least;
    double most;
  };
  const std::map<std::string, parameter> known{
    {"initial-offset", {&o.initial_offset_s, -1e9, 1e9}},
    {"frequency-error", {&o.frequency_error, -0.1, 0.1}},
    {"wander", {&o.wander, 0, 1e-3}}};
  if (key == "seed") {
    const auto seed = number<std::uint64_t>(value);
    if (!seed)
      refuse("--virtual", "\"" + value + "\" is no seed, a whole number");
    o.seed = *seed;
    return;
  }
  const auto found = known.find(key);
  if (found == known.end())
    refuse("--virtual", "\"" + key
                          + "\" is not one of initial-offset, "
                            "frequency-error, wander, seed");
  const auto& p = found->second;
  const auto v = number<double>(value);
  if (!v || !(*v >= p.least && *v <= p.most))
    refuse("--virtual", fmt::format("{} = \"{}\" is no number from {} to {}",
                                    key, value, p.least, p.most));
  *p.into = *v;
}

void set_model(options& o, const std::string& text) {
  std::istringstream list{text};
  for (std::string part; std::getline(list, part, ',');)
    set_parameter(o.model, part);
}

/// All that is said to ntp-once, and CLI11's parser for it.
class command_line {
public:
  command_line() {
    app_.name("ntp-once");
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("-V,--version",
                          std::string{"ntp-once "} + CONCERT_VERSION,
                          "Print the version and exit");
    add_common();
    add_following();
  }

  tl::expected<options, usage_answer>
  parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);
    try {
      app_.parse(std::move(arguments));
      if (!result_.follow && follow_only_ != nullptr)
        refuse(follow_only_, "is for --follow");
      if (result_.follow && once_only_ != nullptr)
        refuse(once_only_, "is not for --follow");
      if (model_only_ != nullptr && result_.clock != followed_clock::virtual_)
        refuse(model_only_, "is for --clock virtual");
    } catch (const CLI::ParseError& e) {
      return tl::unexpected{answer(e)};
    }
    return result_;
  }

private:
  /// An option whose text `use` reads; `mark` remembers that it was there.
  template <class Use>
  CLI::Option* add(const char* name, const char* type, const char* text,
                   const char** mark, Use use) {
    return app_
      .add_option_function<std::string>(
        name,
        [this, mark, use, name](const std::string& value) {
          if (mark != nullptr)
            *mark = name;
          use(result_, value);
        },
        text)
      ->type_name(type);
  }

  void add_common() {
    app_
      .add_option_function<std::vector<std::string>>(
        "SERVER",
        [this](const std::vector<std::string>& texts) {
          for (const auto& text : texts)
            result_.servers.push_back(server_of(text));
        },
        "Name or address of a server, with :PORT if it is not 123")
      ->required();
    auto* v4 = app_.add_flag_callback(
      "-4", [this] { result_.family = ip_family::v4; }, "IPv4 only");
    app_
      .add_flag_callback(
        "-6", [this] { result_.family = ip_family::v6; }, "IPv6 only")
      ->excludes(v4);
    add("-f,--format", "FORM", "Form of the output: plain or json", nullptr,
        [](options& o, const std::string& v) { o.json = v == "json"; })
      ->check(CLI::IsMember({"plain", "json"}));
    app_.add_flag_callback(
      "--json", [this] { result_.json = true; }, "The same as -f json");
    app_.add_flag("--interleaved", result_.interleaved,
                  "Ask for the true transmit stamps of the answers (RFC 9769)");
    add("-n,--samples", "N", "Samples of each server, 1 to 8 (default 4)",
        &once_only_, [](options& o, const std::string& v) {
          const auto n = number<int>(v);
          if (!n || *n < 1 || *n > 8)
            refuse("--samples",
                   "\"" + v
                     + "\" is not 1 to 8, what a server is asked quickly");
          o.samples = *n;
        });
    add("-t,--timeout", "TIME",
        "End after this time (default 4s and 2s for each sample)", &once_only_,
        [](options& o, const std::string& v) {
          o.timeout_s = span_of("--timeout", v);
        });
    add("--agree", "N",
        "How many servers must agree (default: a majority, at most 3)", nullptr,
        [](options& o, const std::string& v) {
          o.agreeing = number<std::uint32_t>(v);
          if (!o.agreeing || *o.agreeing == 0)
            refuse("--agree", "\"" + v + "\" is no number of servers");
        });
    add("--time-scale", "SCALE",
        "raw (default), or monotonic for simulators without it", nullptr,
        [](options& o, const std::string& v) {
          o.scale = v == "raw" ? time_scale::raw : time_scale::monotonic;
        })
      ->check(CLI::IsMember({"raw", "monotonic"}));
  }

  void add_following() {
    app_.add_flag("--follow", result_.follow,
                  "Go on, and discipline a clock, until a signal");
    add("--clock", "KIND", "Which clock: none (default), virtual or system",
        &follow_only_,
        [](options& o, const std::string& v) {
          o.clock = v == "system"    ? followed_clock::system
                    : v == "virtual" ? followed_clock::virtual_
                                     : followed_clock::none;
        })
      ->check(CLI::IsMember({"none", "virtual", "system"}));
    add("--virtual", "KEY=VALUE[,...]",
        "Of the virtual clock: initial-offset (s), frequency-error (ratio), "
        "wander (per root s), seed",
        &model_only_, set_model);
    add("--poll", "MIN:MAX", "Poll interval, log2 s (default 6:10)",
        &follow_only_, set_poll);
    add("--duration", "TIME", "End after this time", &follow_only_,
        [](options& o, const std::string& v) {
          o.duration_s = span_of("--duration", v);
        });
    add("--log", "FILE", "Add a line of statistics for each update; - = stdout",
        &follow_only_, [](options& o, const std::string& v) { o.log = v; });
  }

  usage_answer answer(const CLI::ParseError& e) const {
    if (e.get_exit_code() == 0) {
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(e, out, err);
      return {0, out.str()};
    }
    return {static_cast<int>(exit_code::usage),
            std::string{"ntp-once: "} + e.what()
              + "\nntp-once --help shows what can be said.\n"};
  }

  options result_;
  const char* follow_only_ = nullptr; ///< an option given that is for it
  const char* once_only_ = nullptr;
  const char* model_only_ = nullptr;
  CLI::App app_{"Asks NTP servers for the time, once or for good."};
};

} // namespace

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  return command_line{}.parse(std::move(arguments));
}

} // namespace concert::once
