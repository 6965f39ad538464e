#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// What a simulated world is made of. Plain values: a scenario file says them,
/// `make_world` builds them. All times are true time since the start, s.
namespace concert::actors {

/// Law of the queueing that one packet meets on top of the base delay; `J` is
/// `jitter_s`, E an exponential variate of mean 1, N a normal one, U a uniform
/// one. The laws are those of algorithm.md §6 ("noise shape"), so that figures
/// compare.
enum class queueing_shape : std::uint8_t {
  exponential, ///< J E
  gaussian,    ///< J N
  heavy,       ///< J E E E
  uniform,     ///< J U
  bimodal,     ///< J E, and 5 J more in 30 % of the packets
  exp_gauss,   ///< J E + J N / 2
  gamma4,      ///< J (E + E + E + E) / 2
  triangular,  ///< J (U − U): the noise of coarse stamps
};

/// How the queueing of one packet depends on that of earlier ones.
enum class queueing_memory : std::uint8_t {
  none, ///< independent packets
  mean, ///< J is multiplied by a lognormal process with log sd `memory_sd`
  /// The excess itself is the process, with an exponential marginal: the
  /// normal process is mapped through both distribution functions.
  excess,
};

/// A stationary normal process of mean 0 and deviation 1, continuous in time.
enum class memory_law : std::uint8_t {
  ar1,          ///< correlation exp(−t / memory_s)
  self_similar, ///< equal AR(1) parts, time constants by factor 4, 20 s..5.5 h
};

/// One direction of a link.
struct direction_options {
  double base_s = 5e-3;
  double jitter_s = 0;
  queueing_shape shape = queueing_shape::exponential;
  queueing_memory memory = queueing_memory::none;
  memory_law law = memory_law::ar1;
  double memory_s = 300;
  double memory_sd = 1;
  /// J is multiplied by daily_factor^sin(2π t / 86400): 1 = no cycle.
  double daily_factor = 1;
  /// The base moves as a sine, by this share of itself…
  double floor_sine = 0;
  double floor_period_s = 21600;
  /// …or as a random walk reflected at ± this share of itself, which gets from
  /// the middle to there in about `floor_period_s`.
  double floor_walk = 0;
  /// Share of the packets that lose `short_s` of their delay (a stamp taken
  /// too late at one end), and of those that get `late_s` more (too early).
  double short_share = 0;
  double short_s = 0;
  double late_share = 0;
  double late_s = 0;
  double loss = 0; ///< probability
};

/// Something that happens to the paths to a server.
struct link_event {
  double at_s = 0;
  double until_s = 0; ///< 0 = for good
  /// Repeats every so often; 0 = once.
  double every_s = 0;
  double forward_base_s = 0;  ///< added to the base
  double backward_base_s = 0; ///< added to the base
  double forward_factor = 1;  ///< of the jitter
  double backward_factor = 1; ///< of the jitter
  bool cut = false;
};

/// Changes that are drawn rather than listed.
struct random_congestion {
  double every_s = 0; ///< mean time between beginnings; 0 = none
  double least_s = 0; ///< each lasts between these two, uniformly
  double most_s = 0;
  double excess_s = 0; ///< added to the base, of one direction drawn each time
  double factor = 1;   ///< of that direction's jitter
};
struct random_routes {
  int count = 0;      ///< spread uniformly over the duration
  double least_s = 0; ///< new base of each direction, drawn uniformly and
  double most_s = 0;  ///< independently
};

struct link_options {
  direction_options forward;
  direction_options backward;
  double duplication = 0; ///< probability that a reply arrives twice
  std::vector<link_event> events;
  random_congestion congestion;
  random_routes routes;
  std::string stamps = "kernel"; ///< "hardware", "kernel", "daemon"
  /// Share of our polls whose stamps are by the daemon, late by E times this.
  double daemon_share = 0;
  double daemon_late_s = 0;
};

/// What a simulated daemon served in one second: a link of a chain of strata.
struct served_moment {
  double error_s = 0; ///< served time − truth
  double root_delay_s = 0;
  double root_dispersion_s = 16;
  std::uint8_t stratum = 16; ///< 16 = not synchronized
};
using served_record = std::vector<served_moment>; ///< from second 0 on

/// Something that happens to a server.
struct server_event {
  double at_s = 0;
  double until_s = 0; ///< 0 = for good
  double step_s = 0;  ///< added to its error
  double drift = 0;   ///< added to the rate of its error, ratio
  bool silent = false;
  bool unsynchronized = false;
};

struct server_model_options {
  std::string address; ///< IPv4 or IPv6, numeric
  link_options link;
  double error_s = 0;
  double drift = 0; ///< rate of the error, ratio
  /// Its error has an AR(1) part of this deviation and time constant.
  double wander_s = 0;
  double wander_time_s = 3600;
  std::uint8_t stratum = 1;
  double root_delay_s = 0;
  double root_dispersion_s = 10e-6;
  std::string leap = "none"; ///< "none", "insert", "delete": announced
  /// Answers every n-th request with RATE; 0 = none.
  int rate_every = 0;
  std::vector<server_event> events;
  /// Its time is that of a daemon that was simulated before.
  std::shared_ptr<const served_record> playback;
};

/// Something that happens to our machine.
struct machine_event {
  enum class kind : std::uint8_t {
    step,            ///< another program steps the clock by `value` s
    step_oscillator, ///< time itself is lost: oscillator phase jumps, s
    frequency,       ///< the oscillator's frequency changes by `value` (ratio)
    suspend,         ///< sleeps for `value` s
    pause,           ///< the virtual machine stands for `value` s, unseen
    restart,         ///< the daemon ends and starts again with its state file
  };
  double at_s = 0;
  kind what = kind::step;
  double value = 0;
};

struct machine_options {
  double offset_s = 0.1;   ///< clock − truth at the start
  double frequency = 1e-4; ///< oscillator, ratio; positive = fast
  double wander = 1e-9;    ///< per √s
  /// Temperature: a sine of frequency with this amplitude (ratio)…
  double sine = 0;
  double sine_period_s = 3600;
  /// …or steps of ± `square` each half period, through a first-order lag.
  double square = 0;
  double square_period_s = 7200;
  double square_lag_s = 0;
  std::vector<machine_event> events;
};

/// One name and what it stands for.
struct name_options {
  std::string host;
  std::vector<std::string> addresses;
};

struct world_options {
  machine_options machine;
  std::vector<server_model_options> servers;
  std::vector<name_options> names;
};

} // namespace concert::actors
