#include "ntp_core/nts/cluster_keys.hpp"
#include "ntp_core/nts/key_rotation.hpp"
#include "platform/hash.hpp"
#include "tests/actors/ke_caller.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <utility>

namespace concert::actors::testing {

namespace {

using shared_keys = std::shared_ptr<const ntp::cookie_keys>;

/// A worker and a server of key exchange that tell which keys they were given.
class key_probe {
public:
  explicit key_probe(machine& m, bool prompt = true)
    : seen_(std::make_shared<seen>()) {
    auto& system = *m.sim().actors("keyset").front()->home_system;
    worker_ = system.spawn(worker_behavior, seen_, prompt);
    server_ = system.spawn(server_behavior, seen_);
    m.sim().settle();
  }
  ~key_probe() { seen_->unanswered.clear(); }
  key_probe(const key_probe&) = delete;
  key_probe& operator=(const key_probe&) = delete;

  /// Takes the place of the daemon's own workers and servers, at the keyset.
  void wire(machine& m) {
    wiring w;
    w.workers = {worker_};
    w.nts_ke_servers = {server_};
    REQUIRE(m.sim().tell<keyset_actor>("keyset", w));
  }

  /// The worker answers one distribution, the oldest first.
  void answer(machine& m) {
    REQUIRE(!seen_->unanswered.empty());
    caf::anon_send(worker_, next_batch{});
    m.sim().settle();
  }

  const std::vector<shared_keys>& at_worker() const { return seen_->worker; }
  const std::vector<shared_keys>& at_server() const { return seen_->server; }

private:
  using promise = caf::typed_response_promise<cookie_keys_taken>;
  struct seen {
    std::vector<shared_keys> worker;
    std::vector<shared_keys> server;
    std::deque<promise> unanswered;
  };

  static worker_actor::behavior_type
  worker_behavior(worker_actor::pointer self, const std::shared_ptr<seen>& seen,
                  bool prompt) {
    return {
      [](const open_port&) {},
      [](close_port) {},
      [](const ntp::served_time&) {},
      [seen](next_batch) {
        seen->unanswered.front().deliver(cookie_keys_taken{});
        seen->unanswered.pop_front();
      },
      [self, seen, prompt](const cookie_keys_changed& c) {
        auto p = self->make_response_promise<cookie_keys_taken>();
        seen->worker.push_back(c.keys);
        if (prompt)
          p.deliver(cookie_keys_taken{});
        else
          seen->unanswered.push_back(p);
        return p;
      },
      [](const get_port_report&) { return port_report{}; },
    };
  }

  static nts_ke_server_actor::behavior_type
  server_behavior(nts_ke_server_actor::pointer,
                  const std::shared_ptr<seen>& seen) {
    return {
      [](const wiring&) {},
      [](deadline) {},
      [](reload) {},
      [](const nts_ke_server_config_changed&) {},
      [seen](const cookie_keys_changed& c) {
        seen->server.push_back(c.keys);
        return cookie_keys_taken{};
      },
      [](get_nts_ke_server_status) { return ctl::nts_ke_server_status{}; },
    };
  }

  std::shared_ptr<seen> seen_;
  worker_actor worker_;
  nts_ke_server_actor server_;
};

/// The keys now.
std::vector<ntp::cookie_keys::key> keys_of(machine& m) {
  key_probe probe{m};
  probe.wire(m);
  REQUIRE(probe.at_server().size() == 1);
  CHECK(probe.at_worker() == probe.at_server());
  const auto& keys = probe.at_server().front();
  return keys ? keys->newest_first() : std::vector<ntp::cookie_keys::key>{};
}

std::string config_of(const machine& m, const std::string& keyset) {
  return machine::usual_config() + ke_server_section(m) + "[keyset]\n" + keyset;
}

std::string stored(const machine& m, const std::string& more = "") {
  return config_of(m, "key-storage-path = \"" + file_of(m, "keys").string()
                        + "\"\n" + more);
}

std::string clustered(const machine& m, const std::string& more = "") {
  return config_of(m, "cluster-secret-file = \"" + file_of(m, "secret").string()
                        + "\"\n" + more);
}

const std::string one_secret(32, '1');
const std::string other_secret(32, '2');

/// What a cluster's keys must be at a machine's time.
std::vector<ntp::cookie_keys::key>
derived(machine& m, const std::string& secret, std::chrono::seconds interval) {
  auto made = ntp::cluster_keys::make(std::as_bytes(std::span{secret}),
                                      {interval, 7}, platform::hkdf_sha256);
  REQUIRE(made);
  const auto now = m.clock().read().unix_time;
  return made->at(std::chrono::floor<std::chrono::seconds>(now))
    .keys->newest_first();
}

std::size_t times_logged(const machine& m, std::string_view what) {
  const auto log = m.log();
  std::size_t count = 0;
  for (auto at = log.find(what); at != std::string::npos;
       at = log.find(what, at + 1))
    ++count;
  return count;
}

} // namespace

TEST_CASE("keys of cookies rotate, and the stale ones still open") {
  machine m;
  m.start(config_of(m, "key-rotation-interval = 3600\nstale-key-count = 2\n"));
  m.run_for(1s);
  auto s = key_status(m);
  CHECK_FALSE(s.cluster);
  CHECK(s.keys == 1);
  CHECK(s.problem.empty());
  REQUIRE(s.newest_since);
  CHECK(*s.next_rotation == *s.newest_since + 1h);
  m.run_for(1h);
  CHECK(key_status(m).keys == 2);
  CHECK(*key_status(m).newest_since == *s.next_rotation);
  m.run_for(10h);
  CHECK(key_status(m).keys == 3);

  const auto before = keys_of(m);
  m.run_for(1h);
  const auto after = keys_of(m);
  REQUIRE(before.size() == 3);
  REQUIRE(after.size() == 3);
  CHECK(after[1] == before[0]);
  CHECK(after[2] == before[1]);
  CHECK(after[0] != before[0]);
  CHECK(times_logged(m, "cookie-keys-changed") == 13);
}

TEST_CASE("workers have keys before those who give out cookies do") {
  machine m;
  m.start(config_of(m, "key-rotation-interval = 3600\n"));
  m.run_for(1s);
  key_probe probe{m, false};
  probe.wire(m);
  CHECK(probe.at_worker().size() == 1);
  CHECK(probe.at_server().empty());
  probe.answer(m);
  REQUIRE(probe.at_server().size() == 1);
  CHECK(probe.at_server()[0] == probe.at_worker()[0]);

  // Two distributions on the way: the older one gives nothing to a server.
  probe.wire(m);
  config::keyset_config config;
  config.stale_key_count = 0;
  REQUIRE(m.sim().tell<keyset_actor>("keyset", keyset_config_changed{config}));
  probe.wire(m);
  CHECK(probe.at_worker().size() == 3);
  probe.answer(m);
  CHECK(probe.at_server().size() == 1);
  probe.answer(m);
  CHECK(probe.at_server().size() == 2);

  // A worker that does not answer is not waited for without end.
  probe.wire(m);
  m.run_for(4s);
  CHECK(probe.at_server().size() == 2);
  m.run_for(2s);
  CHECK(probe.at_server().size() == 3);
}

TEST_CASE("a keyset that is killed goes on with its keys") {
  machine m;
  SUBCASE("in memory") {
    m.start(config_of(m, "key-rotation-interval = 60\n"));
  }
  SUBCASE("with a file") {
    m.start(stored(m, "key-rotation-interval = 60\n"));
  }
  m.run_for(150s);
  const auto before = keys_of(m);
  CHECK(before.size() == 3);
  REQUIRE(m.sim().kill("keyset"));
  m.run_for(1s);
  CHECK(keys_of(m) == before);
  m.run_for(60s);
  const auto after = keys_of(m);
  REQUIRE(after.size() == 4);
  CHECK(after[1] == before[0]);
}

TEST_CASE("keys in a file outlive the daemon, others do not") {
  machine m;
  m.start(stored(m));
  m.run_for(1s);
  const auto first = keys_of(m);
  m.stop();
  m.start(stored(m));
  m.run_for(1s);
  CHECK(keys_of(m) == first);
  m.stop();
  // It is time by now.
  m.run_for(25h);
  m.start(stored(m));
  m.run_for(1s);
  const auto second = keys_of(m);
  REQUIRE(second.size() == 2);
  CHECK(second[1] == first[0]);
  m.sim().kill_daemon();
  m.start(stored(m));
  m.run_for(1s);
  CHECK(keys_of(m) == second);
  CHECK_FALSE(m.logged("cookie-keys-lost"));
  m.stop();

  m.start(config_of(m, ""));
  m.run_for(1s);
  const auto random = keys_of(m);
  m.stop();
  m.start(config_of(m, ""));
  m.run_for(1s);
  CHECK(keys_of(m) != random);
}

TEST_CASE("a damaged file of keys is replaced, with a warning") {
  machine m;
  m.start(stored(m));
  m.run_for(1s);
  auto old = keys_of(m);
  const auto path = file_of(m, "keys");
  const auto whole = contents_of(path);
  std::vector<std::string> damaged{"", whole.substr(0, whole.size() / 2),
                                   whole + "x", std::string(100'000, 'x')};
  for (std::size_t i = 0; i < whole.size(); i += 7) {
    damaged.push_back(whole);
    damaged.back()[i] = static_cast<char>(damaged.back()[i] ^ 1);
  }
  std::size_t warnings = 0;
  for (const auto& text : damaged) {
    m.stop();
    write_file(path, text);
    m.start(stored(m));
    m.run_for(1s);
    CHECK(times_logged(m, "cookie-keys-lost") == ++warnings);
    CHECK(key_status(m).problem.empty());
    const auto fresh = keys_of(m);
    CHECK(fresh.size() == 1);
    CHECK(fresh != old);
    const auto now = contents_of(path);
    CHECK(ntp::key_rotation::parse(std::as_bytes(std::span{now}), {}));
    old = fresh;
  }
}

TEST_CASE("keys that cannot be stored are used all the same") {
  machine m;
  const auto folder = file_of(m, "folder");
  m.start(config_of(m, "key-rotation-interval = 7200\nkey-storage-path = \""
                         + (folder / "keys").string() + "\"\n"));
  m.run_for(1s);
  ke_caller caller;
  CHECK(get_cookies(m, caller).size() == 8);
  CHECK(key_status(m).problem.find("folder/keys: No such file")
        != std::string::npos);
  m.run_for(2h);
  CHECK(key_status(m).keys == 2);
  CHECK(times_logged(m, "cookie-keys-not-saved") == 1);

  std::filesystem::create_directory(folder);
  // Well before the next rotation.
  m.run_for(1h);
  CHECK(key_status(m).keys == 2);
  CHECK(key_status(m).problem.empty());
  CHECK(std::filesystem::exists(folder / "keys"));
}

TEST_CASE("another configuration of random keys takes effect at once") {
  machine m;
  m.start(config_of(m, "key-rotation-interval = 60\n"));
  m.run_for(10min);
  CHECK(key_status(m).keys == 8);
  m.reload(stored(m, "stale-key-count = 1\n"));
  CHECK(key_status(m).keys == 2);
  const auto file = contents_of(file_of(m, "keys"));
  const auto rotation
    = ntp::key_rotation::parse(std::as_bytes(std::span{file}), {});
  REQUIRE(rotation);
  CHECK(rotation->keys()->newest_first() == keys_of(m));
  m.run_for(1h);
  CHECK(rotation->keys()->newest_first() == keys_of(m));
}

TEST_CASE("a cluster has no keys before its clock was set") {
  machine m;
  write_file(file_of(m, "secret"), one_secret);
  for (const auto* address : {machine::a, machine::b, machine::c})
    m.server(address).silent = true;
  m.start(clustered(m));
  m.run_for(2h);
  auto s = key_status(m);
  CHECK(s.cluster);
  CHECK(s.keys == 0);
  CHECK(s.problem.find("clock has not been set") != std::string::npos);
  CHECK(keys_of(m).empty());
}

TEST_CASE("servers with one secret have the same keys, in each period") {
  std::deque<machine> machines(2);
  for (auto& m : machines) {
    write_file(file_of(m, "secret"),
               &m == &machines.front() ? one_secret : one_secret + "\n");
    m.start(clustered(m, "key-rotation-interval = 3600\n"));
    REQUIRE(m.run_until(5min, [&] { return key_status(m).keys > 0; }));
  }
  for (int hour = 0; hour < 4; ++hour) {
    CAPTURE(hour);
    for (auto& m : machines)
      m.run_for(hour == 0 ? 20min : 60min);
    const auto keys = keys_of(machines[0]);
    CHECK(keys == keys_of(machines[1]));
    CHECK(keys == derived(machines[0], one_secret, 1h));
    CHECK(keys.size() == 9);
    const auto s = key_status(machines[0]);
    CHECK(s.problem.empty());
    CHECK(*s.next_rotation == *s.newest_since + 1h);
    CHECK(s.newest_since->count() % 3600 == 0);
  }

  // Cookies of one open at the other.
  ke_caller caller;
  const auto cookies = get_cookies(machines[0], caller);
  REQUIRE(cookies.size() == 8);
  CHECK(opened(ntp::cookie_keys{keys_of(machines[1])}, cookies[0])
        == caller.keys(**caller.answer()));
}

TEST_CASE("a clock that is stepped takes a cluster's keys with it") {
  machine m;
  write_file(file_of(m, "secret"), one_secret);
  m.start(clustered(m, "key-rotation-interval = 600\n"));
  REQUIRE(m.run_until(5min, [&] { return key_status(m).keys > 0; }));
  const auto before = keys_of(m);
  m.clock().foreign_step(ntp::ntp_duration::from_seconds(6000));
  REQUIRE(m.sim().tell<keyset_actor>("keyset", clock_stepped{}));
  CHECK(keys_of(m) != before);
  CHECK(keys_of(m) == derived(m, one_secret, 600s));
}

TEST_CASE("a cluster's secret is read again, and kept if that fails") {
  machine m;
  const auto path = file_of(m, "secret");
  write_file(path, one_secret);
  m.start(clustered(m));
  REQUIRE(m.run_until(5min, [&] { return key_status(m).keys > 0; }));
  CHECK(keys_of(m) == derived(m, one_secret, 24h));
  write_file(path, other_secret);
  m.reload(clustered(m));
  CHECK(keys_of(m) == derived(m, other_secret, 24h));
  REQUIRE(m.sim().kill("keyset"));
  m.run_for(1s);
  CHECK(keys_of(m) == derived(m, other_secret, 24h));

  write_file(path, "short");
  REQUIRE(m.sim().tell<keyset_actor>("keyset", reload{}));
  CHECK(keys_of(m) == derived(m, other_secret, 24h));
  CHECK(key_status(m).problem.find("fewer than 32 octets")
        != std::string::npos);
  CHECK(times_logged(m, "cluster-secret-not-read") == 1);
  std::filesystem::remove(path);
  REQUIRE(m.sim().tell<keyset_actor>("keyset", reload{}));
  CHECK(key_status(m).problem.find("No such file") != std::string::npos);
  write_file(path, one_secret);
  m.reload(clustered(m, "key-rotation-interval = 600\n"));
  CHECK(key_status(m).problem.empty());
  CHECK(keys_of(m) == derived(m, one_secret, 600s));
  CHECK_FALSE(m.logged(one_secret));
  CHECK_FALSE(m.logged(other_secret));
}

TEST_CASE("a daemon may change between random and cluster keys") {
  machine m;
  write_file(file_of(m, "secret"), one_secret);
  m.start(stored(m));
  REQUIRE(m.run_until(5min, [&] { return m.state() == "synchronized"; }));
  const auto random = keys_of(m);
  m.reload(clustered(m));
  CHECK(key_status(m).cluster);
  CHECK(keys_of(m) == derived(m, one_secret, 24h));
  m.reload(stored(m));
  CHECK_FALSE(key_status(m).cluster);
  CHECK(keys_of(m) == random);
}

} // namespace concert::actors::testing
