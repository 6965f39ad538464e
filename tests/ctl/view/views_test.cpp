#include "ctl/view/views.hpp"

#include "ctl/text.hpp"
#include "ctl/view/watch_frame.hpp"
#include "tests/ctl/golden.hpp"
#include "tests/ctl/samples.hpp"

#include <doctest/doctest.h>

#include <string>

namespace concert::ctl {

namespace {

observation seen(const daemon_status& status) {
  return read_observation(to_json(status)).value();
}

std::string joined(const std::vector<styled_line>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line.text.substr(0, line.text.find_last_not_of(' ') + 1) + '\n';
  return text;
}

/// A document of ntpd-rs 1.9, which knows nothing of our keys.
constexpr auto ntpd_rs = R"({
  "program": {"version": "1.9.0", "build_commit": "-",
              "build_commit_date": "-", "uptime_seconds": 64.0,
              "now": {"timestamp": 17197908613038473216}},
  "system": {"stratum": 3, "reference_id": 3221225985, "precision": 3.8e-6,
             "root_delay": 0.01,
             "root_variance_base_time": {"timestamp": 17197908613038473216},
             "root_variance_base": 1e-6, "root_variance_linear": 0.0,
             "root_variance_quadratic": 0.0, "root_variance_cubic": 0.0,
             "leap_indicator": "NoWarning", "accumulated_steps": 0.0,
             "accumulated_steps_threshold": null},
  "sources": [
    {"offset": 0.0012, "uncertainty": 0.0003, "delay": 0.01,
     "remote_delay": 0.0, "remote_uncertainty": 0.0,
     "last_update": {"timestamp": 17197908561498865664},
     "unanswered_polls": 0, "poll_interval": 4, "nts_cookies": null,
     "name": "ntp.example.org:123", "address": "198.51.100.7:123", "id": 1},
    {"offset": 0.0, "uncertainty": 2147483648.5, "delay": 2147483648.5,
     "remote_delay": 0.0, "remote_uncertainty": 0.0,
     "last_update": {"timestamp": 0}, "unanswered_polls": 8,
     "poll_interval": 4, "nts_cookies": 3, "name": "silent.example.org:4460",
     "address": "198.51.100.8:123", "id": 2}],
  "servers": [
    {"address": "0.0.0.0:123",
     "stats": {"received_packets": 10, "accepted_packets": 9,
               "ignored_packets": 1}}]})";

} // namespace

TEST_CASE("every view of every situation reads as it did") {
  const std::pair<const char*, observation> situations[]
    = {{"locked", seen(samples::locked())},
       {"holdover", seen(samples::holdover())},
       {"starting", seen(samples::starting())},
       {"lonely", seen(samples::lonely())},
       {"nts", seen(samples::nts())},
       {"ntpd-rs", read_observation(ntpd_rs).value()}};
  for (const auto& [name, o] : situations) {
    const std::string stem = name;
    CHECK(matches_golden("status-" + stem, status_view(o)));
    CHECK(matches_golden("sources-" + stem, sources_view(o)));
    CHECK(matches_golden("tracking-" + stem, tracking_view(o)));
    CHECK(matches_golden("servers-" + stem, servers_view(o)));
    CHECK(matches_golden("nts-" + stem, nts_view(o)));
    CHECK(matches_golden("watch-" + stem, joined(watch_frame(o, 80, 0))));
  }
}

TEST_CASE("two servers on one address are told apart by their interfaces") {
  daemon_status s = samples::lonely();
  s.servers.push_back(s.servers[0]);
  s.servers[0].interface = "eth0";
  s.servers[1].interface = "eth1";
  const std::string text = servers_view(seen(s));
  CHECK(text.find("[::]:123 on eth0: NOT LISTENING") != std::string::npos);
  CHECK(text.find("[::]:123 on eth1: NOT LISTENING") != std::string::npos);
}

TEST_CASE("the view of NTS has at most 80 columns and no space at ends") {
  const std::string text = nts_view(seen(samples::nts()));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    CAPTURE(line);
    CHECK(width(line) <= 80);
    CHECK_FALSE(line.ends_with(' '));
    at = end + 1;
  }
}

TEST_CASE("a source without keys tells when it asks for them") {
  daemon_status s = samples::lonely();
  s.nts_sources.resize(1);
  nts_source_status& source = s.nts_sources[0];
  source.name = "nts.example.org:4460";
  const auto note = [&] {
    const std::string text = nts_view(seen(s));
    const std::size_t at = text.rfind("      ");
    return text.substr(at + 6, text.size() - at - 7);
  };
  CHECK(note() == "no keys yet");
  source.next_exchange_s = 3;
  CHECK(note() == "no keys yet; asks for them in 3 s");
  source.exchanging = true;
  CHECK(note() == "exchanging keys now");
  source.problem = "refused";
  CHECK(note() == "the last exchange failed: refused; exchanging keys now");
  source.exchanging = false;
  CHECK(note() == "the last exchange failed: refused; tried again in 3 s");
  source.next_exchange_s.reset();
  CHECK(note() == "the last exchange failed: refused");
}

TEST_CASE("a certificate is marked before it ends, after, and too early") {
  daemon_status s = samples::nts();
  s.nts_sources.clear();
  s.keyset.reset();
  s.nts_ke_servers.resize(1);
  s.nts_ke_servers[0].certificates.resize(1);
  certificate_status& c = s.nts_ke_servers[0].certificates[0];
  const std::chrono::seconds now{1'795'404'000};
  const auto shows = [&](const std::string& words) {
    std::string text = nts_view(seen(s));
    for (std::size_t at = 0; (at = text.find("\n      ")) != std::string::npos;)
      text.replace(at, 7, " ");
    return text.find(words) != std::string::npos;
  };
  using std::chrono::hours;
  c.not_after = now + hours{24 * 14};
  CHECK(shows(": valid for 14 d until"));
  c.not_after -= std::chrono::seconds{1};
  CHECK(shows(": EXPIRES in 13 d"));
  c.not_after = now - hours{1};
  CHECK(shows(": EXPIRED 60 min ago"));
  c.not_after = std::chrono::seconds{253'402'300'799};
  CHECK(shows("until 9999-12-31 23:59 UTC"));
  c.not_after = std::chrono::seconds::max();
  CHECK(shows(" until - "));
  c.not_before = now + hours{1};
  CHECK(shows(": NOT VALID before 2026-11-23 04:20 UTC"));
}

TEST_CASE("a screen of everything names certificates only in time of need") {
  daemon_status s = samples::nts();
  const std::string text = status_view(seen(s));
  CHECK(text.find("EXPIRED") != std::string::npos);
  CHECK(text.find("EXPIRES") != std::string::npos);
  CHECK(text.find("valid for") == std::string::npos);
  s.nts_ke_servers.clear();
  CHECK(status_view(seen(s)).find("NTS key exchange") == std::string::npos);
}

TEST_CASE("faults of TLS are told in words, unknown ones by their names") {
  daemon_status s = samples::nts();
  s.nts_ke_servers[0].tls_failures
    = {{"cut-off", 1}, {"too-much", 2}, {"flood", 3}};
  const std::string text = nts_view(seen(s));
  for (const char* words :
       {"without a goodbye", "more data than", "TLS: flood"})
    CHECK(text.find(words) != std::string::npos);
}

TEST_CASE("a daemon without NTS says so in a line") {
  CHECK(nts_view(seen(samples::locked()))
        == "No source and no server uses NTS.\n");
  daemon_status s = samples::locked();
  s.keyset.emplace().problem = "the clock is not set";
  CHECK(nts_view(seen(s))
        == "Keys of the cookies: none yet\n  the clock is not set\n");
}

TEST_CASE("a live picture keeps to the width and height of its window") {
  const observation o = seen(samples::locked());
  for (const std::size_t columns : {72, 80, 81, 100, 200}) {
    for (const auto& line : watch_frame(o, columns, 0))
      CHECK(width(line.text) <= columns);
  }
  CHECK(watch_frame(o, 80, 5).size() == 5);
  CHECK(watch_frame(o, 80, 5).back().text.find("more lines")
        != std::string::npos);
  CHECK(watch_frame(observation{}, 80, 0).size() > 2);
}

TEST_CASE("a picture puts the liar at the edge and the selected inside") {
  const auto lines = watch_frame(seen(samples::locked()), 80, 0);
  const auto line_of = [&](const std::string& name) {
    for (const auto& line : lines)
      if (line.text.find(name) != std::string::npos)
        return line.text;
    return std::string{};
  };
  CHECK(line_of("liar.example.com").find('>') != std::string::npos);
  CHECK(line_of("liar.example.com").front() == 'x');
  CHECK(line_of("ntp1.example.net").find('>') == std::string::npos);
  CHECK(line_of("ntp1.example.net").front() == '*');
  // The clock is 23 us slow of the agreed time: behind it.
  CHECK(line_of("this clock").find("23.0 us behind") != std::string::npos);
  // Truth is 31 us after the clock, so 8 us after the agreed time.
  CHECK(line_of("true time").find("8.00 us ahead") != std::string::npos);
}

} // namespace concert::ctl
