// Any text is either a configuration or a list of diagnostics, and the same
// holds for a file of run-time changes, which comes back as it was.

#include "config/config.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace config = concert::config;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto changes = config::parse_runtime_changes(text, "r.toml")) {
    const auto again
      = config::parse_runtime_changes(config::to_toml(*changes), "r.toml");
    if (!again || config::to_toml(*again) != config::to_toml(*changes))
      std::abort();
    config::joined(*changes, *changes);
  }
  const auto result = config::parse(text, "ntp.toml");
  if (!result) {
    if (result.error().empty())
      std::abort();
    return 0;
  }
  if (!config::difference(result->config, result->config).empty())
    std::abort();
  if (!config::changed_keys(result->config, result->config).empty())
    std::abort();
  return 0;
}
