#include "ctl/text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace concert::ctl {

TEST_CASE("text from elsewhere cannot steer a terminal") {
  CHECK(printable("\033[2Jgone\r\n") == "?[2Jgone??");
  CHECK(printable("\x7f\xc2\x9b"
                  "31m")
        == "??31m");
  CHECK(printable("a\xe2\x80\xae"
                  "b")
        == "a?b"); // right-to-left override
  CHECK(printable(std::string_view{"\0", 1}) == "?");
}

TEST_CASE("well-formed UTF-8 stays and each bad octet becomes a mark") {
  CHECK(printable("z\xc3\xbcrich \xe6\x99\x82 \xf0\x9f\x95\x93")
        == "z\xc3\xbcrich \xe6\x99\x82 \xf0\x9f\x95\x93");
  CHECK(printable("\xc3") == "?");
  CHECK(printable("\xc0\x80") == "??");           // overlong
  CHECK(printable("\xed\xa0\x80") == "???");      // surrogate
  CHECK(printable("\xf4\x90\x80\x80") == "????"); // beyond U+10FFFF
  CHECK(printable("\xe6\x99x") == "??x");
}

TEST_CASE("any octets at all become printable, and stay so") {
  std::uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string noise(static_cast<std::size_t>(round % 17), '\0');
    for (char& c : noise) {
      state = state * 1664525U + 1013904223U;
      c = static_cast<char>(state >> 24);
    }
    const std::string once = printable(noise);
    CHECK(printable(once) == once);
  }
}

TEST_CASE("columns are counted by code points") {
  CHECK(width("z\xc3\xbcrich") == 6);
  CHECK(left("\xc3\xbc", 3) == "\xc3\xbc  ");
  CHECK(right("\xc3\xbc", 3) == "  \xc3\xbc");
  CHECK(left("long", 2) == "long");
  CHECK(shortened("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 3)
        == "\xc3\xbc\xc3\xbc~");
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 0).empty());
}

TEST_CASE("a long sentence is broken at its spaces") {
  CHECK(wrapped("one two three", 8, 2) == "one two\n  three");
  CHECK(wrapped("unbreakable", 4, 1) == "unbreakable");
  CHECK(wrapped("", 10, 0).empty());
}

} // namespace concert::ctl
