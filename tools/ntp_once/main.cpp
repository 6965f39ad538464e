#include "platform/kernel_time.hpp"
#include "platform/system_random.hpp"
#include "tools/ntp_once/client_loop.hpp"
#include "tools/ntp_once/options.hpp"
#include "tools/ntp_once/report.hpp"
#include "tools/ntp_once/statistics_log.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace concert::once {

namespace {

volatile std::sig_atomic_t signalled = 0;

int code(exit_code c) {
  return static_cast<int>(c);
}

void complain(std::string_view text) {
  std::fprintf(stderr, "ntp-once: %.*s\n", static_cast<int>(text.size()),
               text.data());
}

/// False when it cannot be written: a full disk, a closed pipe.
bool write(std::string_view text, FILE* where) {
  return std::fwrite(text.data(), 1, text.size(), where) == text.size()
         && std::fflush(where) == 0;
}

/// A server that was named, with its addresses.
struct target {
  std::string name;
  std::vector<ntp::endpoint> addresses;
};

/// Those that can be found; each address is asked by one of them only, lest a
/// server agrees with itself.
std::vector<target> find_targets(const options& o) {
  std::vector<target> found;
  std::set<ntp::endpoint> taken;
  for (const auto& server : o.servers) {
    auto addresses = resolve(server, o.family);
    if (!addresses) {
      complain(addresses.error());
      continue;
    }
    std::erase_if(*addresses, [&](const auto& a) { return taken.contains(a); });
    if (addresses->empty()) {
      complain(server.to_string() + ": the same server as one before it");
      continue;
    }
    taken.insert(addresses->begin(), addresses->end());
    found.push_back({server.to_string(), std::move(*addresses)});
  }
  return found;
}

platform::result<std::unique_ptr<platform::clock>>
open_clock(const options& o) {
  if (o.clock == followed_clock::system)
    return open_kernel_clock(o.scale);
  if (o.clock == followed_clock::virtual_)
    return open_model_clock(o.model);
  return open_watched_clock(o.scale);
}

ntp::steering_config steering_of(const options& o,
                                 const platform::clock& clock) {
  ntp::steering_config c;
  c.precision = clock.precision();
  c.read_only = o.clock == followed_clock::none;
  c.minimum_agreeing_sources = o.agreeing;
  return c;
}

ntp::association_config association_of(const options& o) {
  ntp::association_config c;
  c.min_poll = c.initial_poll = o.min_poll;
  c.max_poll = o.max_poll;
  c.interleaved = o.interleaved;
  return c;
}

/// @returns whether the report could be written.
bool print(const options& o, const outcome& result) {
  if (write(o.json ? json_text(result) : plain_text(result), stdout))
    return true;
  complain(std::string{"cannot write the output: "} + std::strerror(errno));
  return false;
}

// -- one shot -----------------------------------------------------------------

/// Whether the server has been asked enough, or will not be asked any more
/// before `end`.
bool is_done(const source& s, std::uint32_t samples, ntp::mono_time end) {
  if (s.gone || s.polls >= samples)
    return true;
  const auto next = s.machine.next_deadline();
  return !s.socket && (!next || *next >= end);
}

/// Between two turns: the next poll of a burst, or another address if this one
/// never answered, or no more.
void pace(client_loop& loop, source& s, std::uint32_t samples,
          ntp::mono_time end) {
  const auto now = loop.read().mono;
  const auto view = s.machine.snapshot(now);
  if (!s.gone && !s.socket && s.polls < samples)
    s.machine.request_poll(now, {});
  if (!is_done(s, samples, end))
    return;
  if (s.unasked > 0 && view.reachability == 0) {
    loop.move_on(s, false);
  } else {
    s.machine.set_online(false, now);
  }
}

int run_once(const options& o, platform::clock& clock, client_loop& loop) {
  const auto samples = static_cast<std::uint32_t>(o.samples);
  const auto end = clock.read().mono + ntp::nanoseconds_of(o.time_limit_s());
  const auto& all = loop.sources();
  const auto done = [&](const source& s) { return is_done(s, samples, end); };
  while (clock.read().mono < end
         && !std::all_of(all.begin(), all.end(), done)) {
    loop.turn(end);
    for (auto& s : loop.sources())
      pace(loop, s, samples, end);
  }
  const auto result = outcome_of(loop, clock);
  if (!print(o, result))
    return code(exit_code::refused);
  return code(result.all.agreed ? exit_code::ok : exit_code::no);
}

// -- following ----------------------------------------------------------------

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { signalled = 1; };
  // Without SA_RESTART, so that `poll` returns.
  for (const int number : {SIGINT, SIGTERM})
    sigaction(number, &action, nullptr);
  // A guard or a reader of the log may end before us.
  std::signal(SIGPIPE, SIG_IGN);
}

int run_following(const options& o, platform::clock& clock, client_loop& loop) {
  const auto end = o.duration_s > 0
                     ? clock.read().mono + ntp::nanoseconds_of(o.duration_s)
                     : ntp::mono_time::max();
  while (signalled == 0 && clock.read().mono < end)
    loop.turn(end);
  const auto result = outcome_of(loop, clock);
  loop.stop();
  if (o.log != "-" && !print(o, result))
    return code(exit_code::refused);
  return code(result.all.agreed ? exit_code::ok : exit_code::no);
}

void log_update(statistics_log& log, const source& s,
                const ntp::measurement& sample, const client_loop& loop,
                const platform::clock& clock) {
  const auto now = loop.read();
  const bool written
    = log.add({now.wall, s.registration.name, sample,
               loop.steering().snapshot(now), clock.true_error_s()});
  static bool complained = false;
  if (!written && !std::exchange(complained, true))
    complain(std::string{"the log misses lines: "} + std::strerror(errno));
}

void print_event(const ntp::steering_event& e) {
  using severity = ntp::steering_event::severity;
  const char* const level = e.level == severity::error     ? "error"
                            : e.level == severity::warning ? "warning"
                                                           : "info";
  complain(std::string{level} + " " + e.name + " " + e.text);
}

// -- both ---------------------------------------------------------------------

int run(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  if (!parsed) {
    write(parsed.error().text, parsed.error().code == 0 ? stdout : stderr);
    return parsed.error().code;
  }
  const auto& o = *parsed;
  auto targets = find_targets(o);
  if (targets.empty()) {
    complain("no server to ask");
    return code(exit_code::no);
  }
  if (o.follow)
    catch_signals();
  auto clock = open_clock(o);
  if (!clock) {
    complain(clock.error().text);
    return code(exit_code::refused);
  }
  std::optional<statistics_log> log;
  if (o.log) {
    auto opened = statistics_log::open(*o.log);
    if (!opened) {
      complain(opened.error().text);
      return code(exit_code::refused);
    }
    log = std::move(*opened);
  }
  platform::system_random random;
  client_loop* running = nullptr;
  loop_listener listener;
  if (log)
    listener.measured = [&](const source& s, const ntp::measurement& sample) {
      log_update(*log, s, sample, *running, **clock);
    };
  if (o.follow)
    listener.said = print_event;
  client_loop loop{**clock, random, steering_of(o, **clock), listener};
  running = &loop;
  for (auto& t : targets)
    loop.add(std::move(t.name), std::move(t.addresses), association_of(o));
  return o.follow ? run_following(o, **clock, loop)
                  : run_once(o, **clock, loop);
}

} // namespace

} // namespace concert::once

int main(int argc, char** argv) {
  try {
    return concert::once::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ntp-once: %s\n", e.what());
    return static_cast<int>(concert::once::exit_code::refused);
  }
}
