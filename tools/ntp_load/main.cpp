#include "tools/ntp_load/calibration.hpp"
#include "tools/ntp_load/handshakes.hpp"
#include "tools/ntp_load/rate_search.hpp"
#include "tools/ntp_load/report.hpp"
#include "tools/ntp_load/target_guard.hpp"

#include <fmt/format.h>

#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

namespace concert::load {

namespace {

volatile std::sig_atomic_t signalled = 0;

constexpr double first_searched_rate = 20000;
constexpr double highest_searched_rate = 1e7;
constexpr double search_resolution = 0.03;
constexpr double default_rate = 1000;

int code(exit_code c) {
  return static_cast<int>(c);
}

void complain(std::string_view text) {
  std::fprintf(stderr, "ntp-load: %.*s\n", static_cast<int>(text.size()),
               text.data());
}

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { signalled = 1; };
  for (const int number : {SIGINT, SIGTERM})
    sigaction(number, &action, nullptr);
}

/// One line that is drawn anew, on a terminal only.
class progress_line {
public:
  explicit progress_line(bool quiet)
    : on_(!quiet && isatty(STDERR_FILENO) != 0) {}
  ~progress_line() { clear(); }
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void draw(std::string_view text) {
    if (!on_)
      return;
    fmt::print(stderr, "\r{}\x1b[K", text);
    std::fflush(stderr);
    drawn_ = true;
  }
  void clear() {
    if (drawn_)
      std::fputs("\r\x1b[K", stderr);
    drawn_ = false;
  }

private:
  bool on_;
  bool drawn_ = false;
};

bool pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

int print(const std::string& text, exit_code outcome) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()
      && std::fflush(stdout) == 0)
    return code(outcome);
  complain(std::string{"cannot write the output: "} + std::strerror(errno));
  return code(exit_code::refused);
}

/// The way to a server that may be loaded.
std::optional<route> permitted_way(const options& o,
                                   const ntp::ip_address& to) {
  const auto way = route_to(to);
  if (!way) {
    complain(to.to_string() + ": " + way.error().text);
    return {};
  }
  if (!is_ours(*way) && !o.own_target) {
    complain(to.to_string()
             + " is not on this machine. Loading somebody else's server is an "
               "attack; if it is yours, say --i-own-the-target");
    return {};
  }
  return *way;
}

/// Whether the load may be made, and whether it comes from addresses that are
/// not this machine's. Those are never used towards another machine.
std::optional<bool> foreign_sources(const options& o) {
  const auto way = permitted_way(o, o.target.address);
  if (!way || (o.nts && !permitted_way(o, o.ke.address.address)))
    return {};
  const auto prefix = o.client_prefix();
  if (!prefix)
    return false;
  const auto back = route_to(client_addresses{*prefix}.at(0));
  if (back && is_local(*back))
    return false;
  if (o.what == command::meter || !is_ours(*way)) {
    complain(fmt::format(
      "the addresses of {0} are not this machine's, so that answers would not "
      "come back: ip route add local {0} dev lo",
      prefix->to_string()));
    return {};
  }
  return true;
}

// -- the meter ----------------------------------------------------------------

class meter_run {
public:
  explicit meter_run(const options& o) : options_(o), line_(o.quiet) {}

  platform::result<meter_report> run() {
    if (options_.same_clock) {
      auto gap = measure_stamp_gap();
      if (!gap)
        return tl::unexpected{gap.error()};
      report_.gap_ns = std::move(*gap);
    }
    auto nts = exchange_keys();
    if (!nts)
      return tl::unexpected{nts.error()};
    auto opened = meter::open(options_, signalled, std::move(*nts));
    if (!opened)
      return tl::unexpected{opened.error()};
    if (options_.search)
      search(*opened);
    else
      report_.result = opened->run(plan(), [this](double s, const auto& r) {
        line_.draw(
          fmt::format("{:.0f} s: {} sent, {} answered", s, r.sent, r.answered));
      });
    line_.clear();
    return std::move(report_);
  }

private:
  load_plan plan() const {
    load_plan p;
    p.duration_s = options_.duration_s;
    if (options_.window)
      p.window = *options_.window;
    else
      p.rate = options_.rate.value_or(default_rate);
    return p;
  }

  platform::result<std::optional<nts_requests>> exchange_keys() {
    if (!options_.nts)
      return std::optional<nts_requests>{};
    const auto target = open_ke_target(options_.ke);
    if (!target)
      return tl::unexpected{target.error()};
    auto sessions = open_sessions(*target, options_.sessions, signalled);
    if (!sessions)
      return tl::unexpected{sessions.error()};
    auto requests = nts_requests::make(std::move(*sessions));
    if (!requests)
      return tl::unexpected{requests.error()};
    report_.aead = requests->aead();
    return std::optional{std::move(*requests)};
  }

  void search(meter& m) {
    rate_search rates{options_.rate.value_or(first_searched_rate),
                      highest_searched_rate, search_resolution};
    for (auto rate = rates.next(); rate && signalled == 0;
         rate = rates.next()) {
      search_step step;
      step.rate = *rate;
      step.result = m.run({.rate = rate, .duration_s = options_.step_s},
                          [&](double, const auto&) {
                            line_.draw(fmt::format("trying {:.0f}/s", *rate));
                          });
      // A rate that was not made says nothing of the server.
      step.good = step.result.loss() <= options_.max_loss
                  && step.result.generator_limits().empty();
      rates.report(step.good);
      line_.clear();
      if (!options_.quiet)
        fmt::print(stderr, "{}\n", step_line(step));
      if (step.good || report_.steps.empty())
        report_.result = step.result;
      report_.steps.push_back(std::move(step));
    }
    report_.best_rate = rates.best();
    for (const auto& s : report_.steps)
      if (report_.best_rate == s.rate)
        report_.result = s.result;
  }

  const options& options_;
  progress_line line_;
  meter_report report_;
};

int run_meter(const options& o) {
  const auto report = meter_run{o}.run();
  if (!report) {
    complain(report.error().text);
    return code(exit_code::refused);
  }
  const bool good
    = o.search ? report->best_rate.has_value() : report->result.answered > 0;
  return print(o.json ? json_text(o, *report) : plain_text(o, *report),
               good ? exit_code::ok : exit_code::no);
}

// -- the flood ----------------------------------------------------------------

int run_flood(const options& o, bool foreign) {
  progress_line line{o.quiet};
  const auto sent
    = run_flood(o, foreign, signalled, [&](const flood_result& r) {
        line.draw(fmt::format("{:.0f} of {:.0f} s: {} sent, {:.0f}/s",
                              r.duration_s, o.duration_s, r.sent, r.rate()));
      });
  line.clear();
  if (!sent) {
    complain(sent.error().text);
    return code(exit_code::refused);
  }
  return print(o.json ? json_text(o, *sent) : plain_text(o, *sent),
               sent->sent > 0 ? exit_code::ok : exit_code::no);
}

// -- handshakes ---------------------------------------------------------------

int run_handshakes(const options& o) {
  const auto target = open_ke_target(o.ke);
  if (!target) {
    complain(target.error().text);
    return code(exit_code::refused);
  }
  progress_line line{o.quiet};
  const auto r = run_handshakes(
    *target, o.connections, o.duration_s, signalled,
    [](const auto&) { return true; },
    [&](const handshake_result& so_far) {
      line.draw(fmt::format("{:.0f} of {:.0f} s: {} done, {} failed",
                            so_far.duration_s, o.duration_s, so_far.done,
                            so_far.failed));
    });
  line.clear();
  return print(o.json ? json_text(o, r) : plain_text(o, r),
               r.done > 0 ? exit_code::ok : exit_code::no);
}

int run(const std::vector<std::string>& arguments) {
  const auto parsed = parse_options(arguments);
  if (!parsed) {
    std::fputs(parsed.error().text.c_str(),
               parsed.error().code == 0 ? stdout : stderr);
    return parsed.error().code;
  }
  const auto& o = *parsed;
  const auto foreign = foreign_sources(o);
  if (!foreign)
    return code(exit_code::refused);
  if (o.cpu && !pin(*o.cpu)) {
    complain(
      fmt::format("cannot stay on CPU {}: {}", *o.cpu, std::strerror(errno)));
    return code(exit_code::refused);
  }
  // Sleeps of an open loop end when they should.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  catch_signals();
  switch (o.what) {
    case command::meter:
      return run_meter(o);
    case command::flood:
      return run_flood(o, *foreign);
    case command::handshakes:
      return run_handshakes(o);
  }
  return code(exit_code::usage);
}

} // namespace

} // namespace concert::load

int main(int argc, char** argv) {
  try {
    return concert::load::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ntp-load: %s\n", e.what());
    return static_cast<int>(concert::load::exit_code::refused);
  }
}
