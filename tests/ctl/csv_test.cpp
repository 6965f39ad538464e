#include "ctl/csv.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

TEST_CASE("a table has a header line and a line for each row") {
  csv table{{"a", "b"}};
  CHECK(table.text() == "a,b\n");
  table.row({"1", ""});
  CHECK(table.text() == "a,b\n1,\n");
}

TEST_CASE("commas, quotes and ends of lines are quoted") {
  csv table{{"a"}};
  table.row({"x,y"});
  table.row({"say \"no\""});
  table.row({"one\ntwo"});
  CHECK(table.text() == "a\n\"x,y\"\n\"say \"\"no\"\"\"\n\"one\ntwo\"\n");
}

} // namespace concert::ctl
