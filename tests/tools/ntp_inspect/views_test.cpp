#include "tools/ntp_inspect/views.hpp"

#include "tools/ntp_inspect/graph.hpp"
#include "tools/ntp_inspect/options.hpp"
#include "tools/ntp_inspect/quantile.hpp"
#include "tools/ntp_inspect/top_view.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::inspect {

namespace {

ctl::actor_status actor(std::uint64_t id, std::string kind,
                        std::uint64_t parent = 0) {
  ctl::actor_status a;
  a.id = id;
  a.kind = std::move(kind);
  a.parent = parent;
  a.placement = "pool";
  return a;
}

} // namespace

TEST_CASE("a quantile is the end of the power of two that it lies in") {
  ctl::duration_histogram h{};
  CHECK(!quantile(h, 0.5));
  h[0] = 50;
  h[3] = 49;
  h[10] = 1;
  CHECK(*quantile(h, 0.5) == doctest::Approx(256e-9));
  CHECK(*quantile(h, 0.99) == doctest::Approx(8 * 256e-9));
  CHECK(*quantile(h, 1) == doctest::Approx(1024 * 256e-9));
  h.back() = 1000;
  CHECK(std::isinf(*quantile(h, 0.99)));
}

TEST_CASE("the tree shows each actor once, whoever its parents are") {
  ctl::actors_status s;
  s.actors = {actor(1, "root"), actor(2, "child", 1), actor(3, "grandchild", 2),
              actor(9, "orphan", 8)};
  CHECK(tree_text(s)
        == "root (#1, pool)\n  child (#2, pool)\n    grandchild (#3, pool)\n"
           "orphan (#9, pool)\n");
}

TEST_CASE("a stuck actor stands first in the live view, and is marked") {
  ctl::actors_status before;
  before.actors = {actor(1, "busy"), actor(2, "stuck")};
  auto now = before;
  now.actors[0].handled = 500;
  now.actors[0].mailbox_depth = 7;
  now.actors[1].handling = "deadline";
  now.actors[1].handling_s = 4;
  const auto lines = top_view(before, now, 0.5, sort_key::depth, 0, 0);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].text == "2 actors, 1000.0 messages/s, 7 waiting, 1 stuck");
  CHECK(lines[2].stuck);
  CHECK(lines[2].text.find("STUCK 4.00 s in deadline") != std::string::npos);
  CHECK(lines[3].text.find("1000.0") != std::string::npos);
  CHECK(top_view(before, now, 0.5, sort_key::depth, 3, 20).size() == 3);
  for (const auto& l : top_view(before, now, 0.5, sort_key::depth, 3, 20))
    CHECK(l.text.size() <= 20);
}

TEST_CASE("the graph has an edge for each pair that talked") {
  ctl::actors_status s;
  s.actors = {actor(1, "root"), actor(2, "child", 1)};
  s.actors[1].name = "a\"b";
  graph g{s};
  ctl::traced_message m;
  g.add(m); // a sign of life
  m.sender = 1;
  m.receiver = 2;
  m.type = "ping";
  g.add(m);
  g.add(m);
  const auto dot = g.dot(4);
  CHECK(dot.find("a2 [label=\"child a\\\"b\"]") != std::string::npos);
  CHECK(dot.find("a1 -> a2 [label=\"2 ping (0.5/s)\"]") != std::string::npos);
  CHECK(dot.find("a1 -> a2 [style=dotted") != std::string::npos);
}

TEST_CASE("command lines are understood, or refused with code 2") {
  const auto top = parse_options(
    {"top", "--count", "3", "--interval", "1s", "-s", "/run/x"});
  REQUIRE(top);
  CHECK(top->what == command::top);
  CHECK(top->count == 3);
  CHECK(top->socket == "/run/x");
  const auto trace
    = parse_options({"trace", "source", "steering", "--follow", "--json"});
  REQUIRE(trace);
  CHECK(trace->actors == std::vector<std::string>{"source", "steering"});
  CHECK(trace->json);
  CHECK(trace->seconds == 0);
  const auto inject = parse_options({"inject", "steering", "stick", "5s"});
  REQUIRE(inject);
  CHECK(inject->actors == std::vector<std::string>{"steering"});
  CHECK(inject->fault == "stick 5s");
  CHECK(parse_options({"graph"})->seconds == 5);
  for (const auto& bad : std::vector<std::vector<std::string>>{
         {},
         {"show"},
         {"top", "--interval", "0s"},
         {"trace", "--seconds", "1", "--follow"},
         {"-f", "csv", "list"}}) {
    const auto parsed = parse_options(bad);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == 2);
  }
  CHECK(parse_options({"--version"}).error().code == 0);
}

} // namespace concert::inspect
