#pragma once

#include "config/config.hpp"
#include "tools/ntp_sim/scenario.hpp"

#include <tl/expected.hpp>
#include <toml++/toml.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace concert::sim {

using diagnostic_list = std::vector<config::diagnostic>;

/// The file of one scenario, read and found right: each seed sees its own
/// draws in it.
class scenario_file {
public:
  static tl::expected<scenario_file, diagnostic_list>
  load(const std::filesystem::path& path);
  /// The same for text at hand; `name` stands in diagnostics.
  static tl::expected<scenario_file, diagnostic_list>
  parse(std::string_view text, const std::string& name);

  scenario for_seed(std::uint64_t seed) const;
  const std::string& name() const { return name_; }
  /// A number that another text would not have.
  std::uint64_t fingerprint() const { return fingerprint_; }

private:
  scenario_file() = default;

  std::string name_;
  toml::table table_;
  std::uint64_t fingerprint_ = 0;
};

} // namespace concert::sim
