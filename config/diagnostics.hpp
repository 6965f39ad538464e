#pragma once

#include "config/config.hpp"

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace concert::config {

/// Collects what is wrong with a configuration, each with its place.
class diagnostics {
public:
  /// More than these are counted, not kept: a hostile file could ask for
  /// hundreds of thousands.
  static constexpr std::size_t limit = 100;

  /// Notes an error at a place in a file that has been read.
  void error(const toml::source_region& where, std::string text);
  void warning(const toml::source_region& where, std::string text);
  /// Notes something about `file` as a whole.
  void error(std::string_view file, std::string text);
  void warning(std::string_view file, std::string text);

  bool has_errors() const { return has_errors_; }

  /// Everything, sorted by place; a last line tells how many were left out.
  std::vector<diagnostic> take();

private:
  void add(diagnostic entry);

  std::vector<diagnostic> entries_;
  std::size_t left_out_ = 0;
  bool has_errors_ = false;
};

/// "ntp.toml:12", for a message that speaks of a second place.
std::string to_string(const toml::source_region& where);

/// Text from a file made fit for a one-line message: cut after 60 characters,
/// control characters replaced.
std::string printable(std::string_view text);

} // namespace concert::config
