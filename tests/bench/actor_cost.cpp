// What the inspector's statistics cost each message: an actor that tells itself
// the next one, with them and without, in turns.

#include "actors/actor_base.hpp"
#include "actors/simulated_runtime.hpp"

#include <benchmark/benchmark.h>

#include <atomic>

namespace concert::actors {

namespace {

constexpr std::uint64_t messages = 2'000'000;

using looping_actor = caf::typed_actor<tells<next_batch>>;

class looping final : public actor_base<looping_actor> {
public:
  looping(caf::actor_config& cfg, runtime& rt)
    : actor_base(cfg, rt, "looping", "") {}

  behavior_type make_behavior() override {
    return {
      [this](next_batch again) {
        if (--left_ == 0)
          quit();
        else
          send(this, again);
      },
    };
  }

private:
  std::uint64_t left_ = messages;
};

void tell_oneself(benchmark::State& state) {
  simulated_runtime rt{1, {}};
  rt.registry().keep_statistics(state.range(0) != 0);
  caf::actor_system_config cfg;
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-threads", 1);
  caf::actor_system system{cfg};
  for (auto _ : state) {
    caf::anon_send(spawn_actor<looping>(system, rt), next_batch{});
    system.await_all_actors_done();
  }
  state.counters["ns_per_message"] = benchmark::Counter(
    static_cast<double>(state.iterations()) * messages * 1e-9,
    benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK(tell_oneself)
  ->ArgName("statistics")
  ->Arg(0)
  ->Arg(1)
  ->MeasureProcessCPUTime()
  ->Unit(benchmark::kMillisecond);

} // namespace

} // namespace concert::actors

BENCHMARK_MAIN();
