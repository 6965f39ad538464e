#include "tests/ctl/golden.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace concert::ctl {

bool matches_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path{__FILE__}.parent_path() / "golden"
                    / (name + ".txt");
  const char* const mode = std::getenv("CONCERT_GOLDEN");
  if (mode != nullptr && std::string_view{mode} == "write")
    return static_cast<bool>(std::ofstream{path} << text);
  std::ifstream file{path};
  const std::string expected{std::istreambuf_iterator<char>{file}, {}};
  CHECK_MESSAGE(text == expected, "differs from " << path.string());
  return text == expected;
}

} // namespace concert::ctl
