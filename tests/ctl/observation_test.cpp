#include "ctl/observation.hpp"

#include "ctl/check.hpp"
#include "ctl/status.hpp"
#include "ctl/view/views.hpp"
#include "ctl/view/watch_frame.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace concert::ctl {

namespace {

/// All that people may be shown of a document; must not crash.
void look_at(const std::string& text) {
  const auto o = read_observation(text);
  part_of(text, "sources");
  if (!o)
    return;
  status_view(*o);
  servers_view(*o);
  tracking_view(*o);
  nts_view(*o);
  watch_frame(*o, 80, 24);
  check_line(check(*o, {}), *o, {});
}

} // namespace

TEST_CASE("what a daemon writes is what a reader sees") {
  const daemon_status s = samples::locked();
  const auto o = read_observation(to_json(s)).value();
  CHECK(o.program.version == "0.1.0");
  CHECK(o.program.now == s.now);
  CHECK(o.system.state == "synchronized");
  CHECK(o.system.offset_s.value() == s.system.offset_s);
  CHECK(o.system.max_error_s.value() == s.system.max_error_s);
  CHECK(o.system.last_update_age_s.value() == 12);
  CHECK(o.system.root_dispersion_s.value()
        == doctest::Approx(std::sqrt(4e-8 + 12e-10)));
  CHECK(o.clock.true_error_s.value() == -0.000031);
  REQUIRE(o.sources.size() == 4);
  CHECK(o.sources[3].offset_s.value() == 0.3);
  CHECK(o.sources[3].state == "falseticker");
  REQUIRE(o.servers.size() == 1);
  CHECK(o.servers[0].listening.value());
  CHECK(o.servers[0].counters.size() == 6);
  CHECK(o.servers[0].latency_p99_s.value() == doctest::Approx(128e-6));
  CHECK(o.servers[0].transmit_delay_s.value() == 0.0000082);
  REQUIRE(o.servers[0].top_clients.size() == 2);
  CHECK(o.servers[0].top_clients[0].address == "198.51.100.7");
  CHECK(o.servers[0].top_clients[0].requests == 90'210);
  CHECK_FALSE(o.truncated);
}

TEST_CASE("a reader sees what a daemon writes about NTS") {
  const auto o = read_observation(to_json(samples::nts())).value();
  CHECK(o.sources[0].nts_cookies.value() == 8);
  CHECK_FALSE(o.sources[1].nts_cookies.has_value());
  REQUIRE(o.nts_sources.size() == 3);
  const observed_nts_source& with = o.nts_sources[1];
  CHECK(with.address == "192.0.2.3:123");
  CHECK(with.server == "ntp7.example.org");
  CHECK(with.aead == "AES-128-GCM-SIV");
  CHECK(with.cookies.value() == 7);
  CHECK(with.cookie_length.value() == 100);
  CHECK(with.exchanging);
  CHECK(with.last_exchange_age_s.value() == 734);
  const observed_nts_source& without = o.nts_sources[2];
  CHECK(without.name == "nts.example.com:4460");
  CHECK(without.address.empty());
  CHECK(without.aead.empty());
  CHECK(without.failures.value() == 4);
  CHECK(without.problem.starts_with("the certificate is not for"));
  CHECK(without.next_exchange_s.value() == 71.2);
  CHECK_FALSE(without.last_exchange_age_s.has_value());
  REQUIRE(o.ke_servers.size() == 2);
  const observed_ke_server& server = o.ke_servers[0];
  CHECK(server.listening.value());
  CHECK(server.accepted.value() == 1204);
  CHECK(server.pool_exchanges.value() == 3);
  CHECK(server.too_many.value() == 4);
  CHECK(server.refusals
        == std::map<std::string, std::uint64_t>{{"message-too-long", 2},
                                                {"no-common-aead", 1}});
  CHECK(server.tls_failures
        == std::map<std::string, std::uint64_t>{{"version", 3}});
  REQUIRE(server.certificates.size() == 3);
  CHECK(server.certificates[0].names[1] == "time.example.org");
  CHECK(server.certificates[2].not_after.value() == 1'795'404'000 - 3 * 3600);
  CHECK(o.ke_servers[1].problem == "address already in use");
  REQUIRE(o.keyset.has_value());
  CHECK(o.keyset->cluster.value());
  CHECK(o.keyset->keys.value() == 8);
  CHECK(o.keyset->next_rotation.value() == 1'795'404'000 + 19 * 3600);
  CHECK_FALSE(
    read_observation(to_json(samples::locked())).value().keyset.has_value());
}

TEST_CASE("a document without any known key is an observation of nothing") {
  const auto o = read_observation("{\"future\": [1, {}]}").value();
  CHECK(o.system.state.empty());
  CHECK(o.sources.empty());
  look_at("{}");
}

TEST_CASE("values of wrong types count as absent") {
  const auto o = read_observation(R"({"program": [], "system": {
    "offset": "1", "stratum": -1, "synchronized": 1, "state": 5,
    "reference_time": {"timestamp": 1.5}}, "clock": null,
    "sources": [1, null, {"poll_interval": 1e9}], "servers": {"a": 1},
    "nts_sources": [3, {"exchanging": "yes", "cookies": -1, "aead": 15}],
    "nts_ke_servers": [{"certificates": [7, {"names": [1, "a"],
      "not_after": 1e9}], "refusals": [], "tls_failures": {"a": -1}}],
    "keyset": []})")
                   .value();
  CHECK_FALSE(o.system.offset_s.has_value());
  CHECK_FALSE(o.system.stratum.has_value());
  CHECK_FALSE(o.system.synchronized.has_value());
  CHECK(o.system.state.empty());
  CHECK(o.sources.size() == 3);
  CHECK(o.servers.empty());
  REQUIRE(o.nts_sources.size() == 2);
  CHECK_FALSE(o.nts_sources[1].exchanging);
  CHECK_FALSE(o.nts_sources[1].cookies.has_value());
  CHECK(o.nts_sources[1].aead.empty());
  REQUIRE(o.ke_servers.size() == 1);
  REQUIRE(o.ke_servers[0].certificates.size() == 2);
  CHECK_FALSE(o.ke_servers[0].certificates[1].not_after.has_value());
  CHECK(o.ke_servers[0].tls_failures.empty());
  CHECK_FALSE(o.keyset.has_value());
}

TEST_CASE("what is no document is refused in a sentence") {
  for (const char* text : {"", "[]", "{", "{} x", "null", "\xff",
                           "{\"a\": \"\xff\"}", "{\"a\": 1e999}"}) {
    const auto o = read_observation(text);
    REQUIRE_FALSE(o.has_value());
    CHECK(o.error().code == errc::malformed);
    CHECK_FALSE(o.error().text.empty());
  }
  CHECK(read_observation(std::string(max_document + 1, ' ')).error().code
        == errc::too_large);
}

TEST_CASE("a document nested without end neither crashes nor counts") {
  std::string deep = "{\"sources\":" + std::string(max_document / 2, '[');
  CHECK(read_observation(deep).error().code == errc::malformed);
  std::string objects = "{\"a\":";
  while (objects.size() < max_document - 8)
    objects += "{\"a\":";
  CHECK(read_observation(objects).error().code == errc::malformed);
  CHECK(part_of(deep, "sources").error().code == errc::malformed);
}

TEST_CASE("more sources than any daemon has are cut") {
  std::string many = "{\"sources\":[0";
  while (many.size() < max_document - 8)
    many += ",0";
  const auto o = read_observation(many + "]}").value();
  CHECK(o.truncated);
  CHECK(o.sources.size() < 10000);
}

TEST_CASE("no change of a document's octets crashes a reader") {
  const std::string whole = to_json(samples::nts());
  std::mt19937 random{7};
  constexpr std::string_view odd = "{}[]\",:-eE.0919\\u\x80\xff n";
  for (int round = 0; round < 3000; ++round) {
    std::string text = whole;
    for (auto n = random() % 4; n <= 4; ++n) {
      const std::size_t at = random() % text.size();
      const std::size_t some = random() % 12;
      if (random() % 3 == 0)
        text.erase(at, some);
      else if (random() % 2 == 0)
        text.insert(at, text.substr(random() % text.size(), some));
      else
        text[at] = odd[random() % odd.size()];
    }
    if (round % 10 == 0)
      text.resize(random() % text.size());
    look_at(text);
  }
}

TEST_CASE("numbers at the ends of their ranges can be shown") {
  constexpr std::string_view pattern = R"({
    "program": {"uptime_seconds": #, "now": {"timestamp": #}},
    "system": {"state": "x", "state_since_seconds": #, "offset": #,
               "stratum": #, "frequency": #, "max_error": #,
               "estimated_error": #, "last_update_age": #,
               "root_variance_base": #, "root_variance_cubic": #,
               "root_variance_base_time": {"timestamp": #}},
    "clock": {"true_error": #},
    "sources": [{"offset": #, "uncertainty": 1, "state": "selected"},
                {"offset": #, "uncertainty": #, "delay": #,
                 "poll_interval": #, "reachability": #}],
    "servers": [{"stats": {"received_packets": #}, "queue_overflows": #,
                 "latency": {"p50": #, "p99": #}, "transmit_delay": #,
                 "top_clients": [{"address": "a", "requests": #}]}],
    "nts_sources": [{"cookies": #, "cookie_length": #, "exchanges": #,
                     "failures": #, "last_exchange_age": #,
                     "next_exchange": #, "problem": "p"}],
    "nts_ke_servers": [{"accepted": #, "exchanges": #, "rate_limited": #,
                        "certificates": [{"not_before": 0, "not_after": #},
                                         {"not_before": #}],
                        "refusals": {"internal": #, "new": #},
                        "tls_failures": {"version": #}}],
    "keyset": {"keys": 1, "newest_since": #, "next_rotation": #}})";
  for (const char* number : {"1e308", "-1e308", "5e-324", "0", "1e18",
                             "18446744073709551615", "-9223372036854775808"}) {
    std::string text;
    for (const char c : pattern)
      text += c == '#' ? std::string{number} : std::string(1, c);
    REQUIRE(read_observation(text).has_value());
    look_at(text);
  }
}

} // namespace concert::ctl
