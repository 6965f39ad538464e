#include "ctl/control_client.hpp"

#include "tests/ctl/fake_daemon.hpp"

#include <doctest/doctest.h>

#include <sys/eventfd.h>
#include <unistd.h>

namespace concert::ctl {

namespace {

using namespace std::chrono_literals;
using manner = fake_daemon::manner;

result<control_answer> asked(const fake_daemon& daemon,
                             std::chrono::milliseconds limit = 5s,
                             int cancel = -1) {
  return control_client::connect(daemon.path(), limit, cancel)
    .and_then([](control_client client) { return client.ask({}); });
}

} // namespace

TEST_CASE("a control client gets the result, or why there is none") {
  const fake_daemon yes{"{\"v\":1,\"id\":1,\"result\":{\"a\":[1,2]}}\n",
                        manner::stalls};
  CHECK(asked(yes).value().result == "{\"a\":[1,2]}");
  const fake_daemon no{"{\"v\":1,\"id\":1,\"error\":{\"why\":\"invalid\","
                       "\"text\":\"one\\ntwo\"}}\n",
                       manner::stalls};
  const auto refused = asked(no);
  REQUIRE(refused.value().problem.has_value());
  CHECK(refused->problem->why == control_refusal::invalid);
  CHECK(refused->problem->text == "one\ntwo");
}

TEST_CASE("answers to others are passed over, refusals to nobody are not") {
  const fake_daemon late{"{\"v\":1,\"id\":9,\"result\":{}}\n"
                         "{\"v\":1,\"id\":1,\"result\":{\"mine\":true}}\n",
                         manner::stalls};
  CHECK(asked(late).value().result == "{\"mine\":true}");
  const fake_daemon unread{"{\"v\":1,\"id\":0,\"error\":{\"why\":"
                           "\"malformed\",\"text\":\"what?\"}}\n",
                           manner::stalls};
  CHECK(asked(unread).value().problem.value().why
        == control_refusal::malformed);
}

TEST_CASE("further lines follow an answer that says so") {
  const fake_daemon daemon{
    "{\"v\":1,\"id\":1,\"result\":{},\"more\":true}\n"
    "{\"v\":1,\"id\":1,\"result\":{\"n\":1},\"more\":true}\n{\"v\":1,",
    manner::stalls};
  auto client = control_client::connect(daemon.path());
  REQUIRE(client.has_value());
  CHECK(client->ask({}).value().more);
  CHECK(client->next(5s).value().result == "{\"n\":1}");
  CHECK(client->next(20ms).error().code == errc::timeout);
  CHECK(client->next(20ms).error().code == errc::timeout);
}

TEST_CASE("a control client does not wait for ever, nor read without end") {
  const fake_daemon hung{"", manner::hangs};
  CHECK(asked(hung, 50ms).error().code == errc::timeout);
  const fake_daemon half{"{\"v\":1,\"id\":1", manner::stalls};
  CHECK(asked(half, 50ms).error().code == errc::timeout);
  const fake_daemon gone{"{\"v\":1,\"id\":1", manner::answers};
  CHECK(asked(gone).error().code == errc::cut_off);
  const fake_daemon endless{std::string(max_answer + 20'000, 'x'),
                            manner::stalls};
  CHECK(asked(endless).error().code == errc::too_large);
  std::string others;
  for (int i = 0; i < 1000; ++i)
    others += "{\"v\":1,\"id\":9,\"result\":{}}\n";
  const fake_daemon chatty{others, manner::stalls};
  CHECK(asked(chatty, 200ms).error().code == errc::timeout);
}

TEST_CASE("what is no answer is told as such, with the path") {
  const fake_daemon other{"HTTP/1.1 400 Bad Request\r\n", manner::stalls};
  const auto answer = asked(other);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == errc::malformed);
  CHECK(answer.error().text.starts_with(other.path().string()));
}

TEST_CASE("who waits for a control answer can stop waiting") {
  const fake_daemon daemon{"", manner::stalls};
  const int cancel = ::eventfd(1, EFD_CLOEXEC);
  CHECK(asked(daemon, 1h, cancel).error().code == errc::interrupted);
  ::close(cancel);
}

TEST_CASE("a request that no daemon would take is not sent") {
  const fake_daemon daemon{"", manner::stalls};
  auto client = control_client::connect(daemon.path());
  REQUIRE(client.has_value());
  control_request request;
  request.value = std::string(max_request, 'x');
  CHECK(client->ask(request).error().code == errc::too_large);
}

} // namespace concert::ctl
