#include "exporter/collector.hpp"

#include "ctl/client.hpp"
#include "ctl/control_client.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace concert::exporter {

namespace {

double unix_time_s() {
  return std::chrono::duration<double>{
    std::chrono::system_clock::now().time_since_epoch()}
    .count();
}

/// Statistics of actors are an extra: without an answer they are left out.
std::optional<ctl::actors_status> ask_actors(const std::filesystem::path& path,
                                             int cancel) {
  auto client = ctl::control_client::connect(path, collector::patience, cancel);
  if (!client)
    return {};
  ctl::control_request request;
  request.what = ctl::control_verb::actors;
  const auto answer = client->ask(request);
  if (!answer || answer->problem)
    return {};
  auto status = ctl::read_actors(answer->result);
  if (!status || !status->enabled)
    return {};
  return std::move(*status);
}

} // namespace

collector::collector(daemon_sockets sockets)
  : sockets_{std::move(sockets)},
    stop_{::eventfd(0, EFD_CLOEXEC)} {
  if (stop_ < 0)
    throw std::system_error{errno, std::generic_category(), "eventfd"};
  collect();
  thread_ = std::thread{[this] { run(); }};
}

collector::~collector() {
  ::eventfd_write(stop_, 1);
  thread_.join();
  ::close(stop_);
}

std::shared_ptr<const collected> collector::latest() const {
  const std::lock_guard lock{mutex_};
  return latest_;
}

std::string collector::history_json() const {
  const std::lock_guard lock{mutex_};
  return history_.to_json();
}

void collector::run() {
  pollfd stop{.fd = stop_, .events = POLLIN, .revents = 0};
  for (;;) {
    const int ready = ::poll(&stop, 1, static_cast<int>(interval.count()));
    if (ready > 0)
      return;
    if (ready == 0)
      collect();
  }
}

void collector::collect() {
  auto now = std::make_shared<collected>();
  now->number = ++collections_;
  auto document = ctl::fetch_document(sockets_.observation, patience, stop_);
  now->what.at_s = unix_time_s();
  if (document) {
    auto observed = ctl::read_observation(*document);
    if (observed) {
      now->what.observed = std::move(*observed);
      now->document = std::move(*document);
    } else {
      now->problem = observed.error().text;
    }
  } else {
    now->problem = document.error().text;
  }
  if (sockets_.control)
    now->what.actors = ask_actors(*sockets_.control, stop_);
  log_change(*now);
  const std::lock_guard lock{mutex_};
  history_.add(now->what);
  latest_ = std::move(now);
}

void collector::log_change(const collected& now) {
  if (now.problem == told_)
    return;
  told_ = now.problem;
  if (told_.empty())
    std::fprintf(stderr, "<6>daemon-answers\n");
  else
    std::fprintf(stderr, "<4>daemon-silent %s\n", told_.c_str());
}

} // namespace concert::exporter
