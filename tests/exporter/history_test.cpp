#include "exporter/history.hpp"

#include "tests/exporter/samples.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidjson/document.h>

namespace concert::exporter {

namespace {

reading at(double s,
           const std::vector<std::pair<std::string, double>>& sources) {
  reading r;
  r.at_s = s;
  r.observed.emplace();
  r.observed->system.offset_s = 0.5;
  for (const auto& [name, offset] : sources) {
    ctl::observed_source source;
    source.name = name;
    source.offset_s = offset;
    r.observed->sources.push_back(source);
  }
  return r;
}

rapidjson::Document parsed(const history& h) {
  rapidjson::Document document;
  document.Parse(h.to_json());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

} // namespace

TEST_CASE("a source that comes later has no past") {
  history h;
  h.add(at(10, {{"a", 1}}));
  h.add(at(12, {{"a", 2}, {"b", 3}}));
  CHECK(h.to_json()
        == R"({"sources":["a","b"],"rows":[[10.0,0.5,null,null,1.0,null],)"
           R"([12.0,0.5,null,null,2.0,3.0]]})");
}

TEST_CASE("rows come no more often than the interval") {
  history h;
  for (int i = 0; i < 10; ++i)
    h.add(at(i, {}));
  CHECK(h.size() == 5);
}

TEST_CASE("a daemon that does not answer leaves a gap") {
  history h;
  h.add(at(10, {{"a", 1}}));
  reading silent;
  silent.at_s = 12;
  h.add(silent);
  const auto document = parsed(h);
  CHECK(document["rows"][1][1].IsNull());
  CHECK(document["rows"][1][4].IsNull());
}

TEST_CASE("rows and sources are bounded, and what is old goes") {
  history h;
  for (std::size_t i = 0; i < history::rows + 500; ++i)
    h.add(at(2.0 * static_cast<double>(i), {{fmt::format("s{}", i), 1}}));
  const auto document = parsed(h);
  CHECK(document["rows"].Size() == history::rows);
  CHECK(document["sources"].Size() == history::max_sources);
}

TEST_CASE("a source without a value left makes room for others") {
  history h;
  h.add(at(0, {{"old", 1}}));
  for (std::size_t i = 1; i <= history::rows + 1; ++i)
    h.add(at(2.0 * static_cast<double>(i), {{"new", 1}}));
  const auto document = parsed(h);
  REQUIRE(document["sources"].Size() == 1);
  CHECK(std::string{document["sources"][0].GetString()} == "new");
}

TEST_CASE("when the clock is set back, rows of the future are dropped") {
  history h;
  for (int i = 0; i < 10; ++i)
    h.add(at(100 + 2 * i, {{"a", 1}}));
  h.add(at(104.5, {{"a", 1}}));
  const auto document = parsed(h);
  for (rapidjson::SizeType i = 1; i < document["rows"].Size(); ++i)
    CHECK(document["rows"][i][0].GetDouble()
          > document["rows"][i - 1][0].GetDouble());
  CHECK(h.size() == 3);
}

} // namespace concert::exporter
