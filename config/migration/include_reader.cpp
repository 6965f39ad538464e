#include "config/migration/migration.hpp"

#include <glob.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

namespace concert::config {

namespace {

constexpr std::size_t most_files = 100;

} // namespace

std::optional<std::string> read_migrated(const std::filesystem::path& path) {
  std::error_code error;
  // A device or a pipe could go on for ever.
  if (!std::filesystem::is_regular_file(path, error)
      || std::filesystem::file_size(path, error) > largest_migrated || error)
    return std::nullopt;
  std::ifstream file{path, std::ios::binary};
  std::string text(largest_migrated, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::vector<included_file> read_included(std::string_view pattern) {
  glob_t found{};
  const std::unique_ptr<glob_t, decltype(&globfree)> guard{&found, &globfree};
  if (glob(std::string{pattern}.c_str(), 0, nullptr, &found) != 0)
    return {};
  std::vector<included_file> files;
  for (std::size_t i = 0; i < found.gl_pathc && files.size() < most_files; ++i)
    if (auto text = read_migrated(found.gl_pathv[i]))
      files.push_back({found.gl_pathv[i], std::move(*text)});
  return files;
}

} // namespace concert::config
