#include "tests/config/parsing.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

namespace concert::config {

namespace {

/// The keys that a section knows, out of the complaint about one that it does
/// not know.
std::vector<std::string> keys_of(std::string_view section) {
  const auto text = refusal_of(std::string{section} + "\nzzzzzzzzzzzz = 1\n");
  const std::string marker = "unknown key `zzzzzzzzzzzz`";
  const std::string list = "known here: ";
  const auto start = text.find(list, text.find(marker));
  REQUIRE(start != std::string::npos);
  const auto from = start + list.size();
  std::istringstream words{text.substr(from, text.find('\n', from) - from)};
  std::vector<std::string> keys;
  for (std::string word; words >> word;) {
    if (word.back() == ',')
      word.pop_back();
    keys.push_back(word);
  }
  return keys;
}

} // namespace

TEST_CASE("every key that is read is documented") {
  std::ifstream file{"docs/configuration.md"};
  REQUIRE_MESSAGE(file, "run the tests in the project's directory");
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  for (const auto* section :
       {"", "[[source]]\nmode = \"pool\"\naddress = \"a.example\"",
        "[[source]]\nmode = \"nts-pool\"\naddress = \"a.example\"",
        "[[nts-ke-server]]\nlisten = \"[::]:4460\"", "[source-defaults]",
        "[[server]]\nlisten = \"[::]:123\"", "[synchronization]", "[clock]",
        "[observability]", "[keyset]"}) {
    CAPTURE(section);
    const auto keys = keys_of(section);
    CHECK(keys.size() > 2);
    for (const auto& key : keys) {
      CAPTURE(key);
      const bool documented
        = text.find('`' + key + '`') != std::string::npos
          || text.find("[" + key + "]") != std::string::npos
          || text.find("." + key + "]") != std::string::npos;
      CHECK(documented);
    }
  }
}

} // namespace concert::config
