#include "ctl/schema.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace concert::ctl {

namespace {

control_problem refused(std::string_view line) {
  std::uint64_t id = 0;
  const auto read = read_request(line, id);
  REQUIRE_FALSE(read);
  return read.error();
}

std::string text_of_refusal(std::string_view line) {
  const auto problem = refused(line);
  CHECK(problem.why == control_refusal::malformed);
  return problem.text;
}

const control_request full{.id = 18446744073709551615U,
                           .what = control_verb::source_modify,
                           .key = "a.b",
                           .value = "x = \"1\"\n\ty = 2\n",
                           .source = "time.example.org:123",
                           .persist = true,
                           .discard = true,
                           .actors = {"source", "17"}};

} // namespace

TEST_CASE("each request has a name of its own") {
  for (std::size_t i = 0; i < control_verb_count; ++i) {
    const auto verb = static_cast<control_verb>(i);
    CHECK(control_verb_of(to_string(verb)) == verb);
  }
  CHECK_FALSE(control_verb_of("force_sync"));
  CHECK(to_string(control_verb::inject) == "inject");
  CHECK(to_string(control_refusal::failed) == "failed");
}

TEST_CASE("whoever asks needs no rights, whoever changes something does") {
  CHECK_FALSE(needs_rights(control_verb::hello));
  CHECK_FALSE(needs_rights(control_verb::interface_map));
  CHECK(needs_rights(control_verb::set));
  CHECK(needs_rights(control_verb::trace));
  CHECK(needs_rights(control_verb::inject));
}

TEST_CASE("a request is read as it was written") {
  std::uint64_t id = 0;
  const auto line = to_json(full);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(read_request(line, id).value() == full);
  CHECK(id == full.id);
  control_request small;
  small.id = 1;
  CHECK(to_json(small) == R"({"v":1,"id":1,"request":"hello"})");
  CHECK(read_request(to_json(small), id).value() == small);
}

TEST_CASE("a request with what we do not know is refused by name") {
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"get","kay":"a"})")
        == "\"kay\" must be left out: there is no such member");
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"get","key":5})")
        == "\"key\" must be a string");
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"get","persist":1})")
        == "\"persist\" must be true or false");
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"get","actors":["a",1]})")
        == "\"actors\" must be an array of strings");
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"get","id":2})")
        == "\"id\" is there twice");
  CHECK(text_of_refusal(R"({"v":1,"id":1,"request":"set","key":"a"})")
        == "\"set\" needs \"value\"");
  CHECK(refused(R"({"v":1,"id":1,"request":"selfdestruct"})").why
        == control_refusal::unknown);
}

TEST_CASE("what is no request at all is refused") {
  for (const auto* line :
       {"", "{", "[]", "7", "null", "{}", R"({"v":1})",
        R"({"v":1,"id":-1,"request":"get"})", R"({"v":1,"id":1,"request":7})",
        R"({"v":"1","id":1,"request":"get"})",
        "{\"v\":1,\"id\":1,\"request\":\"\xff\"}",
        // Half a character, which would come out as no UTF-8.
        R"({"v":1,"id":1,"request":"get","key":"\udc00"})",
        R"({"v":1,"id":1,"request":"get","\udc00":"a"})"})
    CHECK_FALSE(text_of_refusal(line).empty());
  CHECK_FALSE(text_of_refusal(std::string(100000, '[')).empty());
  CHECK_FALSE(text_of_refusal(std::string(max_request + 1, ' ')).empty());
}

TEST_CASE("the number of a request that is refused is still known") {
  std::uint64_t id = 0;
  CHECK_FALSE(read_request(R"({"v":1,"id":42,"request":"oh"})", id));
  CHECK(id == 42);
  CHECK_FALSE(read_request("{", id));
  CHECK(id == 0);
}

TEST_CASE("a request of another version is refused, whatever else it has") {
  const auto problem = refused(R"({"v":2,"id":1,"request":"new","more":{}})");
  CHECK(problem.why == control_refusal::version);
  CHECK(problem.text
        == "this daemon speaks version 1 of the control protocol, not 2");
}

TEST_CASE("an answer is read as it was written") {
  const auto done
    = read_control_answer(to_json(7, {R"({"a":[1,0.5]})", {}, true})).value();
  CHECK(done.id == 7);
  CHECK(done.answer.result == R"({"a":[1,0.5]})");
  CHECK(done.answer.more);
  CHECK_FALSE(done.answer.problem);
  const auto refusal
    = read_control_answer(
        to_json(8, {{}, control_problem{control_refusal::not_now, "a\n\x1b"}}))
        .value();
  CHECK(refusal.id == 8);
  REQUIRE(refusal.answer.problem);
  CHECK(refusal.answer.problem->why == control_refusal::not_now);
  CHECK(refusal.answer.problem->text == "a\n?");
  CHECK(refusal.answer.result.empty());
}

TEST_CASE("what is no answer is an error") {
  for (const auto* line :
       {"", "{}", "[1]", R"({"v":1,"id":1})", R"({"v":2,"id":1,"result":{}})",
        R"({"v":1,"result":{}})", R"({"v":1,"id":1,"error":{"why":"so"}})",
        R"({"v":1,"id":1,"error":{"why":"so","text":"x"}})"})
    CHECK_FALSE(read_control_answer(line));
}

TEST_CASE("no change of a few octets breaks the readers") {
  const auto request = to_json(full);
  const auto answer
    = to_json(9, {{}, control_problem{control_refusal::busy, "wait"}});
  std::mt19937 random{1};
  for (int i = 0; i < 2000; ++i) {
    auto text = i % 2 == 0 ? request : answer;
    for (auto n = random() % 4; n != 0; --n)
      text[random() % text.size()] = static_cast<char>(random());
    std::uint64_t id = 0;
    if (const auto read = read_request(text, id))
      CHECK(read_request(to_json(*read), id).value() == *read);
    if (const auto read = read_control_answer(text))
      CHECK(read_control_answer(to_json(read->id, read->answer)));
  }
}

} // namespace concert::ctl
