// Any text is either a configuration or a list of diagnostics.

#include "config/config.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  namespace config = concert::config;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto result = config::parse(text, "ntp.toml");
  if (!result) {
    if (result.error().empty())
      std::abort();
    return 0;
  }
  if (!config::difference(result->config, result->config).empty())
    std::abort();
  return 0;
}
