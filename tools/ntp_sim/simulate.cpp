#include "tools/ntp_sim/simulate.hpp"

#include "actors/simulation/world.hpp"
#include "ntp_core/discipline/kalman_discipline.hpp"
#include "tools/ntp_sim/daemon_file.hpp"
#include "tools/ntp_sim/draws.hpp"
#include "tools/ntp_sim/plot.hpp"
#include "tools/ntp_sim/regression_discipline.hpp"
#include "tools/ntp_sim/watched_discipline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace concert::sim {

namespace {

/// The set of selected sources is looked at so often, s.
constexpr int selection_look_s = 16;

std::unique_ptr<ntp::discipline> make_filters(filter_kind k) {
  switch (k) {
    case filter_kind::kalman:
      return std::make_unique<ntp::kalman_discipline>();
    case filter_kind::regression:
      return std::make_unique<regression_discipline>();
    case filter_kind::osb:
      break;
  }
  return ntp::make_discipline();
}

/// What the listed events add to the round trip's base at a time, s.
double added_base_s(const actors::link_options& l, double time_s) {
  double sum = 0;
  for (const auto& e : l.events) {
    double since = time_s - e.at_s;
    if (since >= 0 && e.every_s > 0)
      since = std::fmod(since, e.every_s);
    const bool on
      = since >= 0 && (e.until_s == 0 || since < e.until_s - e.at_s);
    sum += on ? e.forward_base_s + e.backward_base_s : 0;
  }
  return sum;
}

/// Mean over the time of the statistics; changes of route that are drawn are
/// not in it.
double one_way_base_s(const scenario& s, const actors::link_options& l) {
  constexpr int points = 1000;
  double sum = 0;
  for (int i = 0; i < points; ++i)
    sum
      += added_base_s(l, s.settle_s + (s.duration_s - s.settle_s) * i / points);
  return (l.forward.base_s + l.backward.base_s + sum / points) / 2;
}

/// One-way delay and root distance of what is followed: the least of all.
double floor_of(const scenario& s) {
  double least = 16;
  for (const auto& server : s.world.servers) {
    double distance = server.root_delay_s / 2 + server.root_dispersion_s;
    if (server.playback) {
      const auto from = static_cast<std::size_t>(s.settle_s);
      double sum = 0;
      for (std::size_t i = from; i < server.playback->size(); ++i) {
        const auto& m = (*server.playback)[i];
        sum += m.root_delay_s / 2 + m.root_dispersion_s;
      }
      distance = sum / static_cast<double>(server.playback->size() - from);
    }
    least = std::min(least, one_way_base_s(s, server.link) + distance);
  }
  return least;
}

bool restarts(const scenario& s) {
  const auto& events = s.world.machine.events;
  return std::any_of(events.begin(), events.end(), [](const auto& e) {
    return e.what == actors::machine_event::kind::restart;
  });
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out{path};
  if (!(out << text << std::flush))
    throw std::runtime_error{"cannot write " + path.string()};
}

/// One daemon in its world, from the beginning to the end.
class passage {
public:
  passage(const scenario& s, std::uint64_t seed, filter_kind filters,
          const extras& wanted, const std::filesystem::path& folder)
    : scenario_(s),
      gauge_(s),
      watch_(std::make_shared<filter_watch>()),
      watched_(wanted.cost || wanted.trace),
      folder_(folder),
      world_(s.world, s.duration_s, seed,
             [this, filters] { return filters_of(filters); }) {
    if (wanted.trace)
      open_trace(*wanted.trace);
    if (wanted.plot)
      course_.emplace(wanted.plot_from_s.value_or(s.settle_s), s.duration_s);
    start();
  }

  /// Keeps what is served, second by second, if somebody will follow it.
  tally run(actors::served_record* record) {
    const double begin = cpu_now();
    const auto end = static_cast<std::int64_t>(scenario_.duration_s);
    for (std::int64_t i = 1; i <= end; ++i) {
      const auto t = static_cast<double>(i);
      world_.run_until(t);
      // A machine that sleeps has no clock to look at.
      if (world_.time_s() < t + 0.5)
        second(t);
      if (record != nullptr)
        record->push_back(world_.served());
    }
    auto result = gauge_.result();
    result.cpu_s = cpu_now() - begin;
    result.packets = world_.packets();
    result.servers = scenario_.world.servers.size();
    result.floor_s = floor_of(scenario_);
    result.filter_samples = watch_->samples;
    result.filter_s = watch_->cpu_s;
    return result;
  }

  const std::optional<course>& seen() const { return course_; }

private:
  std::unique_ptr<ntp::discipline> filters_of(filter_kind k) {
    auto filters = make_filters(k);
    if (!watched_)
      return filters;
    return std::make_unique<watched_discipline>(std::move(filters), watch_);
  }

  void start() {
    const auto state
      = restarts(scenario_) ? folder_ / "state" : std::filesystem::path{};
    const auto text = daemon_file(scenario_, state);
    if (!text)
      throw std::runtime_error{text.error().front().to_string()};
    const auto path = folder_ / "ntp.toml";
    write_file(path, *text);
    auto loaded = config::load(path, true, config::named_files::ignored);
    if (!loaded)
      throw std::runtime_error{loaded.error().front().to_string()};
    world_.start(std::move(loaded->config), path);
  }

  void second(double t) {
    const double error = world_.clock_error_s();
    gauge_.second(t, error, world_.frequency_error());
    if (trace_.is_open())
      trace_clock();
    const bool due = std::fmod(t, scenario_.look_s) == 0;
    const auto* core = due || course_ ? world_.core() : nullptr;
    if (core == nullptr)
      return;
    watch_->paused = true;
    look_at(*core, t, error, due);
    watch_->paused = false;
  }

  void look_at(const ntp::steering& core, double t, double error, bool due) {
    const auto now = world_.read();
    const auto said = core.snapshot(now);
    if (due)
      gauge_.judge(t, error,
                   {said.synchronized, said.estimated_error_s, said.stability_s,
                    said.max_error_s});
    const bool many = scenario_.world.servers.size() > 1;
    const bool selects = many && std::fmod(t, selection_look_s) == 0;
    if (!selects && !course_)
      return;
    const auto sources = core.sources(now);
    if (selects)
      gauge_.selection(t, set_of(sources));
    if (course_ && t >= course_->from_s)
      draw(t, error, said, sources);
  }

  static std::uint64_t set_of(const std::vector<ntp::source_snapshot>& all) {
    std::uint64_t set = 0;
    for (const auto& s : all)
      if (s.state == ntp::source_state::selected)
        set ^= draws::mixed(s.id.value);
    return set;
  }

  void draw(double t, double error, const ntp::system_snapshot& said,
            const std::vector<ntp::source_snapshot>& sources) {
    auto& c = *course_;
    const double belief = -said.offset_s;
    c.error.add(t, error);
    c.belief.add(t, belief);
    c.sure_low.add(t, belief - said.estimated_error_s);
    c.sure_high.add(t, belief + said.estimated_error_s);
    c.bound_low.add(t, belief - said.max_error_s);
    c.bound_high.add(t, belief + said.max_error_s);
    for (const auto& s : sources) {
      if (!s.offset_s)
        continue;
      const auto name = fmt::format("source {}", s.id.value);
      c.sources.try_emplace(name, c.from_s, c.until_s)
        .first->second.add(t, -*s.offset_s);
    }
  }

  void open_trace(const std::filesystem::path& path) {
    trace_.open(path);
    if (!trace_)
      throw std::runtime_error{"cannot write " + path.string()};
    watch_->note = [this](const std::string& line) { note(line); };
  }

  void note(const std::string& line) {
    trace_ << fmt::format("{:.6f} {}\n", world_.time_s(), line);
  }

  /// Says what was done to the clock within the last second.
  void trace_clock() {
    const auto& clock = world_.sim().clock();
    const auto& done = clock.done();
    if (done.steps != steps_)
      note(fmt::format("step by_s={:.9f} error_s={:.9f}", done.last_step_s,
                       world_.clock_error_s()));
    if (clock.correction().ratio != correction_)
      note(fmt::format("frequency correction={:.12g} error_s={:.9f} "
                       "frequency_error={:.6g}",
                       clock.correction().ratio, world_.clock_error_s(),
                       world_.frequency_error()));
    steps_ = done.steps;
    correction_ = clock.correction().ratio;
  }

  const scenario& scenario_;
  gauge gauge_;
  std::shared_ptr<filter_watch> watch_;
  bool watched_;
  std::optional<course> course_;
  std::ofstream trace_;
  std::uint64_t steps_ = 0;
  double correction_ = 0;
  std::filesystem::path folder_;
  actors::world world_;
};

/// The world of the next daemon in a chain: it follows `record`.
void follow(scenario& s, actors::served_record record) {
  actors::server_model_options upstream;
  upstream.address = s.world.servers.front().address;
  upstream.link = s.world.servers.front().link;
  upstream.playback
    = std::make_shared<const actors::served_record>(std::move(record));
  s.world.servers = {std::move(upstream)};
}

} // namespace

std::string_view name_of(filter_kind k) {
  switch (k) {
    case filter_kind::osb:
      return "osb";
    case filter_kind::kalman:
      return "kalman";
    case filter_kind::regression:
      return "regression";
  }
  return "?";
}

std::vector<tally> simulate(const scenario_file& file, std::uint64_t seed,
                            filter_kind filters, const extras& wanted,
                            const std::filesystem::path& folder) {
  auto s = file.for_seed(seed);
  std::vector<tally> result;
  for (int level = 1; level <= s.chain; ++level) {
    const bool last = level == s.chain;
    actors::served_record record;
    const auto own_seed
      = draws::mixed(seed * 64 + static_cast<std::uint64_t>(level));
    extras here;
    here.cost = wanted.cost;
    if (last)
      here = wanted;
    const auto own_folder = folder / fmt::format("{}-{}", seed, level);
    std::filesystem::create_directories(own_folder);
    passage p{s, own_seed, filters, here, own_folder};
    result.push_back(p.run(last ? nullptr : &record));
    if (p.seen() && here.plot)
      write_file(
        *here.plot,
        plot(*p.seen(), fmt::format("{}, seed {}: {}", s.name, seed, s.title)));
    std::filesystem::remove_all(own_folder);
    if (!last)
      follow(s, std::move(record));
  }
  return result;
}

} // namespace concert::sim
