#include "tools/ntp_sim/scenario_file.hpp"

#include "config/document.hpp"
#include "tools/ntp_sim/daemon_file.hpp"
#include "tools/ntp_sim/scenario_reader.hpp"

namespace concert::sim {

namespace {

/// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

} // namespace

tl::expected<scenario_file, diagnostic_list>
scenario_file::load(const std::filesystem::path& path) {
  config::diagnostics found;
  const auto text = config::read_text(path, found);
  if (!text)
    return tl::unexpected{found.take()};
  return parse(*text, path.string());
}

tl::expected<scenario_file, diagnostic_list>
scenario_file::parse(std::string_view text, const std::string& name) {
  scenario_file file;
  file.name_ = std::filesystem::path{name}.stem().string();
  file.fingerprint_ = hash_of(text);
  config::diagnostics found;
  file.table_ = config::parse_document(text, name, found);
  if (found.has_errors())
    return tl::unexpected{found.take()};
  const auto s = read_scenario(file.table_, file.name_, draws{0}, found);
  if (found.has_errors())
    return tl::unexpected{found.take()};
  if (auto daemon = daemon_file(s, {}); !daemon)
    return tl::unexpected{std::move(daemon.error())};
  return file;
}

scenario scenario_file::for_seed(std::uint64_t seed) const {
  config::diagnostics ignored;
  return read_scenario(table_, name_, draws{seed}, ignored);
}

} // namespace concert::sim
