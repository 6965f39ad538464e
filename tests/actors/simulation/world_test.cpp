#include "actors/simulation/world.hpp"

#include "ntp_core/discipline/kalman_discipline.hpp"
#include "tests/actors/machine.hpp"
#include "tests/actors/simulation/moments.hpp"

#include <doctest/doctest.h>

#include <fstream>

namespace concert::actors::testing {

namespace {

constexpr const char* server = "192.0.2.1";
/// The daemon has locked and settled after this.
constexpr double settled_s = 4000;

/// Delays and offsets of all samples, in order.
struct seen_samples {
  std::vector<double> delays_s;
  std::vector<double> offsets_s;
  std::vector<ntp::path_sample> all;
};

/// The cross-check filter, which shows what it is given.
class watched_filters final : public ntp::discipline {
public:
  explicit watched_filters(std::shared_ptr<seen_samples> seen)
    : seen_(std::move(seen)) {}

  void add_source(ntp::source_id id, const ntp::oscillator_prior& prior,
                  const std::optional<ntp::path_memory>& memory) override {
    filters_.add_source(id, prior, memory);
  }
  void remove_source(ntp::source_id id) override { filters_.remove_source(id); }
  ntp::sample_verdict on_sample(ntp::source_id id,
                                const ntp::path_sample& sample) override {
    seen_->all.push_back(sample);
    seen_->delays_s.push_back(sample.delay_s);
    seen_->offsets_s.push_back(sample.offset.seconds());
    return filters_.on_sample(id, sample);
  }
  void set_selected(std::span<const ntp::selected_source> sources) override {
    filters_.set_selected(sources);
  }
  void inflate(double offset_variance_s2, double frequency_variance) override {
    filters_.inflate(offset_variance_s2, frequency_variance);
  }
  void shift(ntp::ntp_duration by) override { filters_.shift(by); }
  void shift_source(ntp::source_id id, ntp::ntp_duration by) override {
    filters_.shift_source(id, by);
  }
  std::optional<ntp::source_estimate>
  source(ntp::source_id id, ntp::raw_time when) const override {
    return filters_.source(id, when);
  }
  std::optional<ntp::path_memory> memory(ntp::source_id id,
                                         ntp::raw_time when) const override {
    return filters_.memory(id, when);
  }
  std::optional<ntp::combined_estimate>
  combined(ntp::raw_time when) const override {
    return filters_.combined(when);
  }

private:
  ntp::kalman_discipline filters_;
  std::shared_ptr<seen_samples> seen_;
};

/// A world with a daemon that asks each of its servers.
class simulated {
public:
  explicit simulated(const world_options& options, std::uint64_t seed = 1,
                     const std::string& more = "minpoll = 4\nmaxpoll = 4")
    : world_(options, 1e5, seed, [seen = seen_] {
        return std::make_unique<watched_filters>(seen);
      }) {
    const auto path = scratch_.path() / "ntp.toml";
    {
      std::ofstream out{path};
      out << "state-file = \"" << (scratch_.path() / "state").string() << "\"\n"
          << "[observability]\nobservation-path = \""
          << (scratch_.path() / "observe").string() << "\"\n";
      for (const auto& s : options.servers)
        out << server_source(s.address, more);
    }
    auto loaded = config::load(path, true);
    REQUIRE(loaded);
    world_.start(std::move(loaded->config), path);
  }

  world* operator->() { return &world_; }
  const seen_samples& seen() const { return *seen_; }

  /// The largest |clock − truth| of the seconds from now until `end_s`.
  double worst_until(double end_s) {
    double worst_s = 0;
    while (world_.time_s() < end_s) {
      world_.run_until(world_.time_s() + 1);
      worst_s = std::max(worst_s, std::abs(world_.clock_error_s()));
    }
    return worst_s;
  }

private:
  scratch scratch_;
  std::shared_ptr<seen_samples> seen_ = std::make_shared<seen_samples>();
  world world_;
};

/// One server 1 ms away with a little queueing.
world_options one_server() {
  server_model_options s;
  s.address = server;
  s.link.forward.base_s = s.link.backward.base_s = 1e-3;
  s.link.forward.jitter_s = s.link.backward.jitter_s = 10e-6;
  world_options o;
  o.servers.push_back(s);
  return o;
}

world_options with_event(const machine_event& event) {
  auto o = one_server();
  o.machine.events.push_back(event);
  return o;
}

/// How much the clock's error changes within the second in which the machine's
/// event at `settled_s` happens.
double jump_by(simulated& s) {
  s->run_until(settled_s - 1e-3);
  const double before_s = s->clock_error_s();
  s->run_until(settled_s + 1e-3);
  return s->clock_error_s() - before_s;
}

} // namespace

TEST_CASE("a daemon in a world sets its clock right, and nothing is logged") {
  simulated s{one_server()};
  CHECK(s->clock_error_s() == doctest::Approx(0.1));
  CHECK(s->frequency_error() == doctest::Approx(1e-4).epsilon(0.01));
  s->run_until(settled_s);
  CHECK(s->time_s() == settled_s);
  CHECK(s.worst_until(settled_s + 1000) < 50e-6);
  CHECK(std::abs(s->frequency_error()) < 1e-6);
  CHECK(s->packets() > 200);
  CHECK_FALSE(platform::log::enabled(platform::log::level::error));
  const auto* core = s->core();
  REQUIRE(core != nullptr);
  CHECK(core->snapshot(s->read()).synchronized);
}

TEST_CASE("samples have the delays of the link, and its servers' time") {
  auto o = one_server();
  o.machine.frequency = 0;
  o.machine.wander = 0;
  o.servers[0].error_s = 3e-3;
  o.servers[0].link.forward = {.base_s = 5e-3, .jitter_s = 1e-4};
  o.servers[0].link.backward = {.base_s = 7e-3, .jitter_s = 2e-4};
  simulated s{o, 3, "minpoll = 0\nmaxpoll = 0"};
  s->run_until(settled_s);
  const auto& seen = s.seen();
  REQUIRE(seen.all.size() > 3000);
  CHECK(mean(seen.delays_s) == doctest::Approx(12.3e-3).epsilon(1e-3));
  CHECK(deviation(seen.delays_s)
        == doctest::Approx(std::hypot(1e-4, 2e-4)).epsilon(0.05));
  CHECK(*std::min_element(seen.delays_s.begin(), seen.delays_s.end())
        == doctest::Approx(12e-3).epsilon(1e-3));
  // Half of forward − backward, and the server's error.
  CHECK(deviation(seen.offsets_s)
        == doctest::Approx(std::hypot(1e-4, 2e-4) / 2).epsilon(0.05));
  CHECK(s->clock_error_s() == doctest::Approx(3e-3 - 1e-3).epsilon(0.1));
}

TEST_CASE("the same seed makes the same world, another one another") {
  const auto trace_of = [](std::uint64_t seed) {
    simulated s{one_server(), seed};
    s->run_until(2000);
    return std::pair{s->sim().world().trace(), s->clock_error_s()};
  };
  CHECK(trace_of(1) == trace_of(1));
  CHECK(trace_of(1) != trace_of(2));
}

TEST_CASE("the oscillator is the same whatever the daemon does") {
  simulated often{one_server(), 1, "minpoll = 0\nmaxpoll = 0"};
  simulated seldom{one_server(), 1, "minpoll = 8\nmaxpoll = 8"};
  often->run_until(3000);
  seldom->run_until(3000);
  CHECK(often->packets() > 10 * seldom->packets());
  CHECK(often->read().raw == seldom->read().raw);
}

TEST_CASE("another program's step moves the wall clock only") {
  simulated s{with_event({settled_s, machine_event::kind::step, 0.01})};
  CHECK(jump_by(s) == doctest::Approx(0.01).epsilon(1e-3));
  CHECK(s.worst_until(settled_s + 2000) < 0.0101);
  CHECK(std::abs(s->clock_error_s()) < 1e-4);
}

TEST_CASE("an oscillator that jumps takes all clocks with it") {
  for (const double jump_s : {0.002, -0.002}) {
    CAPTURE(jump_s);
    simulated s{
      with_event({settled_s, machine_event::kind::step_oscillator, jump_s})};
    s->run_until(settled_s - 1e-3);
    const auto before = s->read();
    const double error_s = s->clock_error_s();
    s->run_until(settled_s + 1e-3);
    const auto after = s->read();
    CHECK(s->clock_error_s() - error_s
          == doctest::Approx(jump_s).epsilon(0.01));
    CHECK((after.raw - before.raw).seconds()
          == doctest::Approx(0.002 + jump_s).epsilon(0.01));
    CHECK(ntp::seconds_of(after.mono - before.mono)
          == doctest::Approx(0.002 + jump_s).epsilon(0.01));
    s->run_until(settled_s + 1000);
    CHECK(s->core() != nullptr);
  }
}

TEST_CASE("a change of frequency is seen at once, and followed") {
  simulated s{with_event({settled_s, machine_event::kind::frequency, 1e-5})};
  s->run_until(settled_s - 1e-3);
  const double before = s->frequency_error();
  s->run_until(settled_s + 1e-3);
  CHECK(s->frequency_error() - before == doctest::Approx(1e-5).epsilon(0.01));
  s->run_until(settled_s + 3000);
  CHECK(std::abs(s->frequency_error()) < 1e-6);
}

TEST_CASE("a machine that sleeps wakes with a clock that was set on") {
  simulated s{with_event({settled_s, machine_event::kind::suspend, 600})};
  s->run_until(settled_s - 1);
  const auto before = s->read();
  s->run_until(settled_s + 1);
  const auto after = s->read();
  CHECK(s->time_s() == settled_s + 600);
  CHECK(std::abs(s->clock_error_s()) < 1e-4);
  CHECK(ntp::seconds_of(after.mono - before.mono) == doctest::Approx(1));
  CHECK(ntp::seconds_of(after.boot - before.boot) == doctest::Approx(601));
}

TEST_CASE("a machine that stands still is behind by as much on all clocks") {
  auto o = with_event({settled_s, machine_event::kind::pause, 30});
  o.machine.events.push_back({settled_s, machine_event::kind::frequency, 2e-5});
  simulated s{o};
  s->run_until(settled_s - 1);
  const auto before = s->read();
  const double frequency = s->frequency_error();
  s->run_until(settled_s + 1);
  const auto after = s->read();
  CHECK(s->time_s() == settled_s + 30);
  CHECK(s->clock_error_s() == doctest::Approx(-30).epsilon(1e-4));
  CHECK(s->frequency_error() - frequency
        == doctest::Approx(2e-5).epsilon(0.01));
  for (const double passed_s :
       {ntp::seconds_of(after.mono - before.mono),
        ntp::seconds_of(after.boot - before.boot),
        (after.raw - before.raw).seconds(),
        ntp::seconds_of(after.unix_time - before.unix_time)})
    CHECK(passed_s == doctest::Approx(1).epsilon(0.001));
}

TEST_CASE("a pause does not make the servers wait") {
  auto o = one_server();
  o.servers[0].link.forward.base_s = o.servers[0].link.backward.base_s = 0.2;
  for (int i = 0; i < 300; ++i)
    o.machine.events.push_back(
      {100 + 10.3 * i, machine_event::kind::pause, 0.05});
  o.machine.offset_s = 0;
  o.machine.frequency = 0;
  simulated s{o};
  s->run_until(settled_s);
  // Those under way lack what our clocks lack; none gains time.
  const auto& delays_s = s.seen().delays_s;
  CHECK(*std::min_element(delays_s.begin(), delays_s.end()) > 0.349);
  CHECK(*std::max_element(delays_s.begin(), delays_s.end()) < 0.402);
}

TEST_CASE("what arrives at a machine that sleeps is lost") {
  auto o = one_server();
  o.servers[0].link.forward.base_s = o.servers[0].link.backward.base_s = 0.5;
  for (int i = 0; i < 100; ++i)
    o.machine.events.push_back(
      {100 + 61.0 * i, machine_event::kind::suspend, 5});
  o.machine.offset_s = 0;
  o.machine.frequency = 0;
  simulated s{o};
  s->run_until(2 * settled_s);
  const auto& delays_s = s.seen().delays_s;
  CHECK(delays_s.size() > 100);
  CHECK(delays_s.size() < s->packets());
  CHECK(*std::min_element(delays_s.begin(), delays_s.end()) > 0.999);
}

TEST_CASE("a daemon that is started again knows what the last one knew") {
  auto o = with_event({settled_s, machine_event::kind::restart, 0});
  o.servers[0].link.events.push_back({.at_s = settled_s, .cut = true});
  simulated s{o};
  s->run_until(settled_s - 1);
  const auto frequencies = s->sim().clock().correction();
  const auto* before = s->core();
  REQUIRE(before != nullptr);
  s->run_until(settled_s + 10);
  REQUIRE(s->core() != nullptr);
  CHECK(s->core()->memory().started_this_boot);
  CHECK(std::abs(s->sim().clock().correction().ratio - frequencies.ratio)
        < 1e-6);
  CHECK(s->sim().clock().done().steps == 1);
}

TEST_CASE(
  "there is no core without a daemon, and another after it was killed") {
  simulated s{one_server()};
  s->run_until(1000);
  CHECK(s->core() != nullptr);
  CHECK(s->core() == s->core());
  s->sim().kill("steering");
  s->run_until(1030);
  REQUIRE(s->core() != nullptr);
  (void)s->core()->snapshot(s->read());
  s->sim().kill_daemon();
  CHECK(s->core() == nullptr);
  CHECK(s->served().stratum == 16);
}

TEST_CASE("a route change shows in the samples") {
  auto o = one_server();
  o.servers[0].link.events.push_back(
    {.at_s = settled_s, .forward_base_s = 4e-3});
  simulated s{o};
  s->run_until(settled_s);
  const auto count = s.seen().all.size();
  CHECK(s.seen().delays_s.back() < 3e-3);
  s->run_until(settled_s + 100);
  REQUIRE(s.seen().all.size() > count);
  CHECK(s.seen().delays_s.back() > 6e-3);
}

TEST_CASE("a daemon follows what another one served") {
  auto o = one_server();
  o.servers[0].playback = std::make_shared<served_record>(
    10'000, served_moment{2e-3, 1e-3, 1e-4, 2});
  simulated s{o};
  CHECK(s->served().stratum == 16);
  s->run_until(settled_s);
  CHECK(s->clock_error_s() == doctest::Approx(2e-3).epsilon(0.02));
  const auto served = s->served();
  CHECK(served.stratum == 3);
  CHECK(served.error_s == doctest::Approx(2e-3).epsilon(0.02));
  CHECK(served.root_delay_s >= 3e-3);
  CHECK(served.root_dispersion_s > 1e-4);
  CHECK(served.root_dispersion_s < 0.1);
}

TEST_CASE("a server that says RATE after every 8th packet is asked less") {
  const std::string limits = "minpoll = 4\nmaxpoll = 8";
  simulated plain{one_server(), 1, limits};
  auto o = one_server();
  o.servers[0].rate_every = 8;
  simulated limited{o, 1, limits};
  plain->run_until(settled_s);
  limited->run_until(settled_s);
  CHECK(limited->packets() < plain->packets());
  CHECK(std::abs(limited->clock_error_s()) < 1e-3);
}

TEST_CASE("late stamps of the daemon are samples of another kind") {
  auto o = one_server();
  o.servers[0].link.daemon_share = 0.5;
  o.servers[0].link.daemon_late_s = 1e-3;
  simulated s{o};
  s->run_until(settled_s);
  std::vector<double> kernel;
  std::vector<double> daemon;
  for (const auto& sample : s.seen().all)
    (sample.received == ntp::stamp_kind::kernel ? kernel : daemon)
      .push_back(sample.delay_s);
  REQUIRE(kernel.size() > 50);
  REQUIRE(daemon.size() > 50);
  CHECK(mean(kernel) == doctest::Approx(2.02e-3).epsilon(0.01));
  // Late twice by 1 ms on average, and by what a system call takes.
  CHECK(mean(daemon) == doctest::Approx(4.07e-3).epsilon(0.15));
}

TEST_CASE("replies that come twice harm nothing") {
  auto o = one_server();
  o.servers[0].link.duplication = 1;
  simulated s{o};
  s->run_until(settled_s);
  CHECK(s.seen().all.size() + 5 > s->packets());
  CHECK(std::abs(s->clock_error_s()) < 1e-4);
}

TEST_CASE("names of a world stand for its servers") {
  auto o = one_server();
  o.names.push_back({"ntp.example", {server}});
  o.names.push_back({"bad.example", {"no address"}});
  CHECK_THROWS_AS((world{o, 1, 1}), std::invalid_argument);
  o.names.pop_back();
  world w{o, 1, 1};
  CHECK(w.sim().network().name("ntp.example").addresses.size() == 1);
}

} // namespace concert::actors::testing
