#include "actors/real_runtime.hpp"

#include "actors/control_socket.hpp"
#include "actors/observation_socket.hpp"
#include "actors/tcp_ke_channel.hpp"
#include "platform/aead.hpp"
#include "platform/affinity.hpp"
#include "platform/log.hpp"
#include "platform/nonce_source.hpp"
#include "platform/system_random.hpp"

#include <csignal>
#include <map>
#include <mutex>
#include <utility>

namespace concert::actors {

namespace log = platform::log;

namespace {

/// Files with authorities are read again after this, when they are needed.
constexpr std::chrono::minutes authorities_life{1};

/// Waits on a descriptor that somebody else owns and closes.
class borrowed_descriptor {
public:
  borrowed_descriptor(asio::io_context& io, int fd) : descriptor_(io, fd) {}
  borrowed_descriptor(const borrowed_descriptor&) = delete;
  borrowed_descriptor& operator=(const borrowed_descriptor&) = delete;
  ~borrowed_descriptor() { descriptor_.release(); }
  asio::posix::stream_descriptor& get() { return descriptor_; }

private:
  asio::posix::stream_descriptor descriptor_;
};

class asio_timer final : public timer {
public:
  asio_timer(asio::io_context& io, std::function<void()> fire)
    : state_(std::make_shared<state>(io, std::move(fire))) {}

  ~asio_timer() override { cancel(); }

  void arm(ntp::mono_time when) override {
    // Most events leave the next deadline where it was: not worth a wake-up of
    // the event loop.
    if (state_->armed.exchange(when.time_since_epoch().count())
        == when.time_since_epoch().count())
      return;
    asio::dispatch(state_->timer.get_executor(), [s = state_, when] {
      s->timer.expires_at(
        std::chrono::steady_clock::time_point{when.time_since_epoch()});
      s->timer.async_wait([s](std::error_code ec) {
        if (ec)
          return;
        s->armed = disarmed;
        s->fire();
      });
    });
  }

  void cancel() override {
    if (state_->armed.exchange(disarmed) == disarmed)
      return;
    asio::dispatch(state_->timer.get_executor(),
                   [s = state_] { s->timer.cancel(); });
  }

private:
  static constexpr std::int64_t disarmed = -1;

  struct state {
    state(asio::io_context& io, std::function<void()> f)
      : timer(io),
        fire(std::move(f)) {}
    asio::steady_timer timer;
    std::function<void()> fire;
    std::atomic<std::int64_t> armed{disarmed};
  };

  std::shared_ptr<state> state_;
};

class real_poll_socket final : public poll_socket {
public:
  real_poll_socket(asio::io_context& io, platform::client_socket socket,
                   std::function<void()> on_readable)
    : socket_(std::move(socket)),
      wait_(io, socket_.fd()),
      on_readable_(std::move(on_readable)) {}

  platform::result<void> send(std::span<const std::byte> bytes) override {
    return socket_.send(bytes);
  }
  std::optional<platform::kernel_stamp> take_transmit_stamp() override {
    return socket_.take_transmit_stamp();
  }
  platform::result<platform::client_socket::arrival>
  receive(std::span<std::byte> buffer) override {
    return socket_.receive(buffer);
  }
  void notify_readable() override {
    wait_.get().async_wait(asio::posix::stream_descriptor::wait_read,
                           [f = on_readable_](std::error_code ec) {
                             if (!ec)
                               f();
                           });
  }

private:
  platform::client_socket socket_;
  borrowed_descriptor wait_;
  std::function<void()> on_readable_;
};

} // namespace

/// The resolver, driven by the event loop.
class real_runtime::names {
public:
  explicit names(asio::io_context& io) : io_(io), timer_(io) { open(); }

  /// The network changed, and perhaps resolv.conf with it, which is read only
  /// at opening. A query under way is left to end.
  void refresh() {
    if (!resolver_ || !resolver_->timeout())
      open();
  }

  void resolve(const std::string& host, platform::resolver::callback done) {
    if (!resolver_) {
      done(tl::unexpected{
        platform::error{platform::errc::unavailable, "no resolver"}});
      return;
    }
    unwatch();
    resolver_->resolve(host, std::move(done));
    watch();
  }

private:
  void open() {
    unwatch();
    auto opened = platform::resolver::open();
    if (opened)
      resolver_ = std::move(*opened);
    else
      log::error("resolver-failed", "error=\"{}\"", opened.error().text);
  }

  /// The library opens and closes descriptors as it likes: nothing is watched
  /// while it works, and what it wants is watched anew after.
  void watch() {
    for (const auto& w : resolver_->wants()) {
      auto& d = watches_.emplace_back(
        std::make_unique<borrowed_descriptor>(io_, w.fd));
      const auto wait = [&](auto type, bool readable) {
        d->get().async_wait(type, [this, fd = w.fd, readable,
                                   round = round_](std::error_code ec) {
          if (!ec && round == round_)
            process(fd, readable);
        });
      };
      if (w.read)
        wait(asio::posix::stream_descriptor::wait_read, true);
      if (w.write)
        wait(asio::posix::stream_descriptor::wait_write, false);
    }
    const auto limit = resolver_->timeout();
    if (!limit)
      return;
    timer_.expires_after(*limit);
    timer_.async_wait([this](std::error_code ec) {
      if (!ec)
        process_timeouts();
    });
  }

  void process(int fd, bool readable) {
    unwatch();
    resolver_->process(fd, readable, !readable);
    watch();
  }

  void process_timeouts() {
    unwatch();
    resolver_->process_timeouts();
    watch();
  }

  void unwatch() {
    ++round_;
    timer_.cancel();
    watches_.clear();
  }

  asio::io_context& io_;
  asio::steady_timer timer_;
  std::unique_ptr<platform::resolver> resolver_;
  std::vector<std::unique_ptr<borrowed_descriptor>> watches_;
  std::uint64_t round_ = 0;
};

real_runtime::real_runtime(asio::io_context& io, platform::clock& clock)
  : io_(io),
    clock_(clock),
    stamping_(platform::stamping_keeper::open()),
    names_(std::make_unique<names>(io)),
    signals_(io, SIGTERM, SIGINT, SIGHUP),
    monitor_wait_(io) {
  if (!stamping_)
    log::warning("stamping-failed", "error=\"{}\"", stamping_.error().text);
}

real_runtime::~real_runtime() {
  if (monitor_wait_.is_open())
    monitor_wait_.release();
}

void real_runtime::attach(caf::actor_system& system) {
  system_ = &system;
  loop_ = std::make_unique<actors::event_loop>(system, io_);
}

ntp::mono_time real_runtime::now() const {
  return ntp::mono_time{std::chrono::steady_clock::now().time_since_epoch()};
}

std::unique_ptr<timer> real_runtime::make_timer(std::function<void()> fire) {
  return std::make_unique<asio_timer>(io_, std::move(fire));
}

std::unique_ptr<timer>
real_runtime::make_control_timer(std::function<void()> fire) {
  return std::make_unique<asio_timer>(control().io(), std::move(fire));
}

std::unique_ptr<ntp::random_source> real_runtime::make_random() {
  return std::make_unique<platform::system_random>();
}

platform::result<std::unique_ptr<poll_socket>>
real_runtime::open_poll_socket(const ntp::endpoint& server,
                               std::function<void()> on_readable) {
  auto socket = platform::client_socket::open(server);
  if (!socket)
    return tl::unexpected{socket.error()};
  return std::make_unique<real_poll_socket>(io_, std::move(*socket),
                                            std::move(on_readable));
}

platform::result<std::unique_ptr<server_port>>
real_runtime::open_server_port(const ntp::endpoint& listen,
                               const server_port_options& options,
                               std::function<void()>) {
  return server_ports_.open(listen, options);
}

platform::result<std::unique_ptr<ntp::aead_cipher>>
real_runtime::make_cipher() {
  return platform::aead::make();
}

platform::result<std::unique_ptr<ntp::random_source>>
real_runtime::make_nonces() {
  return platform::nonce_source::make();
}

caf::execution_unit* real_runtime::key_exchange_loop() {
  return key_exchange().unit();
}

loop_thread& real_runtime::key_exchange() {
  if (!key_exchange_)
    key_exchange_ = std::make_unique<loop_thread>(*system_, "key_exchange");
  return *key_exchange_;
}

caf::execution_unit* real_runtime::control_loop() {
  return control().unit();
}

loop_thread& real_runtime::control() {
  if (!control_)
    control_ = std::make_unique<loop_thread>(*system_, "control");
  return *control_;
}

void real_runtime::connect_ke(ke_connection wish, ke_connected done) {
  const auto known = tls_clients_.find(wish.certificate_authorities);
  if (known != tls_clients_.end()
      && now() - known->second.read < authorities_life) {
    asio::post(io_, [this, w = std::move(wish), client = known->second.client,
                     d = std::move(done)] { start_ke(w, client, d); });
    return;
  }
  asio::post(
    key_exchange().io(), [this, w = std::move(wish), d = std::move(done)] {
      auto opened = platform::tls_client::open({w.certificate_authorities});
      asio::post(io_, [this, w, d, client = std::move(opened)] {
        if (client)
          tls_clients_[w.certificate_authorities] = {*client, now()};
        start_ke(w, client, d);
      });
    });
}

void real_runtime::start_ke(const ke_connection& wish, const tls_client& client,
                            const ke_connected& done) {
  auto session = client ? (*client)->connect(wish.host, wish.judged_at)
                        : tl::unexpected{client.error()};
  if (!session) {
    done(tl::unexpected{session.error()});
    return;
  }
  done(connect_ke_channel(io_, wish.address, std::move(*session), wish.limit));
}

platform::result<std::unique_ptr<ke_listener>>
real_runtime::listen_ke(const ke_listener_options& options,
                        ke_listener_events events) {
  return open_ke_listener(key_exchange().io(), options, std::move(events));
}

platform::result<std::shared_ptr<const platform::tls_server>>
real_runtime::load_certificates(
  std::span<const platform::certificate_files> pairs) {
  return platform::tls_server::load(pairs);
}

std::size_t real_runtime::receive_queues() const {
  return platform::receive_queues();
}

platform::result<std::unique_ptr<observation_port>>
real_runtime::open_observation_port(
  const std::string& path, std::uint32_t mode,
  std::function<void(document_sink)> on_reader) {
  return open_observation_socket(control().io(), path, mode,
                                 std::move(on_reader));
}

platform::result<std::unique_ptr<control_port>> real_runtime::open_control_port(
  const config::control_config& config,
  std::function<void(control_received)> on_request) {
  return open_control_socket(control().io(), config, std::move(on_request));
}

void real_runtime::resolve(const std::string& host,
                           platform::resolver::callback done) {
  names_->resolve(host, std::move(done));
}

std::vector<ntp::ip_address> real_runtime::own_addresses() const {
  return platform::own_addresses();
}

bool real_runtime::is_on_link(const ntp::ip_address& address) const {
  return platform::is_on_link(address);
}

bool real_runtime::has_route(const ntp::ip_address& address) const {
  return platform::has_route(address);
}

void real_runtime::on_network_change(std::function<void()> changed) {
  on_network_change_ = std::move(changed);
  auto opened = platform::network_monitor::open();
  if (!opened) {
    log::warning("network-monitor-failed", "error=\"{}\"", opened.error().text);
    return;
  }
  monitor_.emplace(std::move(*opened));
  monitor_wait_.assign(monitor_->fd());
  wait_for_network();
}

void real_runtime::wait_for_network() {
  monitor_wait_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this](std::error_code ec) {
                             if (ec)
                               return;
                             if (monitor_->drain()) {
                               names_->refresh();
                               on_network_change_();
                             }
                             wait_for_network();
                           });
}

void real_runtime::on_signal(std::function<void(int)> received) {
  on_signal_ = std::move(received);
  wait_for_signal();
}

void real_runtime::wait_for_signal() {
  signals_.async_wait([this](std::error_code ec, int number) {
    if (ec)
      return;
    on_signal_(number);
    wait_for_signal();
  });
}

} // namespace concert::actors
