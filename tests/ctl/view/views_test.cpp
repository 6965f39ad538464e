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
     "poll_interval": 4, "nts_cookies": 3, "name": "silent.example.org:123",
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
       {"ntpd-rs", read_observation(ntpd_rs).value()}};
  for (const auto& [name, o] : situations) {
    const std::string stem = name;
    CHECK(matches_golden("status-" + stem, status_view(o)));
    CHECK(matches_golden("sources-" + stem, sources_view(o)));
    CHECK(matches_golden("tracking-" + stem, tracking_view(o)));
    CHECK(matches_golden("servers-" + stem, servers_view(o)));
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
