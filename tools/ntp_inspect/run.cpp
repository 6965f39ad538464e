#include "tools/ntp_inspect/run.hpp"

#include "config/config.hpp"
#include "ctl/control_client.hpp"
#include "ctl/json_reader.hpp"
#include "tools/ntp_inspect/graph.hpp"
#include "tools/ntp_inspect/screen.hpp"
#include "tools/ntp_inspect/top_view.hpp"
#include "tools/ntp_inspect/views.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace concert::inspect {

namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

int code(exit_code c) {
  return static_cast<int>(c);
}

int complain(exit_code c, std::string_view text) {
  fmt::print(stderr, "ntp-inspect: {}\n", text);
  return code(c);
}

/// @returns false when nobody can read it any more.
bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size()
         && std::fflush(stdout) == 0;
}

milliseconds left_until(steady::time_point until) {
  return std::max(std::chrono::ceil<milliseconds>(until - steady::now()),
                  milliseconds{0});
}

steady::time_point in(double seconds) {
  return steady::now()
         + std::chrono::duration_cast<steady::duration>(
           std::chrono::duration<double>{seconds});
}

/// Readable when the person at the terminal wants to end.
int end_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int s : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&wanted, s);
  ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
  return ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

/// A failure that was said already, as an exit code.
template <class T>
using outcome = tl::expected<T, int>;

tl::unexpected<int> failed(const ctl::error& e) {
  if (e.code == ctl::errc::interrupted)
    return tl::unexpected{code(exit_code::ok)};
  return tl::unexpected{complain(exit_code::unreachable, e.text)};
}

tl::unexpected<int> refused(const ctl::control_problem& p) {
  return tl::unexpected{complain(exit_code::no, p.text)};
}

ctl::control_request request_for(ctl::control_verb what) {
  ctl::control_request result;
  result.what = what;
  return result;
}

class session {
public:
  session(const options& o, ctl::control_client client, int cancel)
    : options_(o),
      client_(std::move(client)),
      cancel_(cancel) {}

  int run() {
    const auto result = perform();
    return result ? code(exit_code::ok) : result.error();
  }

private:
  outcome<void> perform() {
    switch (options_.what) {
      case command::list:
        return view(list_text);
      case command::tree:
        return view(tree_text);
      case command::show:
        return view(show_text);
      case command::top:
        return top();
      case command::trace:
        return trace();
      case command::graph:
        return watch_graph();
      case command::map:
        return map();
      case command::inject:
        return inject();
    }
    return {};
  }

  outcome<std::string> ask(ctl::control_request request) {
    request.actors = options_.actors;
    auto answer = client_.ask(request);
    if (!answer)
      return failed(answer.error());
    if (answer->problem)
      return refused(*answer->problem);
    return std::move(answer->result);
  }

  outcome<ctl::actors_status> actors() {
    const auto json = ask(request_for(ctl::control_verb::actors));
    if (!json)
      return tl::unexpected{json.error()};
    auto read = ctl::read_actors(*json);
    if (!read)
      return failed(read.error());
    return std::move(*read);
  }

  outcome<void> view(std::string (*text)(const ctl::actors_status&)) {
    const auto json = ask(request_for(ctl::control_verb::actors));
    if (!json)
      return tl::unexpected{json.error()};
    if (options_.json)
      return say(*json + "\n");
    const auto read = ctl::read_actors(*json);
    if (!read)
      return failed(read.error());
    return say(text(*read));
  }

  outcome<void> map() {
    const auto json = ask(request_for(ctl::control_verb::interface_map));
    if (!json)
      return tl::unexpected{json.error()};
    if (options_.json)
      return say(*json + "\n");
    const auto read = ctl::read_interfaces(*json);
    if (!read)
      return failed(read.error());
    return say(map_text(*read));
  }

  outcome<void> inject() {
    auto request = request_for(ctl::control_verb::inject);
    request.value = options_.fault;
    const auto json = ask(std::move(request));
    if (!json)
      return tl::unexpected{json.error()};
    if (options_.json)
      return say(*json + "\n");
    const auto answer = ctl::parse_json(*json, ctl::max_answer);
    const auto count
      = answer ? ctl::json_count(*answer, "actors").value_or(0) : 0;
    return say(fmt::format("{} actor{}\n", count, count == 1 ? "" : "s"));
  }

  outcome<void> say(const std::string& text) {
    if (print(text))
      return {};
    return tl::unexpected{complain(exit_code::no, "cannot write the output")};
  }

  // -- top --------------------------------------------------------------------

  outcome<void> top() {
    std::optional<screen> whole;
    if (!options_.json && screen::is_possible())
      whole.emplace();
    auto sort = options_.sort;
    auto before = actors();
    auto at = steady::now();
    for (std::uint64_t i = 0;
         before && (options_.count == 0 || i < options_.count); ++i) {
      if (!pause(whole, sort, in(options_.interval_s)))
        return {};
      auto now = actors();
      if (!now)
        return tl::unexpected{now.error()};
      const auto then = std::exchange(at, steady::now());
      const double seconds = std::chrono::duration<double>{at - then}.count();
      if (options_.json) {
        if (const auto said = say(ctl::to_json(*now) + "\n"); !said)
          return said;
      } else if (whole) {
        whole->draw(top_view(*before, *now, seconds, sort, whole->rows(),
                             whole->columns()));
      } else {
        std::string text;
        for (const auto& l : top_view(*before, *now, seconds, sort, 0, 0))
          text += l.text + "\n";
        if (const auto said = say(text + "\n"); !said)
          return said;
      }
      before = std::move(now);
    }
    return before ? outcome<void>{} : tl::unexpected{before.error()};
  }

  /// Waits for the next picture, while keys choose what comes first; false if
  /// it is not wanted any more.
  bool pause(std::optional<screen>& whole, sort_key& sort,
             steady::time_point until) {
    for (;;) {
      const auto left = left_until(until);
      if (is_cancelled(whole ? milliseconds{0} : left))
        return false;
      if (left.count() == 0)
        return true;
      if (!whole)
        continue;
      constexpr milliseconds longest{200};
      switch (whole->key(static_cast<int>(std::min(left, longest).count()))) {
        case 'q':
          return false;
        case 'd':
          sort = sort_key::depth;
          break;
        case 'r':
          sort = sort_key::rate;
          break;
        case 'w':
          sort = sort_key::wait;
          break;
        case 'h':
          sort = sort_key::handling;
          break;
        case 's':
          sort = sort_key::restarts;
          break;
        case 'i':
          sort = sort_key::id;
          break;
        default:
          break;
      }
    }
  }

  bool is_cancelled(milliseconds within) const {
    pollfd watched{.fd = cancel_, .events = POLLIN, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(within.count())) > 0;
  }

  // -- traces -----------------------------------------------------------------

  /// Calls `take` with each traced message and its JSON until it says false,
  /// or until the time is over, if there is one.
  template <class Take>
  outcome<void> follow(std::optional<steady::time_point> until, Take take) {
    auto request = request_for(ctl::control_verb::trace);
    request.actors = options_.actors;
    auto line = client_.ask(request);
    for (;;) {
      constexpr milliseconds longest{60'000};
      if (line) {
        if (line->problem)
          return refused(*line->problem);
        const auto message = ctl::read_traced_message(line->result);
        if (!message)
          return failed(message.error());
        if (!take(*message, line->result) || !line->more)
          return {};
      } else if (line.error().code != ctl::errc::timeout || !until) {
        return failed(line.error());
      }
      if (until && steady::now() >= *until)
        return {};
      line = client_.next(until ? left_until(*until) : longest);
    }
  }

  outcome<void> trace() {
    std::optional<steady::time_point> until;
    if (options_.seconds > 0)
      until = in(options_.seconds);
    return follow(
      until, [this](const ctl::traced_message& m, const std::string& json) {
        if (m.receiver == 0 && m.lost == 0)
          return true;
        return print(options_.json ? json + "\n" : trace_text(m));
      });
  }

  outcome<void> watch_graph() {
    auto known = actors();
    if (!known)
      return tl::unexpected{known.error()};
    graph picture{std::move(*known)};
    const auto ended
      = follow(in(options_.seconds),
               [&](const ctl::traced_message& m, const std::string&) {
                 picture.add(m);
                 return true;
               });
    if (!ended)
      return ended;
    return say(picture.dot(options_.seconds));
  }

  const options& options_;
  ctl::control_client client_;
  int cancel_;
};

/// Where the daemon listens; nothing after a complaint.
std::optional<std::filesystem::path> socket_of(const options& o) {
  if (o.socket)
    return o.socket;
  const auto path = o.config.value_or(config::default_path());
  const auto loaded
    = config::load(path, o.config.has_value(), config::named_files::ignored);
  // The daemon runs with another one, where this one has errors.
  const auto config
    = loaded ? std::optional{loaded->config} : config::load_leniently(path);
  if (!config) {
    for (const auto& d : loaded.error())
      complain(exit_code::unreachable, d.to_string());
    return {};
  }
  if (!config->control.path)
    complain(exit_code::unreachable, "the configuration has no control socket");
  return config->control.path;
}

} // namespace

int run(const options& o) {
  const auto path = socket_of(o);
  if (!path)
    return code(exit_code::unreachable);
  const int cancel = end_signals();
  auto client
    = ctl::control_client::connect(*path, ctl::default_time_limit, cancel);
  const int result = client ? session{o, std::move(*client), cancel}.run()
                            : failed(client.error()).value();
  ::close(cancel);
  return result;
}

} // namespace concert::inspect
