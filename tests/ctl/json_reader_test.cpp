#include "ctl/json_reader.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

TEST_CASE("what the library would read wrongly is no JSON of ours") {
  for (const auto* text :
       {"[0e55]", "[77002e-329]", "[1e309]", "[5e-324]", "[1e-9999999999]",
        "[0.00000000000000000000000000000000000000000000000000000000000000001]",
        R"(["\udc00"])", R"({"\udfff":1})", R"(["\ud800"])",
        "[\"\xed\xa0\"]"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_json(text, 1000));
  }
}

TEST_CASE("what the library reads well is read") {
  for (const auto* text :
       {"[0]", "[-0.0]", "[1e-200]", "[1.5E+200]", "[1e007]",
        "[18446744073709551615]", R"(["\ud83d\ude00"])", "[\"\ud7ff\"]"}) {
    CAPTURE(text);
    CHECK(parse_json(text, 1000));
  }
}

} // namespace concert::ctl
