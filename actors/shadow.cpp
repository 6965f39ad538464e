#include "actors/shadow.hpp"

#include "config/migration/migration.hpp"
#include "platform/log.hpp"

#include <fmt/format.h>

#include <array>
#include <system_error>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

constexpr std::array usual_places{"/etc/chrony/chrony.conf", "/etc/chrony.conf",
                                  "/etc/ntpsec/ntp.conf", "/etc/ntp.conf"};

std::filesystem::path usual_place() {
  std::error_code error;
  for (const auto* place : usual_places)
    if (std::filesystem::exists(place, error))
      return place;
  return {};
}

/// The rules of the daemon about whom it trusts are not ours: a witness that
/// shares the mistakes of the accused is none.
tl::expected<shadowed_daemon, std::string>
sources_of(const config::included_file& file) {
  const auto from = config::detect_dialect(file.text, file.name);
  if (!from)
    return tl::unexpected{
      fmt::format("whose configuration {} is cannot be told", file.name)};
  const auto m
    = config::migrate(file.text, *from, file.name, &config::read_included);
  auto parsed = config::parse(m.toml, file.name);
  if (!parsed || parsed->config.sources.empty())
    return tl::unexpected{
      fmt::format("{} names no source that Concert can ask", file.name)};
  log::info("shadow",
            "file={} dialect={} sources={} lost={} the same servers are asked "
            "as by the other daemon, at most every 64 s unless its "
            "configuration says otherwise; `ntp-ctl migrate` tells what was "
            "lost",
            file.name, config::to_string(*from), parsed->config.sources.size(),
            m.count(config::fate::lost));
  return shadowed_daemon{std::move(parsed->config.sources)};
}

} // namespace

tl::expected<shadowed_daemon, std::string>
find_shadowed(const std::filesystem::path& path) {
  const auto place = path.empty() ? usual_place() : path;
  if (place.empty())
    return tl::unexpected{fmt::format(
      "there is no configuration of another daemon at {}; name it with "
      "--shadow=FILE",
      fmt::join(usual_places, ", "))};
  const auto file = config::read_migrated(place);
  if (!file)
    return tl::unexpected{fmt::format("{} cannot be read", place.string())};
  return sources_of({place.string(), *file});
}

void make_shadow(config::daemon_config& config, const shadowed_daemon& daemon) {
  config.sources = daemon.sources;
  config.servers.clear();
  config.nts_ke_servers.clear();
  config.keyset = {};
  config.clock = {};
  config.clock.kind = config::clock_kind::read_only;
  config.state_file.reset();
}

} // namespace concert::actors
