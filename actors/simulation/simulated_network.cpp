#include "actors/simulation/simulated_network.hpp"

#include <algorithm>
#include <deque>
#include <new>
#include <utility>

namespace concert::actors {

namespace {

/// From the system call to the wire, where the kernel takes its stamp.
constexpr std::chrono::microseconds send_time{15};
/// From the wire to the reader.
constexpr std::chrono::microseconds wake_time{30};
constexpr std::chrono::milliseconds lookup_time{20};
constexpr std::chrono::seconds lookup_limit{15};
/// More waiting packets than this are dropped, as by a kernel.
constexpr std::size_t inbox_limit = 256;

ntp::ip_address address_of(const std::string& text) {
  return ntp::ip_address::parse(text).value();
}

platform::error error_of(platform::errc code, std::string text) {
  return {code, std::move(text)};
}

} // namespace

/// What waits at a client's socket; packets under way may outlive the socket.
struct simulated_network::mailbox {
  struct packet {
    std::vector<std::byte> bytes;
    std::chrono::nanoseconds received{};
  };
  ntp::endpoint local;
  std::deque<packet> packets;
  std::optional<platform::kernel_stamp> sent;
  std::function<void()> on_readable;
  link_model::stamping stamping;
  bool open = true;
  bool watched = false;

  void wake() {
    if (open && std::exchange(watched, false))
      on_readable();
  }
};

/// What waits at one server port.
struct simulated_network::listener {
  struct packet {
    std::vector<std::byte> bytes;
    ntp::endpoint client;
    std::chrono::nanoseconds received{};
  };
  ntp::endpoint local;
  std::deque<packet> packets;
  std::function<void()> on_readable;
  std::uint64_t overflows = 0;
};

class simulated_network::client_end final : public poll_socket {
public:
  client_end(simulated_network& net, const ntp::endpoint& server,
             std::shared_ptr<mailbox> box)
    : net_(net),
      server_(server),
      box_(std::move(box)) {}
  ~client_end() override { box_->open = false; }

  platform::result<void> send(std::span<const std::byte> bytes) override {
    if (!net_.has_route)
      return tl::unexpected{
        error_of(platform::errc::unreachable,
                 "cannot send to " + server_.to_string() + ": no route")};
    const auto late = ntp::nanoseconds_of(box_->stamping.send_late_s);
    net_.events_.add(
      send_time + late,
      [&net = net_, to = server_, box = box_,
       copy = std::vector<std::byte>{bytes.begin(), bytes.end()}]() mutable {
        net.send(to, std::move(copy), box);
      });
    return {};
  }

  std::optional<platform::kernel_stamp> take_transmit_stamp() override {
    return std::exchange(box_->sent, std::nullopt);
  }

  platform::result<platform::client_socket::arrival>
  receive(std::span<std::byte> buffer) override {
    if (box_->packets.empty())
      return tl::unexpected{
        error_of(platform::errc::would_block, "nothing to read")};
    const auto packet = std::move(box_->packets.front());
    box_->packets.pop_front();
    platform::client_socket::arrival a;
    a.size = std::min(buffer.size(), packet.bytes.size());
    a.truncated = packet.bytes.size() > buffer.size();
    if (box_->stamping.kind != ntp::stamp_kind::daemon)
      a.stamp = platform::kernel_stamp{packet.received, box_->stamping.kind};
    std::copy_n(packet.bytes.begin(), a.size, buffer.begin());
    return a;
  }

  void notify_readable() override {
    box_->watched = true;
    if (box_->sent || !box_->packets.empty())
      net_.events_.add({}, [box = box_] { box->wake(); });
  }

private:
  simulated_network& net_;
  ntp::endpoint server_;
  std::shared_ptr<mailbox> box_;
};

class simulated_network::server_end final : public server_port {
public:
  server_end(simulated_network& net, std::shared_ptr<listener> l)
    : net_(net),
      listener_(std::move(l)),
      replies_(platform::server_socket::batch_size) {
    for (auto& r : replies_)
      r.resize(platform::server_socket::packet_size);
  }

  int fd() const override { return -1; }
  ntp::endpoint local() const override { return listener_->local; }

  std::span<request> receive() override {
    batch_.clear();
    requests_.clear();
    queued_.clear();
    while (!listener_->packets.empty()
           && batch_.size() < platform::server_socket::batch_size) {
      batch_.push_back(std::move(listener_->packets.front()));
      listener_->packets.pop_front();
    }
    for (auto& p : batch_)
      requests_.push_back({p.bytes, p.client, p.received, false});
    return requests_;
  }

  std::span<std::byte> reply_buffer(std::size_t i) override {
    return replies_[i];
  }

  void queue_reply(std::size_t i, std::size_t size,
                   std::optional<std::uint64_t> stamp_tag) override {
    queued_.push_back({i, std::span{replies_[i]}.first(size)});
    if (stamp_tag)
      stamps_.push_back({*stamp_tag, net_.clock_.realtime()});
  }

  std::span<queued> queued_replies() override { return queued_; }

  std::span<const std::size_t> flush() override {
    for (const auto& q : queued_)
      net_.reply_to_client(requests_[q.request].client,
                           {q.bytes.begin(), q.bytes.end()});
    queued_.clear();
    return {};
  }

  /// In virtual time a packet leaves when it is sent.
  std::span<const transmitted> take_transmit_stamps() override {
    taken_stamps_ = std::exchange(stamps_, {});
    return taken_stamps_;
  }

  std::uint64_t overflows() const override { return listener_->overflows; }
  bool is_stale() const override { return false; }

private:
  simulated_network& net_;
  std::shared_ptr<listener> listener_;
  std::vector<listener::packet> batch_;
  std::vector<request> requests_;
  std::vector<queued> queued_;
  std::vector<std::vector<std::byte>> replies_;
  std::vector<transmitted> stamps_;
  std::vector<transmitted> taken_stamps_;
};

simulated_network::simulated_network(
  event_queue& events, simulated_clock& clock, seeded_random& random,
  std::function<void(std::span<const std::byte>)> note)
  : events_(events),
    clock_(clock),
    random_(random),
    note_(std::move(note)) {
}

simulated_network::~simulated_network() = default;

time_server& simulated_network::server(const std::string& address) {
  auto& slot = servers_[address_of(address)];
  if (!slot)
    slot = std::make_shared<time_server>();
  return dynamic_cast<time_server&>(*slot);
}

void simulated_network::place(const std::string& address,
                              std::shared_ptr<simulated_server> server) {
  servers_[address_of(address)] = std::move(server);
}

network_path& simulated_network::path(const std::string& address) {
  return routes_[address_of(address)].path;
}

void simulated_network::link(const std::string& address,
                             std::unique_ptr<link_model> model) {
  routes_[address_of(address)].model = std::move(model);
}

link_model::stamping simulated_network::stamping_of_poll(const route& r) {
  return r.model ? r.model->stamps() : link_model::stamping{r.path.stamps};
}

std::optional<true_time>
simulated_network::travel(route& r, link_model::way which, true_time at) {
  const auto& p = r.path;
  if (r.model) {
    const auto delay_s = r.model->delay_s(which, ntp::seconds_of(at));
    if (!delay_s)
      return {};
    return ntp::nanoseconds_of(*delay_s);
  }
  if (p.cut || (p.loss > 0 && random_.uniform() < p.loss))
    return {};
  return ntp::nanoseconds_of(
    (which == link_model::way::forward ? p.forward_s : p.backward_s)
    + random_.exponential(p.jitter_s));
}

// -- the daemon asks ----------------------------------------------------------

platform::result<std::unique_ptr<poll_socket>>
simulated_network::open_poll_socket(const ntp::endpoint& server,
                                    std::function<void()> on_readable) {
  if (out_of_memory > 0) {
    --out_of_memory;
    throw std::bad_alloc{};
  }
  auto box = std::make_shared<mailbox>();
  box->local = {own_addresses.back(),
                static_cast<std::uint16_t>(1024 + random_.next() % 64512)};
  box->on_readable = std::move(on_readable);
  box->stamping = stamping_of_poll(routes_[server.address]);
  return std::make_unique<client_end>(*this, server, std::move(box));
}

void simulated_network::send(const ntp::endpoint& to,
                             std::vector<std::byte> bytes,
                             const std::shared_ptr<mailbox>& from) {
  ++requests_;
  note_(bytes);
  if (from->stamping.kind != ntp::stamp_kind::daemon) {
    from->sent = platform::kernel_stamp{clock_.realtime(), from->stamping.kind};
    from->wake();
  }
  const auto sent = events_.now();
  const auto delay
    = travel(routes_[to.address], link_model::way::forward, sent);
  if (!delay)
    return;
  // Should our machine stand still meanwhile, the others do not.
  const auto at = sent + *delay;
  events_.add_at(at, [this, to, packet = std::move(bytes), from, at] {
    arrive(to, packet, from, at);
  });
}

void simulated_network::arrive(const ntp::endpoint& to,
                               const std::vector<std::byte>& bytes,
                               const std::shared_ptr<mailbox>& from,
                               true_time at) {
  const auto server = servers_.find(to.address);
  if (server == servers_.end())
    return;
  const auto reply = server->second->answer(bytes, from->local, at);
  if (!reply)
    return;
  auto& r = routes_[to.address];
  const int copies = r.model && r.model->duplicates() ? 2 : 1;
  for (int i = 0; i < copies; ++i)
    if (const auto delay = travel(r, link_model::way::backward, at))
      events_.add_at(at + *delay,
                     [this, from, packet = *reply, at = at + *delay]() mutable {
                       deliver(std::move(packet), from, at);
                     });
}

void simulated_network::deliver(std::vector<std::byte> bytes,
                                const std::shared_ptr<mailbox>& to,
                                true_time at) {
  if (!to->open || to->packets.size() >= inbox_limit || at < awake_since_)
    return;
  note_(bytes);
  to->packets.push_back({std::move(bytes), clock_.realtime()});
  events_.add(wake_time + ntp::nanoseconds_of(to->stamping.read_late_s),
              [to] { to->wake(); });
}

// -- the daemon is asked ------------------------------------------------------

platform::result<std::unique_ptr<server_port>>
simulated_network::open_server_port(const ntp::endpoint& listen,
                                    std::function<void()> on_readable) {
  if (ports_in_use)
    return tl::unexpected{
      error_of(platform::errc::in_use, "cannot bind " + listen.to_string()
                                         + ": Address already in use")};
  auto l = std::make_shared<listener>();
  l->local = listen;
  l->on_readable = std::move(on_readable);
  std::erase_if(listeners_, [](const auto& weak) { return weak.expired(); });
  listeners_.push_back(l);
  return std::make_unique<server_end>(*this, std::move(l));
}

std::shared_ptr<const client_query>
simulated_network::ask(const std::string& listen, const std::string& client,
                       ntp::packet_header request) {
  const auto from = new_client(client);
  auto query = std::make_shared<client_query>();
  const auto sent = clock_.truth();
  request.transmit = ntp::ntp_timestamp::from_bits(random_.next() | 1);
  std::vector<std::byte> bytes(ntp::header_size);
  ntp::encode(request, std::span{bytes}.first<ntp::header_size>());
  send_to_us(listen, from, std::move(bytes),
             [this, query, sent](std::span<const std::byte> reply) {
               const auto header = ntp::parse_header(reply);
               if (!header)
                 return;
               query->reply = *header;
               query->offset_s
                 = ((header->receive - sent).seconds()
                    + (header->transmit - clock_.truth()).seconds())
                   / 2;
             });
  return query;
}

std::shared_ptr<const std::vector<std::byte>>
simulated_network::ask(const std::string& listen, const std::string& client,
                       std::vector<std::byte> datagram) {
  auto answer = std::make_shared<std::vector<std::byte>>();
  send_to_us(listen, new_client(client), std::move(datagram),
             [answer](std::span<const std::byte> reply) {
               answer->assign(reply.begin(), reply.end());
             });
  return answer;
}

ntp::endpoint simulated_network::new_client(const std::string& address) {
  return {address_of(address),
          static_cast<std::uint16_t>(1024 + random_.next() % 64512)};
}

void simulated_network::send_to_us(const std::string& listen,
                                   const ntp::endpoint& from,
                                   std::vector<std::byte> bytes,
                                   reply_handler on_reply) {
  const auto to = ntp::endpoint::parse(listen).value();
  waiting_[from] = std::move(on_reply);
  const auto delay
    = travel(routes_[from.address], link_model::way::backward, events_.now());
  if (!delay)
    return;
  events_.add(*delay, [this, to, from, packet = std::move(bytes)]() mutable {
    std::vector<std::shared_ptr<listener>> ports;
    for (const auto& weak : listeners_)
      if (auto l = weak.lock(); l && l->local.port == to.port
                                && (l->local.address == to.address
                                    || l->local.address.is_unspecified()))
        ports.push_back(std::move(l));
    if (ports.empty())
      return;
    // As SO_REUSEPORT spreads clients over the workers.
    auto& port = *ports[from.port % ports.size()];
    if (port.packets.size() >= inbox_limit) {
      ++port.overflows;
      return;
    }
    port.packets.push_back({std::move(packet), from, clock_.realtime()});
    port.on_readable();
  });
}

void simulated_network::reply_to_client(const ntp::endpoint& client,
                                        std::vector<std::byte> bytes) {
  const auto delay
    = travel(routes_[client.address], link_model::way::forward, events_.now());
  if (!delay)
    return;
  events_.add(*delay, [this, client, packet = std::move(bytes)] {
    const auto it = waiting_.find(client);
    if (it == waiting_.end())
      return;
    it->second(packet);
    waiting_.erase(it);
  });
}

// -- names --------------------------------------------------------------------

void simulated_network::resolve(const std::string& host,
                                platform::resolver::callback done) {
  if (const auto literal = ntp::ip_address::parse(host)) {
    done(platform::resolution{{*literal}, {}});
    return;
  }
  lookups_[host].push_back(events_.now());
  const auto& record = names_[host];
  events_.add(
    record.hangs ? lookup_limit : std::chrono::nanoseconds{lookup_time},
    [hangs = record.hangs, addresses = record.addresses, host,
     reply = std::move(done)] {
      if (hangs)
        reply(tl::unexpected{
          error_of(platform::errc::unavailable,
                   "the name servers do not answer for " + host)});
      else if (addresses.empty())
        reply(tl::unexpected{
          error_of(platform::errc::unavailable, "there is no name " + host)});
      else
        reply(platform::resolution{addresses, std::chrono::seconds{60}});
    });
}

} // namespace concert::actors
