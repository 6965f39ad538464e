#include "exporter/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>

namespace concert::exporter {

namespace {

constexpr int usage_code = 2;

} // namespace

tl::expected<options, usage_answer>
parse_options(const std::vector<std::string>& arguments) {
  options result;
  std::string compatibility;
  CLI::App app{"Shows what ntp-daemon does to Prometheus and to browsers"};
  app.name("ntp-metrics-exporter");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("-V,--version",
                       std::string{"ntp-metrics-exporter "} + CONCERT_VERSION,
                       "Print the version and exit");
  app
    .add_option("-c,--config", result.config,
                "The daemon's configuration, which names its sockets")
    ->type_name("FILE");
  app
    .add_option("--listen", result.listen,
                "Serve here (default 127.0.0.1:9975)")
    ->type_name("ADDRESS:PORT");
  app
    .add_option("--observe", result.observation_path,
                "The daemon's observation socket")
    ->type_name("PATH");
  app
    .add_option("--control", result.control_path,
                "The daemon's control socket, for statistics of its actors")
    ->type_name("PATH");
  app.add_option("--compat", compatibility, "Add the names of chrony_exporter")
    ->check(CLI::IsMember({"chrony_exporter"}));
  try {
    // CLI11 takes them from the end.
    app.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::ParseError& e) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(e, out, err);
    return tl::unexpected{
      usage_answer{code == 0 ? 0 : usage_code, out.str() + err.str()}};
  }
  result.chrony_names = !compatibility.empty();
  return result;
}

} // namespace concert::exporter
