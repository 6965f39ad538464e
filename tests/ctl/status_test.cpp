#include "ctl/status.hpp"

#include "ctl/nts_document.hpp"
#include "ctl/observation.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>

namespace concert::ctl {

namespace {

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseFullPrecisionFlag>(text.c_str());
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

} // namespace

TEST_CASE("a document has ntpd-rs's keys with its types and units") {
  const auto d = parsed(to_json(samples::locked()));
  CHECK(d["program"]["version"].IsString());
  CHECK(d["program"]["uptime_seconds"].GetDouble() == 2071);
  CHECK(d["program"]["now"]["timestamp"].GetUint64()
        == samples::locked().now.bits());
  const auto& system = d["system"];
  CHECK(system["stratum"].GetUint() == 3);
  CHECK(system["reference_id"].GetUint() == 0xc0000201);
  CHECK(system["precision"].GetDouble() == std::exp2(-25));
  CHECK(system["root_delay"].GetDouble() == doctest::Approx(0.00182));
  CHECK(system["root_variance_base_time"]["timestamp"].IsUint64());
  for (const char* key : {"root_variance_base", "root_variance_linear",
                          "root_variance_quadratic", "root_variance_cubic"})
    CHECK(system[key].IsDouble());
  CHECK(system["leap_indicator"] == "NoWarning");
  CHECK(system["accumulated_steps"].IsDouble());
  CHECK(system["accumulated_steps_threshold"].IsNull());
  const auto& source = d["sources"][0];
  for (const char* key :
       {"offset", "uncertainty", "delay", "remote_delay", "remote_uncertainty"})
    CHECK(source[key].IsDouble());
  CHECK(
    source["last_update"]["timestamp"].GetUint64()
    == (samples::locked().now - ntp::ntp_duration::from_seconds(12)).bits());
  CHECK(source["unanswered_polls"].GetUint() == 0);
  CHECK(source["poll_interval"].GetInt() == 6);
  CHECK(source["nts_cookies"].IsNull());
  CHECK(source["name"] == "ntp1.example.net:123");
  CHECK(source["address"] == "192.0.2.1:123");
  CHECK(source["id"].GetUint64() == 1);
  CHECK(d["truncated"].IsFalse());
}

TEST_CASE("ntpd-rs's server counters are sums of ours") {
  const auto d = parsed(to_json(samples::locked()));
  const auto& stats = d["servers"][0]["stats"];
  CHECK(stats["received_packets"].GetUint64() == 120'446);
  CHECK(stats["accepted_packets"].GetUint64() == 120'381);
  CHECK(stats["denied_packets"].GetUint64() == 17);
  CHECK(stats["rate_limited_packets"].GetUint64() == 45);
  CHECK(stats["ignored_packets"].GetUint64() == 3);
  CHECK(stats["response_send_errors"].GetUint64() == 0);
  CHECK(stats["nts_nak_packets"].GetUint64() == 0);
  CHECK(d["servers"][0]["counters"].Size() == 6);
}

TEST_CASE("a RATE kiss that could not be sent is a rate-limited packet") {
  daemon_status s = samples::lonely();
  s.servers[0].counters.at(ntp::response::kiss_rate, ntp::reason::send_error)
    = 3;
  const auto d = parsed(to_json(s));
  const auto& stats = d["servers"][0]["stats"];
  CHECK(stats["rate_limited_packets"].GetUint64() == 3);
  CHECK(stats["ignored_packets"].GetUint64() == 0);
  CHECK(stats["response_send_errors"].GetUint64() == 3);
}

TEST_CASE("a server tells how fast it answers and who asks most") {
  const auto d = parsed(to_json(samples::locked()));
  const auto& server = d["servers"][0];
  CHECK(server["interface"] == "");
  CHECK(server["queue_overflows"].GetUint64() == 12);
  CHECK(server["latency"]["p50"].GetDouble() == doctest::Approx(16e-6));
  CHECK(server["latency"]["p99"].GetDouble() == doctest::Approx(128e-6));
  const auto& buckets = server["latency"]["buckets"];
  REQUIRE(buckets.Size() == 2);
  CHECK(buckets[0]["limit"].GetDouble() == doctest::Approx(16e-6));
  CHECK(buckets[0]["replies"].GetUint64() == 100'000);
  CHECK(server["transmit_delay"].GetDouble() == 0.0000082);
  REQUIRE(server["top_clients"].Size() == 2);
  CHECK(server["top_clients"][1]["address"] == "2001:db8::7");
  CHECK(server["top_clients"][1]["requests"].GetUint64() == 4003);
}

TEST_CASE("a server that has not answered yet has no latency") {
  const auto d = parsed(to_json(samples::lonely()));
  const auto& server = d["servers"][0];
  CHECK(server["latency"]["p50"].IsNull());
  CHECK(server["latency"]["buckets"].Empty());
  CHECK(server["transmit_delay"].IsNull());
  CHECK(server["top_clients"].Empty());
}

TEST_CASE("the last bucket of the latencies has no limit") {
  daemon_status s = samples::lonely();
  s.servers[0].counters.latency.buckets.back() = 1;
  const auto d = parsed(to_json(s));
  const auto& latency = d["servers"][0]["latency"];
  CHECK(latency["p50"].IsNull());
  CHECK(latency["buckets"][0]["limit"].IsNull());
}

TEST_CASE("a document tells more than ntpd-rs's") {
  const auto d = parsed(to_json(samples::locked()));
  CHECK(d["system"]["state"] == "synchronized");
  CHECK(d["system"]["state_since_seconds"].GetDouble() == 734);
  CHECK(d["system"]["synchronized"].IsTrue());
  CHECK(d["system"]["frequency"].GetDouble() == 40.0127e-6);
  CHECK(d["clock"]["kind"] == "virtual");
  CHECK(d["clock"]["true_error"].GetDouble() == -0.000031);
  const auto& source = d["sources"][3];
  CHECK(source["state"] == "falseticker");
  CHECK(source["reachability"].GetUint() == 255);
  CHECK(source["timestamping"]["transmit"] == "kernel");
  CHECK(source["packets"]["accepted"].GetUint64() == 31);
  CHECK(source["interleaved_answers"].GetUint64() == 7);
  CHECK(source["packets"].MemberCount() == 2);
}

TEST_CASE("every response and reason of a counter is documented") {
  std::ifstream file{"docs/observation.md"};
  REQUIRE_MESSAGE(file, "run the tests in the project's directory");
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  for (std::size_t i = 0; i < ntp::response_count; ++i) {
    const auto name = to_string(static_cast<ntp::response>(i));
    CAPTURE(std::string{name});
    CHECK(text.find('`' + std::string{name} + '`') != std::string::npos);
  }
  for (std::size_t i = 0; i < ntp::reason_count; ++i) {
    const auto name = to_string(static_cast<ntp::reason>(i));
    CAPTURE(std::string{name});
    CHECK(text.find("\n| `" + std::string{name} + "` |") != std::string::npos);
  }
}

TEST_CASE("every reason of a failed key exchange is documented and has words") {
  std::ifstream file{"docs/observation.md"};
  REQUIRE_MESSAGE(file, "run the tests in the project's directory");
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  for (std::size_t i = 0; i < ntp::ke_errc_count; ++i) {
    const auto code = static_cast<ntp::ke_errc>(i);
    const std::string name{reason_name(code)};
    CAPTURE(name);
    CHECK(
      text.find("\n| `" + name + "` | " + std::string{to_string(code)} + " |")
      != std::string::npos);
    CHECK(reason_named(name) == code);
  }
  CHECK_FALSE(reason_named("").has_value());
}

TEST_CASE("a source with NTS has ntpd-rs's count of cookies, and its keys") {
  const auto d = parsed(to_json(samples::nts()));
  CHECK(d["sources"][0]["nts_cookies"].GetUint() == 8);
  CHECK(d["sources"][1]["nts_cookies"].IsNull());
  CHECK(d["nts_sources"][0]["aead"] == "AES-SIV-CMAC-256");
  CHECK(d["nts_sources"][2]["aead"].IsNull());
  CHECK(d["nts_sources"][2]["address"].IsNull());
  CHECK(d["nts_sources"][2]["last_exchange_age"].IsNull());
  const auto& stats = d["servers"][0]["stats"];
  CHECK(stats["nts_received_packets"].GetUint64() == 956);
  CHECK(stats["nts_accepted_packets"].GetUint64() == 950);
  CHECK(stats["nts_nak_packets"].GetUint64() == 6);
}

TEST_CASE("a daemon without NTS has no keys, and empty lists") {
  const auto d = parsed(to_json(samples::locked()));
  CHECK(d["nts_sources"].Empty());
  CHECK(d["nts_ke_servers"].Empty());
  CHECK(d["keyset"].IsNull());
}

TEST_CASE("a source without a sample has the numbers that ntpd-rs has") {
  const auto d = parsed(to_json(samples::starting()));
  const auto& source = d["sources"][0];
  CHECK(source["offset"].GetDouble() == 0);
  CHECK(source["uncertainty"].GetDouble() >= 2147483648.0);
  CHECK(source["last_update"]["timestamp"].GetUint64() == 0);
  CHECK(source["leap"] == "Unknown");
  CHECK(source["timestamping"]["receive"].IsNull());
  const auto read = read_observation(to_json(samples::starting())).value();
  CHECK_FALSE(read.sources[0].offset_s.has_value());
}

TEST_CASE("what is no finite number becomes null") {
  daemon_status s = samples::locked();
  s.system.max_error_s = std::numeric_limits<double>::infinity();
  s.system.offset_s = std::nan("");
  const auto d = parsed(to_json(s));
  CHECK(d["system"]["max_error"].IsNull());
  CHECK(d["system"]["offset"].IsNull());
}

TEST_CASE("text that is no UTF-8 does not spoil a document") {
  daemon_status s = samples::locked();
  s.system.state_reason = "\xff\x01 \"quoted\\";
  CHECK(read_observation(to_json(s)).value().system.state_reason
        == "?? \"quoted\\");
}

TEST_CASE("a document that grows too long loses its last sources") {
  daemon_status s = samples::locked();
  s.sources.clear();
  for (std::uint64_t i = 1; i <= 3000; ++i)
    s.sources.push_back(samples::source(i, "ntp.example.org", 0));
  const std::string text = to_json(s);
  CHECK(text.size() <= 1024 * 1024);
  CHECK(text.size() > 1024 * 1024 - 2048);
  const auto read = read_observation(text).value();
  CHECK(read.truncated);
  CHECK(read.sources.size() > 500);
  CHECK(read.sources.back().id == read.sources.size());
  CHECK(read.servers.size() == 1);
}

TEST_CASE("the tests of a source are told in their order") {
  const auto read = read_observation(to_json(samples::locked())).value();
  CHECK(read.sources[0].tests.empty());
  const auto& tests = read.sources[3].tests;
  REQUIRE(tests.size() == 6);
  CHECK(tests[0].name == "reachable");
  CHECK(tests[0].passed == true);
  CHECK_FALSE(tests[0].value.has_value());
  CHECK(tests[3].name == "interval");
  CHECK(tests[3].passed == false);
  CHECK(tests[3].value == 0.29868);
  CHECK(tests[3].limit == 0);
  CHECK(tests[3].unit == "s");
  CHECK(tests[5].text == "3 of 4 usable sources agree");
}

TEST_CASE("the error budget is there as soon as there is a measurement") {
  const auto read = read_observation(to_json(samples::locked())).value();
  REQUIRE(read.system.budget.has_value());
  const observed_budget& b = *read.system.budget;
  CHECK(b.measurement_s == 0.000010);
  CHECK(b.asymmetry_s == 0.000075);
  CHECK(b.wander_s == 0.0000068);
  CHECK(b.server_s == 0.0000305);
  CHECK(b.disagreement_s == 0);
  CHECK(b.unslewed_s == 0.000023);
  CHECK(
    parsed(to_json(samples::starting()))["system"]["error_budget"].IsNull());
}

TEST_CASE("a document that grows too long loses its tests before sources") {
  daemon_status s = samples::locked();
  const auto tests = s.sources[3].view.tests;
  s.sources.clear();
  for (std::uint64_t i = 1; i <= 800; ++i) {
    s.sources.push_back(samples::source(i, "ntp.example.org", 0));
    s.sources.back().view.tests = tests;
  }
  const auto read = read_observation(to_json(s)).value();
  CHECK_FALSE(read.truncated);
  REQUIRE(read.sources.size() == 800);
  CHECK(read.sources[0].tests.empty());
  s.sources.resize(100);
  CHECK(read_observation(to_json(s)).value().sources[99].tests.size() == 6);
}

TEST_CASE("sources with NTS lose their keys' entries with them") {
  daemon_status s = samples::nts();
  s.sources.clear();
  const nts_source_status keys = s.nts_sources[0];
  s.nts_sources.clear();
  for (std::uint64_t i = 1; i <= 3000; ++i) {
    s.sources.push_back(samples::source(i, "ntp.example.org", 0));
    s.nts_sources.push_back(keys);
  }
  const std::string text = to_json(s);
  CHECK(text.size() <= 1024 * 1024);
  CHECK(text.size() > 1024 * 1024 - 2048);
  const auto read = read_observation(text).value();
  CHECK(read.truncated);
  CHECK(read.sources.size() > 500);
  CHECK(read.sources.size() - read.nts_sources.size() <= 1);
  CHECK(read.ke_servers.size() == 2);
  CHECK(read.keyset.has_value());
}

TEST_CASE("with NTS as well, a document is whole JSON whatever the limit") {
  const std::size_t full = to_json(samples::nts()).size();
  for (std::size_t limit = 1600; limit < full + 200; limit += 11) {
    const std::string text = to_json(samples::nts(), limit);
    const auto read = read_observation(text);
    REQUIRE(read.has_value());
    const bool whole = read->sources.size() == 4
                       && read->nts_sources.size() == 3
                       && read->ke_servers.size() == 2;
    CHECK((text.size() <= limit || read->sources.empty()));
    CHECK(read->truncated == !whole);
  }
}

TEST_CASE("whatever the limit, a document is whole JSON") {
  const std::size_t full = to_json(samples::locked()).size();
  for (std::size_t limit = 1600; limit < full + 100; limit += 7) {
    const std::string text = to_json(samples::locked(), limit);
    const auto read = read_observation(text);
    REQUIRE(read.has_value());
    CHECK((text.size() <= limit || read->sources.empty()));
    CHECK(read->truncated == (read->sources.size() < 4));
  }
}

TEST_CASE("a frame is the length in eight octets and the document") {
  const std::string framed = frame(std::string(258, 'x'));
  CHECK(framed.size() == 266);
  CHECK(framed.substr(0, 8) == std::string("\0\0\0\0\0\0\1\2", 8));
  CHECK(framed_size(framed).value() == 258);
  CHECK_FALSE(framed_size(std::string("\0\0\0\0\0\x10\0\1", 8)).has_value());
  CHECK(
    framed_size(std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8)).error().code
    == errc::too_large);
}

} // namespace concert::ctl
