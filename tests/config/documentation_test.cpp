#include "tests/config/parsing.hpp"

#include <algorithm>
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
        "[observability]", "[keyset]", "[control]"}) {
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

TEST_CASE("every documented key outside of lists can be told and set") {
  std::ifstream file{"docs/configuration.md"};
  REQUIRE(file);
  const auto known = keys(valid("").config);
  // Kept for ntpd-rs's files, or for other programs.
  const std::vector<std::string> others{
    "observability.ansi-colors",
    "observability.log-path-metrics-exporter",
    "observability.metrics-exporter-listen",
  };
  std::string section;
  bool listed = false;
  std::size_t found = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) {
      const auto from = line.find("`[");
      listed = from != std::string::npos && !line.starts_with("## `[[")
               && line.find("source-defaults") == std::string::npos;
      if (listed)
        section = line.substr(from + 2, line.find(']') - from - 2) + '.';
      else if (line == "## Top level")
        listed = (section.clear(), true);
    }
    if (!listed || !line.starts_with("| `"))
      continue;
    const auto cell = line.substr(0, line.find('|', 1));
    for (auto at = cell.find('`'); at != std::string::npos;) {
      const auto end = cell.find('`', at + 1);
      const auto key
        = canonical_key(section + cell.substr(at + 1, end - at - 1));
      CAPTURE(key);
      const bool is_other
        = std::find(others.begin(), others.end(), key) != others.end();
      const bool is_known
        = std::any_of(known.begin(), known.end(),
                      [&](const key_value& k) { return k.key == key; });
      CHECK(is_known != is_other);
      ++found;
      at = cell.find('`', end + 1);
    }
  }
  CHECK(found > 35);
}

} // namespace concert::config
