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
  system.budget = {.measurement_s = 0.000010,
                   .asymmetry_s = 0.000075,
                   .wander_s = 0.0000068,
                   .server_s = 0.0000305,
                   .unslewed_s = 0.000023};
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

constexpr std::chrono::seconds unix_now{1'795'404'000};
constexpr std::chrono::hours day{24};

nts_source_status keys_of(source_status& source, ntp::aead_id aead,
                          std::uint8_t cookies) {
  source.name.replace(source.name.rfind(':'), std::string::npos, ":4460");
  source.association.nts = ntp::nts_snapshot{aead, cookies, false};
  nts_source_status s;
  s.name = source.name;
  s.address = source.address;
  s.aead = aead;
  s.cookies = cookies;
  s.cookie_length = 100;
  s.exchanges = 1;
  s.last_exchange_age_s = 734;
  return s;
}

nts_source_status without_keys() {
  nts_source_status s;
  s.name = "nts.example.com:4460";
  s.failures = 4;
  s.problem = "the certificate is not for nts.example.com, but for "
              "www.example.com";
  s.next_exchange_s = 71.2;
  return s;
}

nts_ke_server_status ke_server() {
  nts_ke_server_status s;
  s.address = *ntp::endpoint::parse("0.0.0.0:4460");
  s.listening = true;
  s.certificates
    = {{"/etc/concert/tls/chain.pem",
        {"ntp.example.org", "time.example.org"},
        unix_now - 60 * day,
        unix_now + 30 * day},
       {"/etc/concert/tls/old.pem",
        {"old.example.org"},
        unix_now - 85 * day,
        unix_now + 5 * day},
       {"/etc/concert/tls/older.pem", {}, unix_now - 93 * day, unix_now - 3h}};
  s.certificate_problem
    = "the key /etc/concert/tls/key.pem does not belong to the certificate";
  s.connections = 2;
  s.accepted = 1204;
  s.handshakes = 1200;
  s.exchanges = 1190;
  s.pool_exchanges = 3;
  s.rate_limited = 10;
  s.too_many = 4;
  s.timed_out = 5;
  s.broken = 1;
  const auto refused = [&s](ntp::ke_errc code) -> std::uint64_t& {
    return s.refusals[static_cast<std::size_t>(code)];
  };
  refused(ntp::ke_errc::message_too_long) = 2;
  refused(ntp::ke_errc::no_common_aead) = 1;
  s.tls_failures = {{"version", 3}, {"cut-off", 0}};
  return s;
}

nts_ke_server_status deaf_ke_server() {
  nts_ke_server_status s;
  s.address = *ntp::endpoint::parse("[::]:4460");
  s.problem = "address already in use";
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
  liar.view.tests = {
    {"reachable", true, {}, {}, {}, "answers"},
    {"usable-answers", true, 8, 1, "polls", "answers to the last eight polls"},
    {"root-distance", true, 0.00045, 1, "s", "within the limit"},
    {"interval", false, 0.29868, 0, "s",
     "by this source true time is 298.7 ms to 301.3 ms ahead of the clock, by "
     "the largest group of sources 0.1 ms to 0.2 ms ahead: these do not "
     "overlap"},
    {"trusted", false, 3, 8, "samples", "has contradicted a majority"},
    {"majority", true, 3, 3, "sources", "3 of 4 usable sources agree"}};
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
  s.system.budget.wander_s = 0.000625;
  s.system.budget.unslewed_s = 0.0000042;
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

daemon_status nts() {
  daemon_status s = locked();
  s.nts_sources
    = {keys_of(s.sources[0], ntp::aead_id::aes_siv_cmac_256, 8),
       keys_of(s.sources[2], ntp::aead_id::aes_128_gcm_siv, 7), without_keys()};
  s.nts_sources[1].server = "ntp7.example.org";
  s.nts_sources[1].exchanging = true;
  ntp::server_counters& counters = s.servers[0].counters;
  counters.at(ntp::response::answered, ntp::reason::nts) = 900;
  counters.at(ntp::response::answered, ntp::reason::nts_interleaved) = 50;
  counters.at(ntp::response::kiss_nts, ntp::reason::nts_cookie) = 6;
  s.nts_ke_servers = {ke_server(), deaf_ke_server()};
  s.keyset = keyset_status{true, 8, unix_now - 5h, unix_now + 19h, {}};
  return s;
}

} // namespace concert::ctl::samples
