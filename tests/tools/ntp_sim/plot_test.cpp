#include "tools/ntp_sim/plot.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace concert::sim {

namespace {

/// Whether each element is closed in its order and no text breaks the markup.
bool is_well_formed(const std::string& text) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while ((at = text.find('<', at)) != std::string::npos) {
    const auto end = text.find('>', at);
    if (end == std::string::npos)
      return false;
    const auto tag = text.substr(at + 1, end - at - 1);
    at = end;
    if (tag.find('<') != std::string::npos)
      return false;
    if (tag.front() == '?' || tag.back() == '/')
      continue;
    const auto name = tag.substr(0, tag.find(' '));
    if (tag.front() != '/')
      open.push_back(name);
    else if (open.empty() || "/" + open.back() != name)
      return false;
    else
      open.pop_back();
  }
  return open.empty();
}

std::size_t longest_line(const std::string& svg) {
  std::size_t most = 0;
  std::size_t at = 0;
  while ((at = svg.find("points=\"", at)) != std::string::npos) {
    const auto end = svg.find('"', at + 8);
    std::size_t points = 0;
    for (; at < end; ++at)
      points += svg[at] == ',' ? 1 : 0;
    most = std::max(most, points);
  }
  return most;
}

} // namespace

TEST_CASE("a picture is well-formed and of bounded size") {
  course c{0, 100'000};
  for (int t = 0; t <= 100'000; ++t) {
    const double error = 1e-6 * std::sin(t * 0.7);
    c.error.add(t, error);
    c.belief.add(t, error / 2);
    c.bound_high.add(t, 1e-3);
    c.sources.try_emplace("a <b> & c", c.from_s, c.until_s)
      .first->second.add(t, 2 * error);
  }
  const auto svg = plot(c, "title with <angles> & more");
  CHECK(is_well_formed(svg));
  CHECK(svg.find("&lt;angles&gt; &amp; more") != std::string::npos);
  CHECK(svg.find(" µs</text>") != std::string::npos);
  CHECK(svg.find(" h</text>") != std::string::npos);
  CHECK(longest_line(svg) == 2 * series::bins);
}

TEST_CASE("a picture of nothing is still a picture") {
  CHECK(is_well_formed(plot(course{0, 10}, "empty")));
}

TEST_CASE("a value that is no number does not spoil a picture") {
  course c{0, 10};
  c.error.add(1, std::numeric_limits<double>::infinity());
  const auto svg = plot(c, "t");
  CHECK(is_well_formed(svg));
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("a series keeps the extremes of each span and leaves out the rest") {
  series s{100, 1100};
  s.add(99, 7);
  s.add(1101, 7);
  s.add(100.2, 1);
  s.add(100.4, -2);
  s.add(1100, 3);
  CHECK(s.spans().front().high == 1);
  CHECK(s.spans().front().low == -2);
  CHECK(s.spans().back().high == 3);
  CHECK(s.spans()[1].empty);
}

} // namespace concert::sim
