#include "tests/ctl/samples.hpp"

#include <chrono>

namespace concert::ctl::samples {

namespace {

using namespace std::chrono_literals;

constexpr ntp::mono_time mono_now{10000s};

/// 2026-11-23 03:20:00 UTC.
ntp::ntp_timestamp now() {
  return ntp::ntp_timestamp::from_unix(1'795'404'000s);
}

daemon_status base() {
  daemon_status s;
  s.version = "0.1.0";
  s.build_commit = "0123456";
  s.build_commit_date = "2026-11-22";
  s.uptime_s = 2071;
  s.now = now();
  s.mono_now = mono_now;
  s.clock.kind = "system";
  s.system.required_sources = 3;
  s.system.accumulated_steps_threshold_s = std::nullopt;
  return s;
}

void disciplined(ntp::system_snapshot& system) {
  system.served.valid = true;
  system.served.leap = ntp::leap_indicator::none;
  system.served.stratum = 3;
  system.served.reference_id = 0xc0000201;
  system.served.precision = -25;
  system.served.reference_time = now() - ntp::ntp_duration::from_seconds(12);
  system.served.root_delay = ntp::ntp_duration::from_seconds(0.00182);
  system.served.wall_base = now() - ntp::ntp_duration::from_seconds(12);
  system.served.variance_base = 4e-8;
  system.served.variance_linear = 1e-10;
  system.offset_s = 0.000023;
  system.frequency = 40.0127e-6;
  system.frequency_uncertainty = 0.012e-6;
  system.estimated_error_s = 0.000085;
  system.stability_s = 0.0000121;
  system.max_error_s = 0.00242;
  system.wander = 1.2e-9;
  system.last_update = mono_now - 12s;
  system.steps_total = 1;
  system.last_step_s = 0.2501;
}

source_status unreachable(std::uint64_t id, const std::string& name) {
  source_status s = source(id, name, 0);
  s.association.reachability = 0;
  s.association.unanswered_polls = 8;
  s.view.state = ntp::source_state::unreachable;
  s.view.state_reason = "no answer to the last 8 polls";
  return s;
}

} // namespace

source_status source(std::uint64_t id, const std::string& name,
                     double offset_s) {
  source_status s;
  s.name = name + ":123";
  s.address
    = {ntp::ip_address::v4({192, 0, 2, static_cast<std::uint8_t>(id)}), 123};
  s.view.id = {id};
  s.view.state = ntp::source_state::selected;
  s.view.state_reason = "agrees with the majority";
  s.view.offset_s = offset_s;
  s.view.uncertainty_s = 0.000041;
  s.view.delay_s = 0.00123;
  s.view.jitter_s = 0.00006;
  s.view.asymmetry_s = 0.00001;
  s.view.frequency_ppm = 0.02;
  s.view.samples = 31;
  s.view.last_sample = mono_now - 12s;
  s.association.reachability = 0xff;
  s.association.stratum = 2;
  s.association.reference_id = 0xc6336401;
  s.association.leap = ntp::leap_indicator::none;
  s.association.root_delay = ntp::ntp_duration::from_seconds(0.0005);
  s.association.root_dispersion = ntp::ntp_duration::from_seconds(0.0002);
  s.association.transmit_stamp = ntp::stamp_kind::kernel;
  s.association.interleaved_answers = 7;
  s.association.receive_stamp = ntp::stamp_kind::kernel;
  s.association.last_answer = mono_now - 12s;
  s.association.requests = 32;
  s.association.packets[0] = 31;
  s.association.packets[5] = 1;
  s.association.burst_tokens = 6.5;
  return s;
}

daemon_status locked() {
  daemon_status s = base();
  disciplined(s.system);
  s.system.state = ntp::system_state::synchronized;
  s.system.state_reason = "3 of 4 sources agree";
  s.system.state_since = mono_now - 734s;
  s.system.synchronized = true;
  s.system.selected_sources = 3;
  s.clock = {"virtual", -0.000031};
  s.sources = {source(1, "ntp1.example.net", 0.000031),
               source(2, "time.cloudflare.com", -0.000142),
               source(3, "a-rather-long-name.ntp.example.org", 0.000090),
               source(4, "liar.example.com", 0.3)};
  source_status& liar = s.sources.back();
  liar.view.state = ntp::source_state::falseticker;
  liar.view.state_reason
    = "300 ms ahead of the majority, with an own bound of 1.32 ms";
  server_status server;
  server.address = {ntp::ip_address{}, 123};
  server.listening = true;
  server.counters.at(ntp::response::answered, ntp::reason::ok) = 116'381;
  server.counters.at(ntp::response::answered, ntp::reason::interleaved) = 4000;
  server.counters.at(ntp::response::ignored, ntp::reason::malformed) = 3;
  server.counters.at(ntp::response::kiss_deny, ntp::reason::access) = 17;
  server.counters.at(ntp::response::kiss_rate, ntp::reason::rate) = 5;
  server.counters.at(ntp::response::ignored, ntp::reason::rate) = 40;
  server.counters.versions[3] = 1200;
  server.counters.versions[4] = 119'246;
  server.counters.queue_overflows = 12;
  server.counters.latency.buckets[4] = 100'000;
  server.counters.latency.buckets[7] = 20'381;
  server.transmit_delay_s = 0.0000082;
  server.top_clients = {{ntp::ip_address::v4({198, 51, 100, 7}), 90'210},
                        {*ntp::ip_address::parse("2001:db8::7"), 4003}};
  s.servers = {server};
  return s;
}

daemon_status holdover() {
  daemon_status s = locked();
  s.system.state = ntp::system_state::holdover;
  s.system.state_reason = "no majority for 5 polls; coasts on the last "
                          "frequency until the error may reach 1 s";
  s.system.state_since = mono_now - 903s;
  s.system.synchronized = false;
  s.system.selected_sources = 0;
  s.system.holdover_s = 903;
  s.system.offset_s = -0.0000042;
  s.system.estimated_error_s = 0.00063;
  s.system.max_error_s = 0.0172;
  s.system.last_update = mono_now - 960s;
  s.clock = {"system", std::nullopt};
  s.sources = {unreachable(1, "ntp1.example.net"),
               unreachable(2, "time.cloudflare.com")};
  s.sources[1].view.offset_s.reset();
  s.sources[1].view.last_sample.reset();
  s.sources[1].view.samples = 0;
  s.sources[1].association.stratum = 0;
  s.servers.clear();
  return s;
}

daemon_status starting() {
  daemon_status s = base();
  s.uptime_s = 1;
  s.system.state_reason = "waits for 3 sources to answer";
  s.system.state_since = mono_now - 1s;
  s.clock = {"virtual", 0.25};
  source_status waiting;
  waiting.name = "ntp1.example.net:123";
  waiting.address = {ntp::ip_address::v4({192, 0, 2, 1}), 123};
  waiting.view.id = {1};
  waiting.view.state_reason = "no answer yet";
  s.sources = {waiting};
  return s;
}

daemon_status lonely() {
  daemon_status s = base();
  s.system.state = ntp::system_state::unsynchronized;
  s.system.state_reason = "no sources are configured";
  s.system.state_since = mono_now - 2071s;
  s.clock.kind = "read-only";
  s.system.required_sources = 0;
  server_status server;
  server.address = *ntp::endpoint::parse("[::]:123");
  server.problem = "address already in use";
  s.servers = {server};
  return s;
}

} // namespace concert::ctl::samples
