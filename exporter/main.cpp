#include "ctl/exporter_settings.hpp"
#include "exporter/http_server.hpp"
#include "exporter/options.hpp"
#include "exporter/site.hpp"

#include <asio/signal_set.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace concert::exporter {

namespace {

/// Exit codes beyond 0 and those of `parse_options`.
constexpr int cannot_serve = 1;
constexpr int bad_configuration = 78; // sysexits: EX_CONFIG

int complain(int code, const std::string& text) {
  std::fprintf(stderr, "<3>ntp-metrics-exporter: %s\n", text.c_str());
  return code;
}

int serve(const daemon_sockets& sockets, const std::string& listen,
          bool chrony_names) {
  asio::io_context context{1};
  asio::signal_set ends{context, SIGTERM, SIGINT};
  ends.async_wait([&](std::error_code, int) { context.stop(); });
  const collector from{sockets};
  site all{from, chrony_names};
  auto server = http_server::listen(
    context, listen,
    http_engine{[&](const http_request& r) { return all.answer(r); }});
  if (!server)
    return complain(cannot_serve, server.error());
  const auto place = (*server)->place();
  std::fprintf(stderr, "<6>listening port=%u observation-path=%s\n",
               static_cast<unsigned>(place.port()),
               sockets.observation.c_str());
  context.run();
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    const usage_answer& answer = options.error();
    std::fputs(answer.text.c_str(), answer.code == 0 ? stdout : stderr);
    return answer.code;
  }
  // With --observe the configuration is not needed, unless it is named.
  ctl::exporter_settings settings;
  if (!options->observation_path || options->config) {
    const auto read = ctl::read_exporter_settings(options->config);
    if (!read)
      return complain(bad_configuration, read.error().text);
    settings = *read;
  }
  if (settings.log_path
      && std::freopen(settings.log_path->c_str(), "a", stderr) == nullptr)
    return complain(cannot_serve, "cannot open " + settings.log_path->string());
  const auto observation = options->observation_path
                             ? options->observation_path
                             : settings.observation_path;
  if (!observation)
    return complain(bad_configuration,
                    "the configuration has no observation-path (use "
                    "--observe)");
  return serve({*observation, options->control_path ? options->control_path
                                                    : settings.control_path},
               options->listen.value_or(settings.listen),
               options->chrony_names);
}

} // namespace

} // namespace concert::exporter

int main(int argc, char** argv) {
  try {
    return concert::exporter::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "<3>ntp-metrics-exporter: %s\n", e.what());
    return 1;
  }
}
