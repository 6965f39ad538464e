#include "tools/ntp_inspect/options.hpp"

#include "ctl/format.hpp"

#include <CLI/CLI.hpp>

#include <map>
#include <sstream>
#include <utility>

namespace concert::inspect {

namespace {

constexpr double shortest_interval_s = 0.1;
constexpr double longest_span_s = 86400;
constexpr double default_graph_s = 5;

/// A check that reads a length of time within limits into `into`.
CLI::Option* span_option(CLI::App& app, const std::string& name, double& into,
                         double least, const std::string& about) {
  return app.add_option_function<std::string>(
    name,
    [&into, name, least](const std::string& text) {
      const auto s = ctl::parse_span(text);
      if (!s || *s < least || *s > longest_span_s)
        throw CLI::ValidationError(
          name, "\"" + text + "\" is no length of time such as 500ms or 10s");
      into = *s;
    },
    about);
}

class command_line {
public:
  command_line() {
    app_.name("ntp-inspect");
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("-V,--version",
                          std::string{"ntp-inspect "} + CONCERT_VERSION,
                          "Print the version and exit");
    app_.add_option("-c,--config", result_.config,
                    "The daemon's configuration, which names its socket");
    app_.add_option("-s,--socket", result_.socket,
                    "The daemon's control socket");
    app_.add_option("-f,--format", form_, "Form of the output: plain or json")
      ->check(CLI::IsMember({"plain", "json"}));
    app_.require_subcommand(1);
    app_.fallthrough();
    add_views();
    add_top();
    add_trace();
    auto* inject = add("inject", "Make a fault on purpose, where allowed",
                       command::inject);
    inject->add_option("ACTOR", actor_, "Kind, name or number")->required();
    inject->add_option("FAULT", fault_, "stick TIME, kill, or fill NUMBER")
      ->required()
      ->expected(1, 2);
  }

  tl::expected<options, usage_answer> parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end()); // as CLI11 wants them
    try {
      app_.parse(std::move(words));
    } catch (const CLI::ParseError& e) {
      std::ostringstream out;
      std::ostringstream err;
      const bool good = app_.exit(e, out, err) == 0;
      return tl::unexpected{usage_answer{
        good ? 0 : static_cast<int>(exit_code::usage), out.str() + err.str()}};
    }
    result_.json = json_ || form_ == "json";
    if (result_.what == command::inject)
      result_.actors = {actor_};
    if (result_.what == command::graph && result_.seconds == 0)
      result_.seconds = default_graph_s;
    for (const auto& word : fault_)
      result_.fault += (result_.fault.empty() ? "" : " ") + word;
    return std::move(result_);
  }

private:
  CLI::App* add(const char* name, const char* about, command what) {
    auto* sub = app_.add_subcommand(name, about);
    sub->callback([this, what] { result_.what = what; });
    return sub;
  }

  void add_actors(CLI::App& sub) {
    sub.add_option("ACTOR", result_.actors,
                   "Kinds, names or numbers of actors (default: all)");
  }

  void add_views() {
    add_actors(*add("list", "One line for each actor", command::list));
    add("tree", "Who started whom", command::tree);
    auto* show = add("show", "All about some actors", command::show);
    add_actors(*show);
    show->get_option("ACTOR")->required();
    add("map", "Which messages each kind of actor handles", command::map);
  }

  void add_top() {
    auto* top = add("top", "The actors at work, live", command::top);
    add_actors(*top);
    top->add_option("--count", result_.count,
                    "End after so many pictures (default: never)");
    span_option(*top, "--interval", result_.interval_s, shortest_interval_s,
                "Time between two pictures (default 1s)");
    const std::map<std::string, sort_key> keys{
      {"depth", sort_key::depth},       {"rate", sort_key::rate},
      {"wait", sort_key::wait},         {"handling", sort_key::handling},
      {"restarts", sort_key::restarts}, {"id", sort_key::id}};
    top->add_option("--sort", result_.sort, "What is put first")
      ->transform(CLI::CheckedTransformer(keys));
  }

  void add_trace() {
    auto* trace = add("trace", "Messages as they are handled", command::trace);
    add_actors(*trace);
    trace->add_flag("--json", json_, "One JSON object a line");
    auto* seconds = span_option(*trace, "--seconds", result_.seconds, 0,
                                "End after this time");
    trace
      ->add_flag("--follow", follow_, "Until interrupted; this is the default")
      ->excludes(seconds);
    auto* graph
      = add("graph", "Who talks to whom, for Graphviz", command::graph);
    span_option(*graph, "--seconds", result_.seconds, shortest_interval_s,
                "Watch for this time (default 5s)");
  }

  CLI::App app_{"Looks into ntp-daemon: its actors and their messages."};
  options result_;
  std::string form_ = "plain";
  std::string actor_;
  std::vector<std::string> fault_;
  bool json_ = false;
  bool follow_ = false;
};

} // namespace

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  return command_line{}.parse(std::move(arguments));
}

} // namespace concert::inspect
