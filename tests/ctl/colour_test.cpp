#include "ctl/colour.hpp"

#include <doctest/doctest.h>

namespace concert::ctl {

TEST_CASE("states are green, yellow or red, and nothing else is touched") {
  CHECK(coloured("SYNCHRONIZED for 2 min\n")
        == "\033[1;32mSYNCHRONIZED\033[m for 2 min\n");
  CHECK(coloured("NOT SYNCHRONIZED") == "\033[1;31mNOT SYNCHRONIZED\033[m");
  CHECK(coloured("UNSYNCHRONIZED") == "\033[1;31mUNSYNCHRONIZED\033[m");
  CHECK(coloured("NTP WARNING: holdover")
        == "\033[1;33mNTP WARNING\033[m: holdover");
  CHECK(coloured("clock 1 us slow\n") == "clock 1 us slow\n");
  CHECK(coloured("").empty());
}

TEST_CASE("marks of sources are coloured at the begin of a line only") {
  CHECK(coloured("* a * b\n") == "\033[1;32m* \033[ma * b\n");
  CHECK(coloured("\nx liar\n") == "\n\033[1;31mx \033[mliar\n");
}

} // namespace concert::ctl
