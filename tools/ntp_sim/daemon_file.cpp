#include "tools/ntp_sim/daemon_file.hpp"

#include "config/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace concert::sim {

namespace {

std::string generated(const scenario& s,
                      const std::filesystem::path& state_file) {
  std::string text;
  if (!state_file.empty())
    text += fmt::format("state-file = '{}'\n", state_file.string());
  text += "[observability]\nlog-level = \"error\"\n";
  text += fmt::format("[source-defaults]\npoll-interval-limits"
                      " = {{ min = {}, max = {} }}\n",
                      s.min_poll, s.max_poll);
  if (!s.sources)
    return text;
  for (const auto& server : s.world.servers)
    text += fmt::format("[[source]]\nmode = \"server\"\naddress = \"{}\"\n"
                        "iburst = {}\n",
                        server.address, s.iburst);
  return text;
}

} // namespace

tl::expected<std::string, std::vector<config::diagnostic>>
daemon_file(const scenario& s, const std::filesystem::path& state_file) {
  const auto name = s.name + " (config)";
  // By itself first: here the positions are those of its author.
  if (auto own = config::parse(s.config, name); !own)
    return tl::unexpected{std::move(own.error())};
  config::diagnostics found;
  auto table = config::parse_document(generated(s, state_file), name, found);
  config::merge(table, config::parse_document(s.config, name, found));
  std::ostringstream out;
  out << table << '\n';
  if (auto whole = config::parse(out.str(), name); !whole)
    return tl::unexpected{std::move(whole.error())};
  return out.str();
}

std::string default_configuration() {
  const auto parsed = config::parse("", "");
  if (!parsed)
    return {};
  const auto& c = parsed->config.steering;
  return fmt::format(
    "minimum-agreeing-sources = {}, startup step {} s, step {} s, "
    "max-slew = {:.4g}, max-error = {} s, initial-wander = {:.4g}",
    c.minimum_agreeing_sources
      ? std::to_string(*c.minimum_agreeing_sources)
      : std::string{"majority of the sources, at most 3"},
    c.startup_step_s, c.step_s, c.max_slew, c.max_error_s, c.initial_wander);
}

} // namespace concert::sim
