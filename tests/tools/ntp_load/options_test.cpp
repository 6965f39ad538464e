#include "tools/ntp_load/options.hpp"

#include <doctest/doctest.h>

namespace concert::load {

TEST_CASE("what is said to the meter is understood") {
  const auto o = parse_options({"meter",
                                "127.0.0.1:11123",
                                "--rate",
                                "50000",
                                "--poisson",
                                "--clients",
                                "100",
                                "--version",
                                "4",
                                "--interleaved",
                                "--same-clock",
                                "--duration",
                                "2s",
                                "--warm-up",
                                "100ms",
                                "--timeout",
                                "200ms",
                                "--cpu",
                                "1",
                                "--size",
                                "76",
                                "--sample",
                                "8",
                                "--json"});
  REQUIRE(o);
  CHECK(o->what == command::meter);
  CHECK(o->target.to_string() == "127.0.0.1:11123");
  CHECK(o->rate == 50000);
  CHECK(o->poisson);
  CHECK(o->clients == 100);
  CHECK(o->interleaved);
  CHECK(o->same_clock);
  CHECK(o->duration_s == 2);
  CHECK(o->warm_up_s == doctest::Approx(0.1));
  CHECK(o->timeout_s == doctest::Approx(0.2));
  CHECK(o->cpu == 1);
  CHECK(o->size == 76);
  CHECK(o->sample == 8);
  CHECK(o->json);
  CHECK(o->client_prefix()->to_string() == "127.0.0.0/8");
}

TEST_CASE("what is said to the flood and the search is understood") {
  const auto f = parse_options({"flood", "[::1]:11123", "--duration", "500ms",
                                "--clients", "10000000", "--client-prefix",
                                "2001:db8::/32", "--batch", "8"});
  REQUIRE(f);
  CHECK(f->what == command::flood);
  CHECK(f->clients == 10'000'000);
  CHECK(f->batch == 8);
  const auto s = parse_options(
    {"meter", "::1", "--search", "--step", "1s", "--max-loss", "0.01"});
  REQUIRE(s);
  CHECK(s->target.to_string() == "[::1]:123");
  CHECK(s->search);
  CHECK(s->step_s == 1);
  CHECK(s->max_loss == 0.01);
  CHECK_FALSE(s->client_prefix());
}

TEST_CASE("a command line that makes no sense is code 2, help is code 0") {
  using words = std::vector<std::string>;
  for (const words& said :
       {words{},
        {"meter"},
        {"walk", "127.0.0.1"},
        {"meter", "localhost"},
        {"meter", "127.0.0.1:0"},
        {"meter", "127.0.0.1", "--rate", "0"},
        {"meter", "127.0.0.1", "--rate", "10", "--window", "5"},
        {"meter", "127.0.0.1", "--search", "--window", "5"},
        {"meter", "127.0.0.1", "--version", "5"},
        {"meter", "127.0.0.1", "--version", "3", "--interleaved"},
        {"meter", "127.0.0.1", "--version", "3", "--size", "76"},
        {"meter", "127.0.0.1", "--size", "50"},
        {"meter", "127.0.0.1", "--duration", "0"},
        {"meter", "127.0.0.1", "--duration", "soon"},
        {"meter", "127.0.0.1", "--clients", "100000"},
        {"meter", "10.0.0.1", "--clients", "2"},
        {"meter", "127.0.0.1", "--clients", "9", "--client-prefix",
         "127.1.0.0/29"},
        {"meter", "127.0.0.1", "--client-prefix", "fd00::/8"},
        {"meter", "127.0.0.1", "--client-prefix", "many"},
        {"flood", "127.0.0.1"},
        {"flood", "127.0.0.1", "--duration", "1s", "--batch", "65"},
        {"flood", "127.0.0.1", "--duration", "1s", "--clients", "10000001"},
        {"flood", "127.0.0.1", "--duration", "1s", "--window", "1"}}) {
    const auto o = parse_options(said);
    REQUIRE_FALSE(o);
    CHECK(o.error().code == 2);
    CHECK(o.error().text.starts_with("ntp-load: "));
  }
  for (const words& said : {words{"--help"}, {"meter", "--help"}}) {
    const auto o = parse_options(said);
    REQUIRE_FALSE(o);
    CHECK(o.error().code == 0);
    CHECK(o.error().text.find("meter") != std::string::npos);
  }
}

TEST_CASE("what is said of NTS is understood") {
  const auto plain = parse_options({"meter", "127.0.0.1:11123"});
  REQUIRE(plain);
  CHECK(!plain->nts);
  const auto o = parse_options({"meter", "127.0.0.1:11123", "--nts"});
  REQUIRE(o);
  CHECK(o->nts);
  CHECK(o->ke.address.to_string() == "127.0.0.1:4460");
  CHECK(o->ke.name == "127.0.0.1");
  CHECK(o->sessions == 16);
  CHECK(o->verify == 1);
  const auto all = parse_options(
    {"meter", "::1", "--nts", "--ke", "[::1]:14460", "--name", "localhost",
     "--certificate-authority", "a.pem", "--certificate-authority", "b.pem",
     "--sessions", "3", "--verify", "100"});
  REQUIRE(all);
  CHECK(all->ke.address.to_string() == "[::1]:14460");
  CHECK(all->ke.name == "localhost");
  CHECK(all->ke.authorities.size() == 2);
  CHECK(all->sessions == 3);
  CHECK(all->verify == 100);
}

TEST_CASE("what is said of handshakes is understood") {
  const auto o
    = parse_options({"handshakes", "127.0.0.1", "--name", "localhost",
                     "--connections", "100", "--duration", "2s"});
  REQUIRE(o);
  CHECK(o->what == command::handshakes);
  CHECK(o->target.to_string() == "127.0.0.1:4460");
  CHECK(o->ke.address == o->target);
  CHECK(o->ke.name == "localhost");
  CHECK(o->connections == 100);
  CHECK(o->duration_s == 2);
}

TEST_CASE("NTS goes with neither version 3 nor a size") {
  for (const auto& more :
       std::vector<std::vector<std::string>>{{"--nts", "--version", "3"},
                                             {"--nts", "--size", "100"},
                                             {"--sessions", "3"},
                                             {"--ke", "127.0.0.1"},
                                             {"--nts", "--ke", "localhost"}}) {
    std::vector<std::string> all{"meter", "127.0.0.1"};
    all.insert(all.end(), more.begin(), more.end());
    const auto o = parse_options(all);
    REQUIRE(!o);
    CHECK(o.error().code == 2);
  }
}

} // namespace concert::load
