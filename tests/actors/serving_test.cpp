#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace concert::actors::testing {

TEST_CASE("a client in interleaved mode is told when the reply before left") {
  machine m;
  m.start();
  m.run_for(30min);
  const auto ask = [&](const ntp::packet_header& request) {
    auto query
      = m.sim().network().ask(machine::listen, machine::client, request);
    m.run_for(1s);
    REQUIRE(query->reply);
    return *query->reply;
  };
  const auto first = ask({});
  ntp::packet_header follow_up;
  follow_up.origin = first.receive;
  follow_up.receive = ntp::ntp_timestamp::from_bits(0x1234'5678'9abc'def1);
  const auto second = ask(follow_up);
  CHECK(second.origin == follow_up.receive);
  CHECK(second.transmit != first.receive);
  CHECK(std::abs((second.transmit - first.transmit).seconds()) < 1e-6);
  CHECK((second.receive - second.transmit).seconds() > 0.5);
}

TEST_CASE("the clients that ask most are named if that is configured") {
  machine m;
  // The configuration of the machine starts with `[observability]`.
  m.start("top-clients = 1\n" + machine::usual_config());
  m.run_for(30min);
  for (int i = 0; i < 3; ++i)
    m.ask_server();
  m.sim().network().ask(machine::listen, "198.51.100.8");
  m.run_for(1s);
  const auto document = m.sim().document();
  REQUIRE(document);
  CHECK(document->find("198.51.100.7") != std::string::npos);
  CHECK(document->find("198.51.100.8") == std::string::npos);
}

} // namespace concert::actors::testing
