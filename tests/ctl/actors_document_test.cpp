#include "ctl/actors_document.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ctl {

TEST_CASE("what is said of an actor is read back as it was") {
  actors_status s;
  s.enabled = false;
  auto& a = s.actors.emplace_back();
  a.id = 7;
  a.kind = "source";
  a.name = "192.0.2.1:123";
  a.parent = 3;
  a.placement = "event-loop";
  a.uptime_s = 12.5;
  a.mailbox_depth = 2;
  a.handled = 99;
  a.restarts = 1;
  a.handling = "deadline";
  a.handling_s = 0.25;
  a.last_error = "killed";
  a.messages = {{"deadline", 98, 1e-3}, {"wiring", 1, 0}};
  a.wait[0] = 5;
  a.handling_time[23] = 6;
  const auto json = to_json(s);
  CHECK(json.find("\"wait\":[5]") != std::string::npos);
  const auto read = read_actors(json);
  REQUIRE(read);
  CHECK(!read->enabled);
  REQUIRE(read->actors.size() == 1);
  const auto& b = read->actors.front();
  CHECK(b.id == 7);
  CHECK(b.name == a.name);
  CHECK(b.parent == 3);
  CHECK(b.placement == "event-loop");
  CHECK(b.uptime_s == 12.5);
  CHECK(b.handling_s == 0.25);
  CHECK(b.last_error == "killed");
  REQUIRE(b.messages.size() == 2);
  CHECK(b.messages[0].slowest_s == 1e-3);
  CHECK(b.wait == a.wait);
  CHECK(b.handling_time == a.handling_time);
  CHECK(to_json(*read) == json);
}

TEST_CASE("a traced message is read back, an unknown wait as unknown") {
  traced_message m;
  m.at_s = 1.5;
  m.sender = 1;
  m.receiver = 2;
  m.receiver_kind = "steering";
  m.type = "source_report";
  m.wait_s = -1;
  m.handling_s = 2e-6;
  m.lost = 3;
  const auto read = read_traced_message(to_json(m));
  REQUIRE(read);
  CHECK(read->wait_s < 0);
  CHECK(read->receiver_kind == "steering");
  CHECK(read->lost == 3);
  CHECK(to_json(*read) == to_json(m));
}

TEST_CASE("interfaces are read back") {
  const std::vector<interface_status> all{
    {"publisher", {{"wiring", ""}, {"get_document", "document"}}}};
  const auto read = read_interfaces(to_json(all));
  REQUIRE(read);
  CHECK(read->front().messages == all.front().messages);
}

TEST_CASE("what is no document of the inspector is malformed, never trusted") {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"actors":3})",
                           "{\"actors\":[\xff]}"}) {
    CAPTURE(text);
    const auto read = read_actors(text);
    REQUIRE(!read);
    CHECK(read.error().code == errc::malformed);
  }
  CHECK(!read_actors(std::string(100'000, '[')));
  const auto odd = read_actors(
    R"({"actors":[7,{"id":-1,"kind":5,"wait":{},"messages":[null]}]})");
  REQUIRE(odd);
  CHECK(odd->actors.size() == 2);
  CHECK(odd->actors[1].id == 0);
}

} // namespace concert::ctl
