#include "actors/nts_ke_server.hpp"

#include "actors/real_runtime.hpp"
#include "actors/tcp_ke_channel.hpp"
#include "ntp_core/nts/key_rotation.hpp"
#include "tests/actors/ke_caller.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <utility>

namespace concert::actors::testing {

namespace {

using ntp::ke_errc;
using ntp::test::end_record;
using ntp::test::list;
using ntp::test::record;
using record_type = ntp::ke_record_type;

std::uint64_t refusals(const ctl::nts_ke_server_status& s, ke_errc why) {
  return s.refusals[static_cast<std::size_t>(why)];
}

std::uint64_t tls_failures(const ctl::nts_ke_server_status& s,
                           std::string_view name) {
  for (const auto& [fault, count] : s.tls_failures)
    if (fault == name)
      return count;
  FAIL("there is no such fault");
  return 0;
}

/// What a pool asks: cookies for keys that it brings.
std::vector<std::byte> pool_request(bool keep_alive, std::string_view token) {
  auto request = list(record_type::next_protocol, true, {ntp::ke_ntpv4})
                 + list(record_type::aead, true, {15})
                 + record(record_type::authentication_token, true, token)
                 + record(record_type::fixed_keys, true, std::string(64, 'k'));
  if (keep_alive)
    request = request + record(record_type::keep_alive, false);
  request = request + end_record();
  return {request.begin(), request.end()};
}

std::string pool_config(const machine& m, const std::string& more) {
  return machine::usual_config()
         + ke_server_section(
           m, "accepted-pool-authentication-tokens = [\"sesame\"]\n" + more);
}

} // namespace

TEST_CASE("a client gets eight cookies, which hold its keys") {
  machine m;
  const auto path = file_of(m, "keys");
  m.start(machine::usual_config() + ke_server_section(m)
          + "[keyset]\nkey-storage-path = \"" + path.string() + "\"\n");
  m.run_for(1s);
  const auto file = contents_of(path);
  const auto rotation
    = ntp::key_rotation::parse(std::as_bytes(std::span{file}), {});
  REQUIRE(rotation);
  for (const auto aead :
       {ntp::aead_id::aes_siv_cmac_256, ntp::aead_id::aes_siv_cmac_384,
        ntp::aead_id::aes_siv_cmac_512, ntp::aead_id::aes_128_gcm_siv}) {
    CAPTURE(static_cast<int>(aead));
    ke_caller caller{aead};
    const auto cookies = get_cookies(m, caller);
    REQUIRE(cookies.size() == 8);
    const auto result = **caller.answer();
    CHECK(result.aead == aead);
    CHECK(result.own_number == (aead == ntp::aead_id::aes_128_gcm_siv));
    CHECK(result.server.empty());
    CHECK(result.port == 123);
    for (const auto& cookie : cookies)
      CHECK(opened(*rotation->keys(), cookie) == caller.keys(result));
    CHECK(cookies[0] != cookies[1]);
    CHECK(caller.peer_finished);
  }
  m.run_for(2s);
  const auto s = ke_status(m);
  CHECK(s.listening);
  CHECK(s.problem.empty());
  CHECK(s.address.to_string() == ke_listen);
  REQUIRE(s.certificates.size() == 1);
  CHECK(s.certificates[0].file == file_of(m, "chain.pem").string());
  CHECK(s.accepted == 4);
  CHECK(s.handshakes == 4);
  CHECK(s.exchanges == 4);
  CHECK(s.pool_exchanges == 0);
  CHECK(s.connections == 0);
  CHECK(s.timed_out + s.broken + tls_failures(s, "cut-off") == 0);
}

TEST_CASE("a client that speaks octet by octet gets cookies too") {
  machine m;
  m.start(machine::usual_config() + ke_server_section(m));
  m.run_for(1s);
  ke_caller caller;
  caller.piece = 1;
  CHECK(get_cookies(m, caller).size() == 8);
}

TEST_CASE("clients are told where to ask for the time, if so configured") {
  machine m;
  m.start(machine::usual_config()
          + ke_server_section(m, "ntp-server = \"time.example\"\n"
                                 "ntp-port = 4123\n"));
  m.run_for(1s);
  ke_caller caller;
  CHECK(get_cookies(m, caller).size() == 8);
  CHECK((**caller.answer()).server == "time.example");
  CHECK((**caller.answer()).port == 4123);

  m.reload(machine::usual_config()
           + ke_server_section(m, "aeads = [\"AES-128-GCM-SIV\"]\n"));
  ke_caller other;
  CHECK(get_cookies(m, other).size() == 8);
  CHECK((**other.answer()).server.empty());
  CHECK((**other.answer()).aead == ntp::aead_id::aes_128_gcm_siv);
}

TEST_CASE("requests that are refused are counted by their reasons") {
  machine m;
  m.start(machine::usual_config() + ke_server_section(m));
  m.run_for(1s);
  std::deque<ke_caller> callers;
  const auto call = [&](const ntp::test::octets& request) -> ke_caller& {
    auto& caller = callers.emplace_back(
      std::vector<std::byte>{request.begin(), request.end()});
    caller.connect(m);
    m.run_for(200ms);
    CHECK(caller.peer_finished);
    return caller;
  };
  const auto protocols = list(record_type::next_protocol, true, {0});
  const auto aeads = list(record_type::aead, true, {15});
  call(list(record_type::next_protocol, true, {7}) + aeads + end_record());
  call(protocols + list(record_type::aead, true, {99}) + end_record());
  call(protocols + end_record());
  call(protocols + aeads + aeads + end_record());
  call(protocols + aeads + record(static_cast<record_type>(999), true)
       + end_record());
  call(protocols + aeads + record(record_type::new_cookie, false, "cookie")
       + end_record());
  call(protocols + aeads + end_record() + end_record());
  const auto& last = call(
    protocols
    + record(static_cast<record_type>(999), false, std::string(5000, 'x')));
  CHECK(last.answer().error()
        == ntp::ke_error{ke_errc::peer_error, 1}); // a bad request

  const auto s = ke_status(m);
  CHECK(s.accepted == 8);
  CHECK(s.exchanges == 0);
  for (const auto why : {ke_errc::no_common_protocol, ke_errc::no_common_aead,
                         ke_errc::missing_record, ke_errc::duplicate_record,
                         ke_errc::unknown_critical, ke_errc::unexpected_record,
                         ke_errc::trailing_data, ke_errc::message_too_long}) {
    CAPTURE(ntp::to_string(why));
    CHECK(refusals(s, why) == 1);
  }
}

TEST_CASE("half a request is no request") {
  machine m;
  m.start(machine::usual_config() + ke_server_section(m));
  m.run_for(1s);
  ke_caller ends;
  ends.request.resize(ends.request.size() / 2);
  ends.finishes = true;
  ends.connect(m);
  ke_caller breaks;
  breaks.request.resize(breaks.request.size() / 2);
  breaks.connect(m);
  ke_caller mute;
  mute.request.clear();
  mute.finishes = true;
  mute.connect(m);
  m.run_for(100ms);
  CHECK(ke_status(m).connections == 1);
  breaks.channel.reset();
  m.run_for(100ms);
  const auto s = ke_status(m);
  CHECK(refusals(s, ke_errc::incomplete) == 2);
  CHECK(tls_failures(s, "cut-off") == 1);
  CHECK(s.connections == 0);
  CHECK(s.exchanges == 0);
}

TEST_CASE("clients that stall end, and before their time if others come") {
  machine m;
  m.start(machine::usual_config()
          + ke_server_section(m, "concurrent-connections = 2\n"
                                 "key-exchange-timeout-ms = 3000\n"));
  m.run_for(1s);
  std::deque<ke_caller> stalled;
  for (int i = 0; i < 2; ++i) {
    stalled.emplace_back(std::vector<std::byte>{});
    stalled.back().connect(m);
  }
  m.run_for(1s);
  ke_caller third;
  CHECK(get_cookies(m, third).size() == 8);
  CHECK(stalled.front().end);
  CHECK(!stalled.back().end);
  auto s = ke_status(m);
  CHECK(s.connections == 1);
  CHECK(s.too_many == 1);
  CHECK(s.accepted == 3);
  CHECK(s.timed_out == 0);

  m.run_for(3s);
  s = ke_status(m);
  CHECK(s.connections == 0);
  CHECK(s.timed_out == 1);
  for (const auto& caller : stalled)
    CHECK(caller.end);
  ke_caller fourth;
  CHECK(get_cookies(m, fourth).size() == 8);
}

TEST_CASE("a client that comes too often is served rarely, and others always") {
  machine m;
  const auto limits = [](int burst) {
    return "rate-limiting-cutoff-ms = 1000\nrate-limiting-burst = "
           + std::to_string(burst) + "\n";
  };
  m.start(machine::usual_config() + ke_server_section(m, limits(3)));
  m.run_for(1s);
  std::deque<ke_caller> callers;
  const auto call = [&](const std::string& from) -> ke_caller& {
    auto& caller = callers.emplace_back();
    caller.connect(m, from);
    return caller;
  };
  for (int i = 0; i < 33; ++i)
    call("198.51.100.7:" + std::to_string(50000 + i));
  m.run_for(200ms);
  auto s = ke_status(m);
  CHECK(s.exchanges >= 3);
  CHECK(s.exchanges < 12);
  CHECK(s.rate_limited == 33 - s.exchanges);
  CHECK(callers.back().end);

  const auto before = s.exchanges;
  call("198.51.100.8:50000");
  m.run_for(200ms);
  CHECK(ke_status(m).exchanges == before + 1);
  m.run_for(3s);
  for (int i = 0; i < 3; ++i)
    call("198.51.100.7:" + std::to_string(51000 + i));
  m.run_for(200ms);
  CHECK(ke_status(m).exchanges == before + 4);

  m.reload(machine::usual_config() + ke_server_section(m, limits(100)));
  s = ke_status(m);
  for (int i = 0; i < 50; ++i)
    call("198.51.100.7:" + std::to_string(52000 + i));
  m.run_for(200ms);
  CHECK(ke_status(m).exchanges == s.exchanges + 50);
}

TEST_CASE("without keys for cookies a client is told of an internal error") {
  machine m;
  write_file(file_of(m, "secret"), std::string(32, 's'));
  // The server never answers, so nobody sets the clock.
  m.start(server_source("192.0.2.99") + ke_server_section(m)
          + "[keyset]\ncluster-secret-file = \"" + file_of(m, "secret").string()
          + "\"\n");
  m.run_for(1min);
  ke_caller caller;
  caller.connect(m);
  m.run_for(200ms);
  CHECK(caller.answer().error() == ntp::ke_error{ke_errc::peer_error, 2});
  const auto s = ke_status(m);
  CHECK(refusals(s, ke_errc::internal) == 1);
  CHECK(s.problem == "there are no keys for cookies yet");
  CHECK(s.listening);
}

TEST_CASE("a pool asks again and again on one connection") {
  machine m;
  m.start(pool_config(m, "longlived-connections = 1\n"));
  m.run_for(1s);
  ke_caller pool{pool_request(true, "sesame")};
  pool.connect(m);
  // Longer than the key exchange of a client may take.
  m.run_for(59s);
  CHECK(pool.ready);
  CHECK_FALSE(pool.end);
  CHECK(ke_status(m).pool_exchanges == 1);
  // Two at once, without waiting.
  auto two = pool_request(true, "sesame");
  two.insert(two.end(), pool.request.begin(), pool.request.end());
  CHECK(pool.channel->send(two));
  m.run_for(59s);
  CHECK_FALSE(pool.end);
  CHECK(ke_status(m).pool_exchanges == 3);

  // Only so many may stay.
  ke_caller second{pool_request(true, "sesame")};
  second.connect(m);
  m.run_for(200ms);
  CHECK(ke_status(m).pool_exchanges == 4);
  CHECK(second.peer_finished);
  CHECK_FALSE(pool.peer_finished);

  // One that has nothing more to ask is left, and makes room.
  m.run_for(2s);
  CHECK(pool.end);
  ke_caller third{pool_request(true, "sesame")};
  third.connect(m);
  m.run_for(30s);
  CHECK(ke_status(m).connections == 1);
  CHECK(third.channel->send(pool_request(false, "sesame")));
  m.run_for(200ms);
  CHECK(third.peer_finished);
  const auto s = ke_status(m);
  CHECK(s.connections == 0);
  CHECK(s.exchanges == 6);
  CHECK(s.pool_exchanges == 6);
  CHECK(s.timed_out == 0);
}

TEST_CASE("strangers who act like a pool get nothing, and do not stay") {
  machine m;
  m.start(pool_config(m, ""));
  m.run_for(1s);
  ke_caller stranger{pool_request(true, "guess")};
  stranger.connect(m);
  m.run_for(200ms);
  CHECK(stranger.answer().error() == ntp::ke_error{ke_errc::peer_error, 0});
  CHECK(stranger.peer_finished);
  const auto s = ke_status(m);
  CHECK(refusals(s, ke_errc::not_permitted) == 1);
  CHECK(s.exchanges == 0);
}

TEST_CASE("certificates are loaded again when their files change") {
  machine m;
  const auto loads = [&m] {
    const auto log = m.log();
    std::size_t count = 0;
    for (auto at = log.find("nts-ke-certificate "); at != std::string::npos;
         at = log.find("nts-ke-certificate ", at + 1))
      ++count;
    return count;
  };
  write_file(file_of(m, "chain.pem"), "one");
  write_file(file_of(m, "key.pem"), "one");
  const auto config = machine::usual_config() + ke_server_section(m);
  m.start(config);
  m.run_for(5min);
  CHECK(loads() == 1);
  write_file(file_of(m, "chain.pem"), "another");
  m.run_for(61s);
  CHECK(loads() == 2);
  write_file(file_of(m, "key.pem"), "another");
  m.reload(config);
  CHECK(loads() == 3);
  m.reload(config);
  CHECK(loads() == 3);
}

TEST_CASE("a port that is in use is tried again until it is free") {
  machine m;
  auto other = m.sim().world().key_exchange().listen(
    {*ntp::endpoint::parse(ke_listen), 1s},
    {[](const ntp::endpoint&) { return false; }, {}, {}, {}});
  REQUIRE(other);
  m.start(machine::usual_config() + ke_server_section(m));
  m.run_for(100s);
  auto s = ke_status(m);
  CHECK_FALSE(s.listening);
  CHECK(s.problem.find("in use") != std::string::npos);
  const auto log = m.log();
  const auto first = log.find("nts-ke-not-listening");
  REQUIRE(first != std::string::npos);
  CHECK(log.find("nts-ke-not-listening", first + 1) == std::string::npos);

  other->reset();
  m.run_for(64s);
  s = ke_status(m);
  CHECK(s.listening);
  CHECK(s.problem.empty());
  CHECK(m.logged("nts-ke-listening"));
  ke_caller caller;
  CHECK(get_cookies(m, caller).size() == 8);
}

TEST_CASE("a server of key exchange that is killed serves again") {
  machine m;
  m.start(machine::usual_config() + ke_server_section(m));
  m.run_for(1s);
  ke_caller stalled{std::vector<std::byte>{}};
  stalled.connect(m);
  m.run_for(100ms);
  REQUIRE(m.sim().kill("nts_ke_server"));
  m.run_for(1s);
  CHECK(stalled.end);
  ke_caller caller;
  CHECK(get_cookies(m, caller).size() == 8);
}

TEST_CASE("a new limit of time holds from then on, and ends no connection") {
  machine m;
  m.start(machine::usual_config()
          + ke_server_section(m, "key-exchange-timeout-ms = 20000\n"));
  m.run_for(1s);
  ke_caller early{std::vector<std::byte>{}};
  early.connect(m);
  m.run_for(1s);
  m.reload(machine::usual_config()
           + ke_server_section(m, "key-exchange-timeout-ms = 2000\n"));
  ke_caller late{std::vector<std::byte>{}};
  late.connect(m);
  m.run_for(3s);
  CHECK(late.end);
  CHECK_FALSE(early.end);
  CHECK(ke_status(m).timed_out == 1);
  m.run_for(20s);
  CHECK(early.end);
  CHECK(ke_status(m).timed_out == 2);
}

// -- on real sockets and threads, on loopback ---------------------------------

namespace {

class real_server {
public:
  explicit real_server(const platform::certificate_files& files)
    : clock_(platform::open_read_only_clock()),
      rt_(io_, *clock_),
      system_(config_),
      self_(system_) {
    rt_.attach(system_);
    config::nts_ke_server_config c;
    c.listen = *ntp::endpoint::parse("127.0.0.1:0");
    c.certificates = {{files.chain, files.private_key}};
    server_ = spawn_actor<nts_ke_server>(system_, rt_,
                                         nts_ke_server_options{std::move(c)});
  }
  real_server(const real_server&) = delete;
  real_server& operator=(const real_server&) = delete;
  ~real_server() {
    caf::anon_send_exit(server_, caf::exit_reason::user_shutdown);
    self_->wait_for(server_);
  }

  template <class Answer, class Request>
  Answer ask(Request what) {
    Answer result;
    self_->request(server_, caf::infinite, std::move(what))
      .receive([&](const Answer& answer) { result = answer; },
               [](const caf::error&) { FAIL("no answer"); });
    return result;
  }
  ctl::nts_ke_server_status status() {
    return ask<ctl::nts_ke_server_status>(get_nts_ke_server_status{});
  }
  void reload() { caf::anon_send(server_, actors::reload{}); }

private:
  asio::io_context io_;
  std::unique_ptr<platform::clock> clock_;
  real_runtime rt_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  caf::scoped_actor self_;
  nts_ke_server_actor server_;
};

/// A client's whole connection.
std::unique_ptr<ke_caller> call(const platform::testing::tls_site& site,
                                const ntp::endpoint& server) {
  asio::io_context io;
  auto caller = std::make_unique<ke_caller>();
  caller->start(connect_ke_channel(
    io, server, platform::testing::connect(*site.client(), "time.example"),
    20s));
  while (!caller->end)
    if (io.run_one_for(20s) == 0)
      FAIL("nothing happens any more");
  return caller;
}

} // namespace

TEST_CASE("nobody is served before there are certificates") {
  const platform::testing::tls_site site;
  real_server server{{site / "server.pem", site / "server-key.pem"}};
  auto s = server.status();
  CHECK(s.listening);
  CHECK(s.problem.find("server.pem") != std::string::npos);
  CHECK(s.certificates.empty());
  CHECK_FALSE(call(site, s.address)->ready);
  CHECK(server.status().accepted == 0);

  site.pair("server", "DNS:time.example");
  server.reload();
  s = server.status();
  REQUIRE(s.certificates.size() == 1);
  CHECK(s.certificates[0].names == std::vector<std::string>{"time.example"});
  CHECK(s.problem == "there are no keys for cookies yet");

  const ntp::secret<ntp::cookie_keys::key_octets> key{
    platform::testing::octets("a key that seals and opens, and that is all")};
  const auto keys = std::make_shared<const ntp::cookie_keys>(
    std::vector<ntp::cookie_keys::key>{{7, key}});
  server.ask<cookie_keys_taken>(cookie_keys_changed{keys});
  CHECK(server.status().problem.empty());
  const auto caller = call(site, s.address);
  REQUIRE(caller->answer());
  REQUIRE(*caller->answer());
  const auto cookies = (**caller->answer()).cookies;
  REQUIRE(cookies.size() == 8);
  for (const auto& cookie : cookies)
    CHECK(opened(*keys, cookie) == caller->keys(**caller->answer()));
  s = server.status();
  CHECK(s.accepted == 1);
  CHECK(s.handshakes == 1);
  CHECK(s.exchanges == 1);
}

} // namespace concert::actors::testing
