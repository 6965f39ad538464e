#include "config/document.hpp"

#include "tests/config/parsing.hpp"

namespace concert::config {

namespace {

std::string repeated(std::string_view part, int times) {
  std::string result;
  for (int i = 0; i < times; ++i)
    result += part;
  return result;
}

} // namespace

TEST_CASE("keys too deep for the stack are refused before they are parsed") {
  const auto deep = repeated("a.", 100'000) + "a";
  CHECK(refusal_of("\n" + deep + " = 1\n")
        == "ntp.toml:2:1: error: more than 32 dots in one line\n");
  CHECK(refusal_of("[" + deep + "]\n").find("dots") != std::string::npos);
  CHECK(refusal_of("x = '''\n\n''' # \"\n[" + deep + "]\n")
        == "ntp.toml:4:1: error: more than 32 dots in one line\n");
}

TEST_CASE("brackets too deep for the stack are refused") {
  CHECK_FALSE(parse("a = " + repeated("[", 100'000), "ntp.toml").has_value());
  CHECK_FALSE(parse("a = " + repeated("{a=", 100'000), "ntp.toml").has_value());
  const auto level = repeated("a.", 31) + "a = [{";
  CHECK_FALSE(parse(repeated(level, 300), "ntp.toml").has_value());
}

TEST_CASE("dots in strings and comments do not count") {
  const auto many = repeated("\"192.0.2.1\", ", 100);
  const auto loaded
    = valid("# " + repeated(".", 100) + "\n[[source]]\nmode = \"pool\"\n"
            + "address = 'p.example'\nignore = [" + many + "]\n");
  CHECK(loaded.config.sources.at(0).ignore.size() == 100);
}

TEST_CASE("text that is not UTF-8 or ends early is an error, not a crash") {
  for (const std::string text : {"a = \"\xff\"", "a = \"", "a = '''", "[", "[[",
                                 "a", "a =", "a = \"\\", "\"", "# \xc3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse(text, "ntp.toml").has_value());
  }
  CHECK_FALSE(parse(std::string("a = 1\0", 6), "ntp.toml").has_value());
}

TEST_CASE("text above 8 MiB is refused") {
  CHECK(refusal_of(std::string(largest_file + 1, ' '))
        == "ntp.toml: error: is larger than 8 MiB\n");
}

} // namespace concert::config
