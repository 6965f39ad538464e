#include "platform/line_file.hpp"

#include "tests/platform/support.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

namespace concert::platform {

using testing::contents;
using testing::temporary_folder;

TEST_CASE("lines are added to what a file holds already") {
  const temporary_folder folder;
  const auto path = folder / "lines";
  std::ofstream{path} << "before\n";
  line_file file{path};
  CHECK(file.append("one"));
  CHECK(file.append("two"));
  CHECK(contents(path) == "before\none\ntwo\n");
}

TEST_CASE("after a rotation lines go to the new file, none is lost or twice") {
  const temporary_folder folder;
  const auto path = folder / "lines";
  const auto old = folder / "lines.1";
  line_file file{path};
  CHECK(file.append("one"));
  std::filesystem::rename(path, old);
  CHECK(file.append("two"));
  file.reopen();
  CHECK(file.append("three"));
  CHECK(contents(old) == "one\ntwo\n");
  CHECK(contents(path) == "three\n");
}

TEST_CASE("a folder that vanished is an error, and one that is back is used") {
  const temporary_folder folder;
  const auto inner = folder / "inner";
  line_file file{inner / "lines"};
  const auto failed = file.append("one");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text.find("cannot open") == 0);
  std::filesystem::create_directory(inner);
  CHECK(file.append("two"));
  CHECK(contents(inner / "lines") == "two\n");
}

TEST_CASE("a full disk is an error and costs the line") {
  line_file file{"/dev/full"};
  const auto failed = file.append("one");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().text.find("cannot write") == 0);
}

} // namespace concert::platform
