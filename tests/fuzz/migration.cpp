// Any text becomes a valid configuration, whatever dialect it is taken for.

#include "config/migration/migration.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace config = concert::config;

/// `text` as one dialect; every other file is `text` itself, a few times: all
/// that may be included takes as long as hundreds of inputs.
static void migrate(std::string_view text, config::dialect from) {
  int left = 3;
  const config::include_reader itself = [&](std::string_view pattern) {
    std::vector<config::included_file> files;
    if (pattern.size() % 2 == 0 && left-- > 0)
      files.push_back({std::string{pattern}, std::string{text}});
    return files;
  };
  const auto m = config::migrate(text, from, "fuzz.conf", itself);
  if (!m.errors.empty())
    std::abort();
  for (const auto& note : m.notes)
    if (note.to_string().find('\n') != std::string::npos)
      std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)config::detect_dialect(text, "fuzz.conf");
  for (const auto from : {config::dialect::chrony, config::dialect::ntpd,
                          config::dialect::openntpd})
    migrate(text, from);
  return 0;
}
