#pragma once

#include "tests/config/parsing.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace concert::config {

/// A directory of its own, with ntp.toml and ntp.toml.d in it; gone at the end.
class config_directory {
public:
  config_directory() {
    std::string pattern
      = (std::filesystem::temp_directory_path() / "config-test-XXXXXX")
          .string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    std::filesystem::create_directory(root_ / "ntp.toml.d");
  }
  config_directory(const config_directory&) = delete;
  config_directory& operator=(const config_directory&) = delete;
  ~config_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  std::filesystem::path main() const { return root_ / "ntp.toml"; }
  std::string path(const char* name) const { return (root_ / name).string(); }

  void write(const char* name, std::string_view text) const {
    std::ofstream{root_ / name} << text;
  }

  /// The diagnostics with the directory's name taken out.
  std::string lines(const std::vector<diagnostic>& entries) const {
    std::string text = lines_of(entries);
    const auto prefix = root_.string() + "/";
    for (auto at = text.find(prefix); at != std::string::npos;
         at = text.find(prefix))
      text.erase(at, prefix.size());
    return text;
  }

private:
  std::filesystem::path root_;
};

} // namespace concert::config
