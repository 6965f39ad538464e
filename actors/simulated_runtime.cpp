#include "actors/simulated_runtime.hpp"

#include "platform/aead.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace {

class simulated_tls final : public platform::tls_server {
public:
  explicit simulated_tls(std::span<const platform::certificate_files> pairs)
    : stamps_(platform::stamps_of(pairs)) {
    for (const auto& pair : pairs)
      certificates_.push_back({pair.chain, {"simulated.example"}, {}, {}});
  }
  platform::result<std::unique_ptr<platform::tls_session>>
  accept() const override {
    return tl::unexpected{
      platform::error{platform::errc::unavailable, "there is no TLS here"}};
  }
  const std::vector<platform::certificate_info>& certificates() const override {
    return certificates_;
  }
  const platform::file_stamps& stamps() const override { return stamps_; }

private:
  std::vector<platform::certificate_info> certificates_;
  platform::file_stamps stamps_;
};

} // namespace

class simulated_runtime::port final : public observation_port {
public:
  port(simulated_runtime& world, std::string path)
    : world_(world),
      path_(std::move(path)) {}
  ~port() override { world_.readers_.erase(path_); }

private:
  simulated_runtime& world_;
  std::string path_;
};

class simulated_runtime::controls final : public control_port {
public:
  controls(simulated_runtime& world, std::string path)
    : world_(world),
      path_(std::move(path)) {}
  ~controls() override { world_.controls_.erase(path_); }

private:
  simulated_runtime& world_;
  std::string path_;
};

simulated_runtime::simulated_runtime(std::uint64_t seed,
                                     const simulated_clock_options& clock,
                                     filters make_filters)
  : make_filters_(std::move(make_filters)),
    seeds_(seed),
    chance_(seeds_.next()),
    clock_(events_, clock),
    network_(events_, clock_, chance_,
             [this](std::span<const std::byte> packet) { note(packet); }),
    key_exchange_(events_, chance_) {
}

std::unique_ptr<timer>
simulated_runtime::make_timer(std::function<void()> fire) {
  return timers_.make(std::move(fire));
}

std::unique_ptr<ntp::random_source> simulated_runtime::make_random() {
  return std::make_unique<seeded_random>(seeds_.next());
}

platform::result<std::unique_ptr<poll_socket>>
simulated_runtime::open_poll_socket(const ntp::endpoint& server,
                                    std::function<void()> on_readable) {
  return network_.open_poll_socket(server, std::move(on_readable));
}

platform::result<std::unique_ptr<server_port>>
simulated_runtime::open_server_port(const ntp::endpoint& listen,
                                    const server_port_options&,
                                    std::function<void()> on_readable) {
  return network_.open_server_port(listen, std::move(on_readable));
}

platform::result<std::unique_ptr<observation_port>>
simulated_runtime::open_observation_port(
  const std::string& path, std::uint32_t,
  std::function<void(document_sink)> on_reader) {
  if (!readers_.emplace(path, std::move(on_reader)).second)
    return tl::unexpected{
      platform::error{platform::errc::in_use, path + " is in use"}};
  return std::make_unique<port>(*this, path);
}

platform::result<std::unique_ptr<control_port>>
simulated_runtime::open_control_port(
  const config::control_config& config,
  std::function<void(control_received)> on_request) {
  const auto path = config.path->string();
  if (!controls_.emplace(path, std::move(on_request)).second)
    return tl::unexpected{
      platform::error{platform::errc::in_use, path + " is in use"}};
  return std::make_unique<controls>(*this, path);
}

bool simulated_runtime::control(const std::string& path,
                                control_received request) {
  const auto listener = controls_.find(path);
  if (listener == controls_.end())
    return false;
  listener->second(std::move(request));
  return true;
}

void simulated_runtime::resolve(const std::string& host,
                                platform::resolver::callback done) {
  network_.resolve(host, std::move(done));
}

platform::result<std::unique_ptr<ntp::aead_cipher>>
simulated_runtime::make_cipher() {
  return platform::aead::make();
}

void simulated_runtime::connect_ke(ke_connection wish, ke_connected done) {
  events_.add({}, [this, w = std::move(wish), d = std::move(done)] {
    d(key_exchange_.connect(w, network_.own_addresses.back()));
  });
}

platform::result<std::shared_ptr<const platform::tls_server>>
simulated_runtime::load_certificates(
  std::span<const platform::certificate_files> pairs) {
  return std::make_shared<const simulated_tls>(pairs);
}

std::vector<ntp::ip_address> simulated_runtime::own_addresses() const {
  return network_.own_addresses;
}

bool simulated_runtime::is_on_link(const ntp::ip_address& address) const {
  return network_.on_link.contains(address);
}

bool simulated_runtime::has_route(const ntp::ip_address&) const {
  return network_.has_route;
}

void simulated_runtime::on_network_change(std::function<void()> changed) {
  on_network_change_ = std::move(changed);
}

void simulated_runtime::on_signal(std::function<void(int)> received) {
  on_signal_ = std::move(received);
}

void simulated_runtime::later(std::chrono::nanoseconds delay,
                              std::function<void()> event) {
  events_.add(delay, std::move(event));
}

void simulated_runtime::network_changes() {
  if (on_network_change_)
    on_network_change_();
}

void simulated_runtime::signal(int number) {
  if (on_signal_)
    on_signal_(number);
}

void simulated_runtime::suspend(std::chrono::nanoseconds gap) {
  events_.advance(events_.now() + gap);
  clock_.slept(gap);
  network_.woke();
}

void simulated_runtime::pause(std::chrono::nanoseconds gap) {
  events_.advance(events_.now() + gap);
  clock_.stood(gap);
}

bool simulated_runtime::observe(const std::string& path, document_sink sink) {
  const auto it = readers_.find(path);
  if (it == readers_.end())
    return false;
  it->second(std::move(sink));
  return true;
}

void simulated_runtime::daemon_died() {
  on_network_change_ = nullptr;
  on_signal_ = nullptr;
  clock_.end_guarded_slew();
}

std::optional<true_time> simulated_runtime::next() const {
  auto result = events_.next();
  const auto consider = [&](std::optional<ntp::mono_time> when) {
    if (!when)
      return;
    const auto at = clock_.time_of(*when);
    result = result ? std::min(*result, at) : at;
  };
  consider(timers_.next());
  consider(clock_.guard_deadline());
  if (result)
    result = std::max(*result, events_.now());
  return result;
}

bool simulated_runtime::run_one() {
  note_clock();
  if (const auto guard = clock_.guard_deadline();
      guard && *guard <= clock_.mono()) {
    clock_.end_guarded_slew();
    return true;
  }
  return events_.run_one() || timers_.fire_one(clock_.mono());
}

void simulated_runtime::note(std::span<const std::byte> what) {
  constexpr std::uint64_t prime = 0x100000001b3; // FNV-1a
  const auto add
    = [this](std::uint64_t value) { trace_ = (trace_ ^ value) * prime; };
  add(static_cast<std::uint64_t>(events_.now().count()));
  for (const auto b : what)
    add(std::to_integer<std::uint64_t>(b));
}

void simulated_runtime::note_clock() {
  const auto& d = clock_.done();
  const auto deeds = d.frequencies + d.steps + d.guards;
  if (std::exchange(traced_deeds_, deeds) == deeds)
    return;
  const double seen[] = {clock_.correction().ratio, d.last_step_s};
  note(std::as_bytes(std::span{seen}));
}

} // namespace concert::actors
