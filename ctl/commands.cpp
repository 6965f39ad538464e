#include "ctl/commands.hpp"

#include "config/config.hpp"
#include "ctl/check.hpp"
#include "ctl/client.hpp"
#include "ctl/format.hpp"
#include "ctl/observation.hpp"
#include "ctl/toml_text.hpp"
#include "ctl/view/csv_views.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <system_error>
#include <thread>

namespace concert::ctl {

namespace {

std::filesystem::path config_path(const options& o) {
  return o.config.value_or(config::default_path());
}

int to_int(exit_code code) {
  return static_cast<int>(code);
}

outcome unreachable(const error& e) {
  return {to_int(exit_code::unreachable), {}, "ntp-ctl: " + e.text + '\n'};
}

/// The key of the document that a view shows; none for all of it.
const char* part(command what) {
  switch (what) {
    case command::sources:
      return "sources";
    case command::servers:
      return "servers";
    case command::tracking:
      return "system";
    default:
      return nullptr;
  }
}

/// The parts of a document about NTS, under the keys that they have there.
result<std::string> nts_json(const std::string& document) {
  std::string text;
  for (const char* key : {"nts_sources", "nts_ke_servers", "keyset"}) {
    auto value = part_of(document, key);
    if (!value)
      return value;
    text += fmt::format("{}\"{}\":{}", text.empty() ? '{' : ',', key, *value);
  }
  return text + '}';
}

result<std::string> as_json(command what, const std::string& document) {
  if (what == command::nts)
    return nts_json(document);
  const char* const key = part(what);
  return key == nullptr ? result<std::string>{document}
                        : part_of(document, key);
}

result<std::string> as_text(command what, const std::string& document) {
  return read_observation(document).map([&](const observation& o) {
    switch (what) {
      case command::sources:
        return sources_view(o);
      case command::servers:
        return servers_view(o);
      case command::nts:
        return nts_view(o);
      case command::tracking:
        return tracking_view(o);
      default:
        return status_view(o);
    }
  });
}

result<std::string> as_csv(command what, const std::string& document) {
  return read_observation(document).map([&](const observation& o) {
    switch (what) {
      case command::sources:
        return sources_csv(o);
      case command::servers:
        return servers_csv(o);
      case command::nts:
        return nts_csv(o);
      default:
        return tracking_csv(o);
    }
  });
}

result<std::string> shown(const options& o, const std::string& document) {
  switch (o.form) {
    case output_form::json:
      return as_json(o.what, document).map([](std::string&& text) {
        return std::move(text) + '\n';
      });
    case output_form::csv:
      return as_csv(o.what, document);
    case output_form::plain:
      break;
  }
  return as_text(o.what, document);
}

/// A configuration, and where the place of a socket is from that it tells.
struct found_config {
  config::daemon_config config;
  std::string origin;
};

std::string origin(const std::filesystem::path& path) {
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored);
  return fmt::format(
    "{}{})", exists ? " (path from " : " (the default path; there is no ",
    path.string());
}

/// What the configuration at `path` says. One with errors tells where the
/// daemon is all the same: that runs with another one, and can say more.
result<found_config> load(const options& o, const std::filesystem::path& path,
                          std::string_view option) {
  // The files that it names are the daemon's: others may not read them.
  auto loaded
    = config::load(path, o.config.has_value(), config::named_files::ignored);
  if (loaded)
    return found_config{std::move(loaded->config), origin(path)};
  const auto problem
    = loaded.error().empty() ? path.string() : loaded.error()[0].to_string();
  if (auto part = config::load_leniently(path))
    return found_config{std::move(*part),
                        fmt::format(" (path from {}, which has errors: {})",
                                    path.string(), problem)};
  return tl::unexpected{
    error{errc::bad_path, fmt::format("the configuration does not tell the "
                                      "daemon's socket (use {}): {}",
                                      option, problem)}};
}

} // namespace

result<socket_place> find_socket(const options& o) {
  if (o.socket)
    return socket_place{*o.socket, {}};
  const auto path = config_path(o);
  const auto found = load(o, path, "--socket");
  if (!found)
    return tl::unexpected{found.error()};
  const auto& socket = found->config.observability.observation_path;
  if (!socket)
    return tl::unexpected{error{
      errc::bad_path,
      fmt::format("{} has no observation-path, so that the daemon cannot be "
                  "asked (use --socket)",
                  path.string())}};
  return socket_place{*socket, found->origin};
}

result<socket_place> find_control_socket(const options& o) {
  if (o.control_socket)
    return socket_place{*o.control_socket, {}};
  const auto path = config_path(o);
  if (o.socket) {
    // Beside the observation socket, by the configuration's own rule.
    const auto beside = config::parse("[observability]\nobservation-path = "
                                        + toml_string(o.socket->string()),
                                      "");
    if (beside && beside->config.control.path)
      return socket_place{*beside->config.control.path,
                          " (use --control-socket for another place)"};
  }
  const auto found = load(o, path, "--control-socket");
  if (!found)
    return tl::unexpected{found.error()};
  const auto& socket = found->config.control.path;
  if (!socket)
    return tl::unexpected{error{
      errc::bad_path,
      fmt::format("{} switches the control socket off, so that the daemon "
                  "cannot be changed",
                  path.string())}};
  return socket_place{*socket, found->origin};
}

result<std::string> ask(const socket_place& place, int cancel) {
  return fetch_document(place.path, default_time_limit, cancel)
    .map_error([&](error e) {
      e.text += place.origin;
      return e;
    });
}

outcome run_view(const options& o) {
  const auto text = find_socket(o)
                      .and_then([](const auto& place) { return ask(place); })
                      .and_then([&](const std::string& document) {
                        return shown(o, document);
                      });
  if (!text)
    return unreachable(text.error());
  return {to_int(exit_code::ok), *text, {}};
}

outcome run_validate(const options& o) {
  const auto path = config_path(o);
  const auto loaded = config::load(path, true);
  const auto& diagnostics = loaded ? loaded->warnings : loaded.error();
  outcome result;
  for (const auto& d : diagnostics)
    result.err += d.to_string() + '\n';
  if (!loaded || (o.strict && !diagnostics.empty())) {
    result.code = to_int(exit_code::no);
    result.err += fmt::format("{} cannot be used as it is\n", path.string());
    return result;
  }
  result.out = "Config looks good\n";
  return result;
}

outcome run_check(const options& o) {
  observation seen;
  const auto judged = find_socket(o)
                        .and_then([](const auto& place) { return ask(place); })
                        .and_then([](const auto& document) {
                          return read_observation(document);
                        })
                        .map([&](observation&& document) {
                          seen = std::move(document);
                          return check(seen, o.limits);
                        })
                        .map_error([](const error& e) {
                          return check_result{verdict::unknown, e.text};
                        });
  const check_result r = judged ? *judged : judged.error();
  return {static_cast<int>(r.level),
          o.form == output_form::json ? check_json(r, seen, o.limits)
                                      : check_line(r, seen, o.limits),
          {}};
}

outcome run_wait_sync(const options& o) {
  using steady = std::chrono::steady_clock;
  const auto place = find_socket(o);
  if (!place)
    return unreachable(place.error());
  const auto start = steady::now();
  for (;;) {
    const auto seen = ask(*place).and_then(
      [](const auto& document) { return read_observation(document); });
    if (seen && seen->system.synchronized.value_or(false)
        && seen->system.max_error_s.value_or(
             std::numeric_limits<double>::infinity())
             <= o.max_error_s)
      return {to_int(exit_code::ok),
              fmt::format("{}; at most {} wrong\n",
                          clock_sentence(seen->system),
                          span(seen->system.max_error_s)),
              {}};
    const std::chrono::duration<double> left{
      o.timeout_s
      - std::chrono::duration<double>(steady::now() - start).count()};
    if (o.timeout_s > 0 && left.count() <= 0)
      return seen ? outcome{to_int(exit_code::no),
                            {},
                            fmt::format("ntp-ctl: after {} the daemon is still "
                                        "{}, its clock at most {} wrong\n",
                                        age(o.timeout_s), seen->system.state,
                                        span(seen->system.max_error_s))}
                  : unreachable(seen.error());
    constexpr std::chrono::duration<double> second{1};
    std::this_thread::sleep_for(o.timeout_s > 0 ? std::min(left, second)
                                                : second);
  }
}

} // namespace concert::ctl
