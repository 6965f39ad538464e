#pragma once

#include "tools/ntp_sim/simulate.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace concert::sim {

enum class command : std::uint8_t { run, check };
enum class aside_rows : std::uint8_t { with, without, only };

/// What the command line asks for.
struct options {
  command what = command::run;
  std::vector<std::filesystem::path> files;
  std::uint64_t seeds = 8;
  std::uint64_t first_seed = 1;
  unsigned jobs = 1;
  filter_kind discipline = filter_kind::osb;
  bool json = false;
  bool quiet = false;
  aside_rows aside = aside_rows::with;
  extras wanted;
};

/// What to print instead, and with which exit code.
struct usage_answer {
  int code = 0;
  std::string text;
};

/// Takes the arguments without the program's name.
tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments);

} // namespace concert::sim
