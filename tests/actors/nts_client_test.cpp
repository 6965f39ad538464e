// Sources with NTS: key exchanges, cookies, and what goes wrong with them.

#include "actors/simulation/simulated_ke_server.hpp"
#include "ntp_core/nts/nts_fields.hpp"
#include "ntp_core/packet/packet.hpp"
#include "tests/actors/machine.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace concert::actors::testing {

namespace {

using octets = std::vector<std::byte>;

constexpr const char* host = "time.example";
constexpr const char* ke_at_a = "192.0.2.1:4460";

ntp::ip_address address(const std::string& text) {
  return ntp::ip_address::parse(text).value();
}

std::shared_ptr<const ntp::cookie_keys> cookie_keys(std::uint32_t id) {
  std::array<std::byte, ntp::cookie_keys::key_octets> value{};
  value.fill(static_cast<std::byte>(id));
  return std::make_shared<const ntp::cookie_keys>(
    std::vector{ntp::cookie_keys::key{
      id, ntp::secret<ntp::cookie_keys::key_octets>{value}}});
}

std::string nts_source(const std::string& more = "") {
  return "[[source]]\nmode = \"nts\"\naddress = \"" + std::string{host} + "\"\n"
         + more + "\n";
}

std::string nts_pool(int count, const std::string& more = "") {
  return "[[source]]\nmode = \"nts-pool\"\naddress = \"" + std::string{host}
         + "\"\ncount = " + std::to_string(count) + "\n" + more + "\n";
}

/// An NTP server that remembers what it was sent.
class watched_server final : public simulated_server {
public:
  time_server inner;
  std::vector<octets> requests;
  /// Makes another answer out of request and answer.
  std::function<octets(const octets& request, const octets& answer)> twist;

  std::optional<octets> answer(std::span<const std::byte> request,
                               const ntp::endpoint& client,
                               true_time now) override {
    requests.emplace_back(request.begin(), request.end());
    auto made = inner.answer(request, client, now);
    if (made && twist)
      return twist(requests.back(), *made);
    return made;
  }
};

/// The cookie of a request; nothing unless its NTS fields are as they must be.
std::optional<octets> cookie_of(const octets& request) {
  const auto p = ntp::parse_packet(request);
  if (!p)
    return {};
  const auto fields = ntp::find_nts_fields(*p, request);
  if (!fields || fields->cookie.empty() || !fields->has_authenticator())
    return {};
  return octets(fields->cookie.begin(), fields->cookie.end());
}

/// A refusal of a request, as anybody on the way can make.
octets forged_ntsn(const octets& request, const octets& answer) {
  auto header = ntp::parse_header(answer).value();
  header.stratum = 0;
  header.leap = ntp::leap_indicator::unsynchronized;
  header.reference_id = ntp::code_of("NTSN");
  octets result(request.begin(), request.begin() + ntp::header_size
                                   + ntp::extension_overhead
                                   + ntp::unique_identifier_size);
  ntp::encode(header, std::span{result}.first<ntp::header_size>());
  return result;
}

/// A machine, and `time.example` at address a with keys and time.
struct nts_fixture {
  machine m;
  simulated_ke_server ke{network_of_keys(), ke_at_a};
  std::vector<std::shared_ptr<watched_server>> servers;

  nts_fixture() {
    name(host, machine::a);
    ke.keys = cookie_keys(1);
    place(machine::a);
  }

  simulated_key_exchange& network_of_keys() {
    return m.sim().world().key_exchange();
  }

  void name(const std::string& what, const std::string& where) {
    m.sim().network().name(what).addresses = {address(where)};
  }

  watched_server& place(const std::string& where) {
    auto& made = servers.emplace_back(std::make_shared<watched_server>());
    made->inner.set_nts_keys(ke.keys);
    m.sim().network().place(where, made);
    return *made;
  }

  watched_server& server() { return *servers.front(); }

  void new_keys(std::uint32_t id) {
    ke.keys = cookie_keys(id);
    for (const auto& s : servers)
      s->inner.set_nts_keys(ke.keys);
  }

  /// That every request had NTS, and no cookie came twice.
  void check_wire() const {
    std::set<octets> seen;
    for (const auto& s : servers)
      for (const auto& request : s->requests) {
        const auto cookie = cookie_of(request);
        REQUIRE(cookie);
        CHECK(seen.insert(*cookie).second);
      }
  }

  ctl::observed_nts_source status() {
    const auto all = m.status().nts_sources;
    REQUIRE(all.size() == 1);
    return all.front();
  }

  bool becomes_synchronized(std::chrono::seconds limit = 10min) {
    return m.run_until(limit, [&] { return m.state() == "synchronized"; });
  }

  std::size_t attempts() { return network_of_keys().wishes().size(); }

  std::vector<std::filesystem::path> jars() const {
    std::vector<std::filesystem::path> result;
    for (const auto& f :
         std::filesystem::directory_iterator{m.state_file().parent_path()})
      if (f.path().extension() == ".cookies")
        result.push_back(f.path());
    return result;
  }
};

} // namespace

TEST_CASE_FIXTURE(nts_fixture, "a source with NTS locks with one exchange, "
                               "never asks without, and keeps eight cookies") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.run_for(2h);
  CHECK(m.state() == "synchronized");
  CHECK(server().requests.size() > 20);
  check_wire();
  CHECK(attempts() == 1);
  const auto s = status();
  CHECK(s.name == "time.example:4460");
  CHECK(s.address == "192.0.2.1:123");
  CHECK(s.server.empty());
  CHECK(s.cookies == 8);
  CHECK(s.exchanges == 1);
  CHECK(s.failures == 0);
  CHECK(s.problem.empty());
  CHECK_FALSE(s.next_exchange_s);
  CHECK(network_of_keys().wishes()[0].host == host);
  CHECK(m.logged("key-exchange source=time.example:4460"));
}

TEST_CASE_FIXTURE(nts_fixture, "lost answers are made up for by placeholders") {
  m.sim().network().path(machine::a).loss = 0.2;
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.run_for(3h);
  m.sim().network().path(machine::a).loss = 0;
  m.run_for(1h);
  CHECK(status().cookies == 8);
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "a server that has lost its keys gets a new "
                               "exchange from the same source") {
  m.start(nts_source("poll-interval-limits = { min = 4, max = 6 }"));
  REQUIRE(becomes_synchronized());
  m.run_for(10min);
  const auto before = m.status().sources.at(0);
  new_keys(2);
  REQUIRE(m.run_until(5min, [&] { return status().exchanges == 2; }));
  m.run_for(10min);
  const auto after = m.status().sources.at(0);
  CHECK(after.id == before.id);
  CHECK(after.state == "selected");
  CHECK(after.reachability == 255);
  CHECK(m.state() == "synchronized");
  CHECK(attempts() == 2);
  CHECK(status().cookies == 8);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "each exchange whose keys worked begins anew "
                               "with short waits") {
  m.start(nts_source("poll-interval-limits = { min = 4, max = 4 }"));
  REQUIRE(becomes_synchronized());
  for (std::uint32_t id = 2; id < 14; ++id) {
    CAPTURE(id);
    m.run_for(30s);
    new_keys(id);
    CHECK(m.run_until(60s, [&] { return status().exchanges == id; }));
  }
}

TEST_CASE_FIXTURE(nts_fixture, "exchanges that fail come ever more rarely, "
                               "until one succeeds") {
  network_of_keys().fail(
    ke_at_a, ke_channel_end{ke_ending::unreachable, {}, "connection refused"});
  m.start(nts_source());
  m.run_for(10min);
  const auto& times = network_of_keys().wish_times();
  REQUIRE(times.size() >= 6);
  CHECK(times.size() <= 10);
  double wait_s = 10;
  bool jitter = false;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double waited_s = ntp::seconds_of(times[i] - times[i - 1]);
    CHECK(waited_s > 0.899 * wait_s);
    CHECK(waited_s < 1.101 * wait_s + 0.1);
    jitter = jitter || std::abs(waited_s / wait_s - 1) > 0.02;
    wait_s *= 1.5;
  }
  CHECK(jitter);
  auto s = status();
  CHECK(s.problem.find("connection refused") != std::string::npos);
  CHECK(s.failures == times.size());
  CHECK(s.next_exchange_s.value_or(0) > 0);
  CHECK(m.sim().network().requests() == 0);
  network_of_keys().fail(ke_at_a, {});
  CHECK(becomes_synchronized(20min));
  CHECK(status().problem.empty());
}

TEST_CASE_FIXTURE(nts_fixture, "a failed exchange is tried again when the "
                               "network changes, but not at once again") {
  network_of_keys().fail(
    ke_at_a, ke_channel_end{ke_ending::unreachable, {}, "no route to host"});
  m.start(nts_source());
  m.run_for(10min);
  const auto before = attempts();
  m.sim().world().network_changes();
  m.run_for(1s);
  CHECK(attempts() == before + 1);
  for (int i = 0; i < 8; ++i) {
    m.sim().world().network_changes();
    m.run_for(1s);
  }
  CHECK(attempts() == before + 1);
  m.run_for(5s);
  CHECK(attempts() == before + 2);
}

TEST_CASE_FIXTURE(nts_fixture, "when all cookies are lost with their answers, "
                               "an exchange brings new ones") {
  m.start(nts_source("poll-interval-limits = { min = 4, max = 4 }"));
  REQUIRE(becomes_synchronized());
  const auto id = m.status().sources.at(0).id;
  m.sim().network().path(machine::a).cut = true;
  m.run_for(1h);
  CHECK(status().exchanges > 1);
  CHECK(attempts() < 16);
  m.sim().network().path(machine::a).cut = false;
  REQUIRE(m.run_until(
    30min, [&] { return m.status().sources.at(0).reachability == 255; }));
  CHECK(m.status().sources.at(0).id == id);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "the exchange may name another server") {
  name("ntp.example", machine::b);
  const auto& other = place(machine::b);
  ke.config.ntp_server = "ntp.example";
  ke.config.ntp_port = 1123;
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.run_for(10min);
  CHECK(server().requests.empty());
  CHECK(other.requests.size() > 4);
  const auto s = status();
  CHECK(s.address == "192.0.2.2:1123");
  CHECK(s.server == "ntp.example");
  CHECK(network_of_keys().wishes()[0].host == host);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "the exchange goes to the next address if one "
                               "cannot be reached, and so do the packets") {
  auto& name = m.sim().network().name(host);
  name.addresses = {address(machine::c), address(machine::a)};
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  CHECK(attempts() == 2);
  CHECK(status().address == "192.0.2.1:123");
  CHECK(status().exchanges == 1);
}

TEST_CASE_FIXTURE(nts_fixture, "where the exchange itself fails, the server's "
                               "other addresses are not tried") {
  auto& name = m.sim().network().name(host);
  name.addresses = {address(machine::a), address(machine::c)};
  ke.keys = nullptr;
  m.start(nts_source());
  m.run_for(5s);
  CHECK(attempts() == 1);
}

TEST_CASE_FIXTURE(nts_fixture, "a wrong certificate is told, and nothing is "
                               "sent") {
  const std::string text = "the certificate is not for time.example";
  network_of_keys().fail(
    ke_at_a,
    ke_channel_end{ke_ending::tls, platform::tls_fault::certificate, text});
  m.start(nts_source());
  m.run_for(1h);
  CHECK(status().problem == text);
  CHECK(status().address.empty());
  CHECK(
    m.logged("key-exchange-failed source=time.example:4460 error=\"" + text));
  CHECK(m.sim().network().requests() == 0);
}

TEST_CASE_FIXTURE(nts_fixture, "servers of keys that do not do their work are "
                               "failures") {
  std::string problem;
  SUBCASE("an error") {
    ke.keys = nullptr;
    problem = to_string(ntp::ke_error{ntp::ke_errc::peer_error, 2});
  }
  SUBCASE("silence") {
    ke.stalls = true;
    problem = "took too long";
  }
  SUBCASE("no cookies") {
    ke.no_cookies = true;
    problem = to_string(ntp::ke_error{ntp::ke_errc::no_cookies});
  }
  SUBCASE("nothing in common") {
    ke.config.aeads = {ntp::aead_id::aes_siv_cmac_512};
    problem = to_string(ntp::ke_error{ntp::ke_errc::no_common_aead});
  }
  SUBCASE("a name that does not exist") {
    ke.config.ntp_server = "nowhere.example";
    problem = "nowhere.example";
  }
  CAPTURE(problem);
  m.start(nts_source("aeads = [\"AES-SIV-CMAC-256\"]"));
  m.run_for(9s);
  CHECK(attempts() == 1);
  CHECK(status().failures == 1);
  CHECK(status().problem.find(problem) != std::string::npos);
  CHECK(m.sim().network().requests() == 0);
}

TEST_CASE_FIXTURE(nts_fixture, "forged refusals do nothing that lasts") {
  m.start(nts_source("poll-interval-limits = { min = 4, max = 4 }"));
  REQUIRE(becomes_synchronized());
  const auto id = m.status().sources.at(0).id;
  server().twist = forged_ntsn;
  m.run_for(1h);
  CHECK(attempts() > 2);
  CHECK(attempts() < 16);
  server().twist = nullptr;
  REQUIRE(m.run_until(
    30min, [&] { return m.status().sources.at(0).reachability == 255; }));
  CHECK(m.status().sources.at(0).id == id);
  CHECK(m.state() == "synchronized");
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "answers without NTS are not believed") {
  server().inner.error_s = 10;
  server().twist = [](const octets&, const octets& answer) {
    return octets(answer.begin(), answer.begin() + ntp::header_size);
  };
  m.start(nts_source());
  m.run_for(1h);
  CHECK(m.state() == "starting");
  CHECK(m.clock().done().steps == 0);
  CHECK(m.status().sources.at(0).reachability == 0);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "cookies outlive a restart, and none is used "
                               "twice") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  for (int i = 0; i < 3; ++i) {
    m.run_for(10min);
    CHECK(jars().empty());
    m.stop();
    REQUIRE_FALSE(m.sim().is_running());
    REQUIRE(jars().size() == 1);
    CHECK(jars()[0].filename() == "state.time.example-4460.cookies");
    m.start(nts_source());
    m.run_for(1s);
    CHECK(jars().empty());
  }
  CHECK(becomes_synchronized());
  m.run_for(1h);
  CHECK(attempts() == 1);
  CHECK(status().exchanges == 0);
  CHECK(status().cookies == 8);
  check_wire();
  // Those that a crash leaves nowhere are gone.
  m.sim().kill_daemon();
  CHECK(jars().empty());
  m.start(nts_source());
  CHECK(becomes_synchronized());
  CHECK(attempts() == 2);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "kept cookies are for the server that the "
                               "exchange named") {
  name("ntp.example", machine::b);
  place(machine::b);
  ke.config.ntp_server = "ntp.example";
  ke.config.ntp_port = 1123;
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.stop();
  SUBCASE("which is found again") {
    m.start(nts_source());
    m.run_for(10min);
    CHECK(status().address == "192.0.2.2:1123");
    CHECK(attempts() == 1);
  }
  SUBCASE("which is found when the name service is there") {
    m.sim().network().name("ntp.example").addresses.clear();
    m.start(nts_source());
    m.run_for(30s);
    CHECK(status().address.empty());
    name("ntp.example", machine::b);
    m.run_for(30s);
    CHECK(status().address == "192.0.2.2:1123");
    CHECK(attempts() == 1);
  }
  SUBCASE("or which is given up, if it is gone") {
    m.sim().network().name("ntp.example").addresses.clear();
    ke.config.ntp_server.clear();
    m.start(nts_source());
    m.run_for(10min);
    CHECK(status().address == "192.0.2.1:1123");
    CHECK(attempts() == 2);
  }
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "a jar that is damaged is thrown away") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.stop();
  const auto jar = jars().at(0);
  std::filesystem::resize_file(jar, std::filesystem::file_size(jar) - 1);
  m.start(nts_source());
  CHECK(becomes_synchronized());
  CHECK(attempts() == 2);
  CHECK(jars().empty());
}

TEST_CASE_FIXTURE(nts_fixture, "AES-128-GCM-SIV works with servers of both "
                               "opinions about its number") {
  using use = simulated_ke_server::number_use;
  SUBCASE("that say which") {
    ke.own_number = use::agreed;
  }
  SUBCASE("that use another and say nothing") {
    ke.own_number = use::silent_other;
  }
  SUBCASE("that use its own and say nothing") {
    ke.own_number = use::silent_own;
  }
  m.start(nts_source("aeads = [\"AES-128-GCM-SIV\"]"));
  CHECK(becomes_synchronized());
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "certificates are judged by the clock, or once "
                               "it was set") {
  const auto judged
    = [&](std::size_t i) { return network_of_keys().wishes().at(i).judged_at; };
  SUBCASE("always") {
    m.start(nts_source());
    m.run_for(1min);
    REQUIRE(judged(0));
    const auto off = *judged(0) - simulated_clock::epoch;
    CHECK(off >= 0s);
    CHECK(off < 10s);
  }
  SUBCASE("never by a clock that fell behind an earlier run") {
    m.start(nts_source());
    REQUIRE(becomes_synchronized());
    m.run_for(2h);
    m.stop();
    std::filesystem::remove(jars().at(0));
    m.clock().foreign_step(ntp::ntp_duration::from_seconds(-1e8));
    m.start(nts_source());
    m.run_for(1min);
    REQUIRE(judged(1));
    const auto off = *judged(1) - simulated_clock::epoch;
    CHECK(off > 1h);
    CHECK(off < 3h);
  }
  SUBCASE("after it was set") {
    m.start(nts_source("certificate-time-check = \"after-first-sync\""));
    REQUIRE(becomes_synchronized());
    CHECK_FALSE(judged(0));
    new_keys(2);
    REQUIRE(m.run_until(1h, [&] { return attempts() == 2; }));
    CHECK(judged(1));
    m.stop();
    m.start(nts_source("certificate-time-check = \"after-first-sync\""));
    new_keys(3);
    REQUIRE(m.run_until(1h, [&] { return attempts() == 3; }));
    CHECK(judged(2)); // still the same boot
  }
}

TEST_CASE_FIXTURE(nts_fixture, "a source that a reload removes asks no more, "
                               "and its cookies wait for its return") {
  m.start(nts_source() + server_source(machine::b));
  REQUIRE(becomes_synchronized());
  m.reload(server_source(machine::b));
  const auto asked = server().requests.size();
  m.run_for(1h);
  CHECK(server().requests.size() == asked);
  CHECK(m.status().nts_sources.empty());
  CHECK(jars().size() == 1);
  m.reload(nts_source() + server_source(machine::b));
  m.run_for(10min);
  CHECK(server().requests.size() > asked);
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "limits of polls change in place, and cost no "
                               "key exchange") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.run_for(30min);
  const auto before = m.status().sources.at(0);
  m.reload(nts_source("poll-interval-limits = { min = 5, max = 5 }"));
  m.run_for(10min);
  const auto after = m.status().sources.at(0);
  CHECK(after.id == before.id);
  CHECK(after.reachability == 255);
  CHECK(after.poll == 5);
  CHECK(attempts() == 1);
  CHECK(m.state() == "synchronized");
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "offline neither the server of keys nor that of "
                               "time is asked, and online the cookies serve") {
  m.start(nts_source() + server_source(machine::b));
  REQUIRE(becomes_synchronized());
  m.reload(nts_source("offline = true") + server_source(machine::b));
  const auto asked = server().requests.size();
  m.run_for(2h);
  CHECK(server().requests.size() == asked);
  CHECK(attempts() == 1);
  m.reload(nts_source() + server_source(machine::b));
  m.run_for(1min);
  CHECK(server().requests.size() > asked);
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "offline from the start no keys are asked for "
                               "before it is online") {
  m.start(nts_source("offline = true") + server_source(machine::b));
  m.run_for(1h);
  CHECK(attempts() == 0);
  m.reload(nts_source() + server_source(machine::b));
  m.run_for(1min);
  CHECK(attempts() == 1);
  CHECK_FALSE(server().requests.empty());
}

TEST_CASE_FIXTURE(nts_fixture, "a source or a spawner that dies is replaced, "
                               "with the cookies that are left") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.run_for(10min);
  for (const char* kind : {"source", "spawner", "state_keeper", "steering"}) {
    CAPTURE(std::string{kind});
    REQUIRE(m.sim().kill(kind));
    m.run_for(10min);
    CHECK(m.status().sources.size() == 1);
    CHECK(status().cookies == 8);
  }
  CHECK(becomes_synchronized());
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "a server that refuses us is left alone") {
  m.start(nts_source("poll-interval-limits = { min = 4, max = 4 }"));
  REQUIRE(becomes_synchronized());
  // Only what is authentic counts as a refusal, so it is told by hand.
  const auto id = m.status().sources.at(0).id;
  REQUIRE(m.sim().tell<nts_spawner_actor>(
    "spawner", source_lost{ntp::source_id{id}, loss::refused}));
  m.run_for(1min);
  const auto asked = server().requests.size();
  m.run_for(3h);
  CHECK(server().requests.size() == asked);
  CHECK(attempts() == 1);
  REQUIRE(m.run_until(2h, [&] { return attempts() == 2; }));
  m.run_for(1min);
  CHECK(server().requests.size() > asked);
}

TEST_CASE_FIXTURE(nts_fixture, "a jar that cannot be removed is not used") {
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  m.stop();
  const auto jar = jars().at(0);
  std::filesystem::remove(jar);
  std::filesystem::create_directories(jar / "full");
  m.start(nts_source());
  m.run_for(10min);
  CHECK(attempts() == 2);
  CHECK(m.logged("cookies-not-used"));
}

TEST_CASE_FIXTURE(nts_fixture, "an exchange ends with its spawner") {
  ke.stalls = true;
  m.start(nts_source());
  m.run_for(2s);
  REQUIRE(attempts() == 1);
  REQUIRE(m.sim().kill("spawner"));
  ke.stalls = false;
  CHECK(becomes_synchronized());
  CHECK(attempts() == 2);
  CHECK(status().failures == 0);
}

TEST_CASE_FIXTURE(nts_fixture, "a source that dies young rests, and then goes "
                               "on with its cookies") {
  m.start(nts_source());
  m.run_for(10s);
  REQUIRE(m.sim().kill("source"));
  const auto asked = server().requests.size();
  REQUIRE(asked > 0);
  m.run_for(55s);
  CHECK(server().requests.size() == asked);
  m.run_for(10s);
  CHECK(server().requests.size() > asked);
  CHECK(attempts() == 1);
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "a key exchange server may be an address, and a "
                               "server that moves is followed") {
  const auto where = [](const char* text) {
    return "[[source]]\nmode = \"nts\"\naddress = \"" + std::string{text}
           + "\"\n";
  };
  m.start(where("192.0.2.1"));
  CHECK(becomes_synchronized());
  m.stop();
  CHECK(jars().at(0).filename() == "state.192.0.2.1-4460.cookies");
  // Another entry has nothing to do with that jar.
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  CHECK(attempts() == 2);
  simulated_ke_server moved{network_of_keys(), "192.0.2.2:4460", 2};
  moved.keys = ke.keys;
  place(machine::b);
  server().inner.silent = true;
  name(host, machine::b);
  CHECK(m.run_until(12h, [&] { return status().address == "192.0.2.2:123"; }));
  CHECK(becomes_synchronized());
  check_wire();
}

TEST_CASE_FIXTURE(nts_fixture, "when the time of one address is silent, the "
                               "exchange is made with another of the name") {
  m.sim().network().name(host).addresses
    = {address(machine::a), address(machine::b)};
  simulated_ke_server second{network_of_keys(), "192.0.2.2:4460", 2};
  second.keys = ke.keys;
  place(machine::b);
  m.start(nts_source());
  REQUIRE(becomes_synchronized());
  REQUIRE(status().address == "192.0.2.1:123");
  server().inner.silent = true;
  CHECK(m.run_until(12h, [&] { return status().address == "192.0.2.2:123"; }));
  check_wire();
}

// -- pools --------------------------------------------------------------------

namespace {

struct pool_fixture : nts_fixture {
  pool_fixture() {
    for (int i = 1; i <= 4; ++i) {
      const auto where = "203.0.113." + std::to_string(i);
      place(where);
      name(member(i), where);
      ke.members.push_back(member(i));
    }
  }

  static std::string member(int i) {
    return "s" + std::to_string(i) + ".example";
  }

  watched_server& server_of(int i) {
    return *servers.at(static_cast<std::size_t>(i));
  }

  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& s : m.status().nts_sources)
      result.push_back(s.server);
    std::sort(result.begin(), result.end());
    return result;
  }

  std::vector<std::string> denials(std::size_t request) const {
    auto result = simulated_ke_server::denials(ke.requests().at(request));
    std::sort(result.begin(), result.end());
    return result;
  }
};

using list = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(pool_fixture, "a pool is asked once for each server, and not "
                                "for those that there are") {
  m.start(nts_pool(3));
  REQUIRE(becomes_synchronized());
  CHECK(names() == list{member(1), member(2), member(3)});
  REQUIRE(ke.requests().size() == 3);
  CHECK(denials(0).empty());
  CHECK(denials(1) == list{member(1)});
  CHECK(denials(2) == list{member(1), member(2)});
  m.run_for(1h);
  CHECK(m.status().sources.size() == 3);
  CHECK(ke.requests().size() == 3);
  check_wire();
}

TEST_CASE_FIXTURE(pool_fixture,
                  "a pool grows and shrinks while those that stay "
                  "are not asked for keys again") {
  m.start(nts_pool(3));
  m.run_for(10min);
  const auto before = m.status().sources;
  m.reload(nts_pool(4));
  m.run_for(10min);
  CHECK(names() == list{member(1), member(2), member(3), member(4)});
  CHECK(ke.requests().size() == 4);
  CHECK(denials(3) == list{member(1), member(2), member(3)});
  m.reload(nts_pool(2));
  m.run_for(10min);
  CHECK(names() == list{member(1), member(2)});
  const auto after = m.status().sources;
  REQUIRE(after.size() == 2);
  CHECK(after[0].id == before.at(0).id);
  CHECK(after[1].id == before.at(1).id);
  CHECK(ke.requests().size() == 4);
  CHECK(m.state() == "synchronized");
  check_wire();
}

TEST_CASE_FIXTURE(pool_fixture, "a new place in a pool does not take a server "
                                "whose cookies outlive a restart") {
  m.start(nts_pool(3));
  m.run_for(10min);
  m.stop();
  m.start(nts_pool(4));
  m.run_for(10min);
  CHECK(names() == list{member(1), member(2), member(3), member(4)});
  REQUIRE(ke.requests().size() == 4);
  CHECK(denials(3) == list{member(1), member(2), member(3)});
  check_wire();
}

TEST_CASE_FIXTURE(pool_fixture, "a silent server of a pool is replaced") {
  m.start(nts_pool(3));
  REQUIRE(becomes_synchronized());
  server_of(2).inner.silent = true;
  REQUIRE(m.run_until(12h, [&] {
    return names() == list{member(1), member(3), member(4)};
  }));
  CHECK(denials(3) == list{member(1), member(2), member(3)});
  CHECK(becomes_synchronized());
  m.run_for(1h);
  CHECK(m.status().sources.size() == 3);
  CHECK(ke.requests().size() == 4);
  check_wire();
}

TEST_CASE_FIXTURE(pool_fixture, "a server of a pool that speaks again before "
                                "there is another one stays") {
  server_of(1).inner.silent = true;
  m.start(nts_pool(1));
  m.run_for(1s);
  REQUIRE(ke.requests().size() == 1);
  network_of_keys().fail(
    ke_at_a, ke_channel_end{ke_ending::unreachable, {}, "connection refused"});
  REQUIRE(m.run_until(1h, [&] { return status().failures > 0; }));
  server_of(1).inner.silent = false;
  REQUIRE(becomes_synchronized());
  network_of_keys().fail(ke_at_a, {});
  m.run_for(1h);
  CHECK(names() == list{member(1)});
  CHECK(ke.requests().size() == 1);
  CHECK_FALSE(status().next_exchange_s);
}

TEST_CASE_FIXTURE(pool_fixture, "a falseticker of a pool is replaced") {
  server_of(2).inner.error_s = 0.4;
  m.start(nts_pool(3));
  CHECK(m.run_until(3h, [&] {
    return names() == list{member(1), member(3), member(4)};
  }));
}

TEST_CASE_FIXTURE(pool_fixture, "a pool that gives what we have is asked ever "
                                "more rarely") {
  ke.heeds_denials = false;
  m.start(nts_pool(2));
  m.run_for(1h);
  CHECK(m.status().sources.size() == 1);
  CHECK(attempts() > 5);
  CHECK(attempts() < 16);
  auto all = m.status().nts_sources;
  REQUIRE(all.size() == 2);
  if (all[0].address.empty())
    std::swap(all[0], all[1]);
  CHECK(all[0].problem.empty());
  CHECK(all[1].address.empty());
  CHECK(all[1].problem.find(member(1)) != std::string::npos);
  ke.heeds_denials = true;
  CHECK(m.run_until(1h, [&] { return names() == list{member(1), member(2)}; }));
}

TEST_CASE_FIXTURE(pool_fixture, "our own address and ignored ones are not used "
                                "as servers of a pool") {
  m.sim().network().own_addresses.push_back(address("203.0.113.1"));
  m.start(nts_pool(1, "ignore = [\"203.0.113.2\"]"));
  m.run_for(1h);
  CHECK(names() == list{member(3)});
  CHECK(ke.requests().size() == 3);
  CHECK(server_of(1).requests.empty());
  CHECK(server_of(2).requests.empty());
}

TEST_CASE_FIXTURE(pool_fixture, "all cookies of a pool outlive a restart") {
  m.start(nts_pool(3));
  REQUIRE(becomes_synchronized());
  m.stop();
  CHECK(jars().size() == 3);
  m.start(nts_pool(3));
  m.run_for(10min);
  CHECK(names() == list{member(1), member(2), member(3)});
  CHECK(ke.requests().size() == 3);
  check_wire();
}

} // namespace concert::actors::testing
