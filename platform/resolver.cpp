#include "platform/resolver.hpp"

#include "platform/socket_address.hpp"

#include <ares.h>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>

namespace concert::platform {

namespace {

/// Literal addresses never change.
constexpr std::chrono::hours literal_ttl{24};

error to_error(const std::string& host, int status) {
  const auto code = [status] {
    switch (status) {
      case ARES_ENOTFOUND:
      case ARES_ENODATA:
        return errc::unavailable;
      case ARES_ETIMEOUT:
      case ARES_ECONNREFUSED:
      case ARES_ESERVFAIL:
        return errc::unreachable;
      case ARES_EBADNAME:
      case ARES_EBADSTR:
        return errc::invalid;
      default:
        return errc::io;
    }
  }();
  return {code,
          "cannot find the address of " + host + ": " + ares_strerror(status)};
}

resolution to_resolution(const ares_addrinfo& info) {
  resolution out;
  int ttl = std::numeric_limits<int>::max();
  for (const auto* node = info.nodes; node; node = node->ai_next) {
    if (node->ai_family != AF_INET && node->ai_family != AF_INET6)
      continue;
    const auto address = to_endpoint(*node->ai_addr).address;
    ttl = std::min(ttl, node->ai_ttl);
    // A name may have one address several times in the file of hosts.
    if (std::find(out.addresses.begin(), out.addresses.end(), address)
        == out.addresses.end())
      out.addresses.push_back(address);
  }
  out.ttl = std::chrono::seconds{std::max(0, ttl)};
  return out;
}

/// One question, owned by c-ares until it calls back.
struct query {
  std::string host;
  resolver::callback done;

  static void answered(void* self, int status, int, ares_addrinfo* info) {
    const std::unique_ptr<query> q{static_cast<query*>(self)};
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned{
      info, &ares_freeaddrinfo};
    if (status != ARES_SUCCESS || !info)
      return q->done(tl::unexpected(to_error(q->host, status)));
    auto found = to_resolution(*info);
    if (found.addresses.empty())
      return q->done(tl::unexpected(to_error(q->host, ARES_ENODATA)));
    q->done(std::move(found));
  }
};

class ares_resolver final : public resolver {
public:
  ~ares_resolver() override {
    if (channel_)
      ares_destroy(channel_);
  }

  result<void> start(const resolver_options& options) {
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_options o{};
    o.timeout = static_cast<int>(options.timeout.count());
    o.tries = options.tries;
    char lookups[] = "fb"; // the file of hosts, then the DNS
    o.lookups = lookups;
    o.sock_state_cb = [](void* self, ares_socket_t fd, int read, int write) {
      static_cast<ares_resolver*>(self)->note(fd, read != 0, write != 0);
    };
    o.sock_state_cb_data = this;
    int status
      = ares_init_options(&channel_, &o,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS
                            | ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && !options.servers.empty())
      status = ares_set_servers_ports_csv(channel_, options.servers.c_str());
    if (status != ARES_SUCCESS)
      return tl::unexpected(
        error{errc::io, std::string{"cannot start the resolver: "}
                          + ares_strerror(status)});
    return {};
  }

  void resolve(const std::string& host, callback done) override {
    if (const auto literal = ntp::ip_address::parse(host))
      return done(resolution{{*literal}, literal_ttl});
    // A name with a NUL would be another name for c-ares.
    if (host.empty() || host.find('\0') != std::string::npos)
      return done(tl::unexpected(to_error(host, ARES_EBADNAME)));
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    auto q = std::make_unique<query>(query{host, std::move(done)});
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &query::answered,
                     q.release());
  }

  std::vector<want> wants() const override {
    std::vector<want> out;
    out.reserve(wants_.size());
    for (const auto& [fd, w] : wants_)
      out.push_back(w);
    return out;
  }

  std::optional<std::chrono::milliseconds> timeout() const override {
    timeval left{};
    if (!ares_timeout(channel_, nullptr, &left))
      return std::nullopt;
    // c-ares takes a query for timed out only in the millisecond after it says;
    // a call too early does nothing and is asked for again at once.
    return std::chrono::seconds{left.tv_sec}
           + std::chrono::milliseconds{left.tv_usec / 1000 + 1};
  }

  void process(int fd, bool readable, bool writable) override {
    ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD,
                    writable ? fd : ARES_SOCKET_BAD);
  }

  void process_timeouts() override {
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }

private:
  void note(int fd, bool read, bool write) {
    if (read || write)
      wants_[fd] = {fd, read, write};
    else
      wants_.erase(fd);
  }

  ares_channel channel_ = nullptr;
  std::map<int, want> wants_;
};

} // namespace

result<std::unique_ptr<resolver>>
resolver::open(const resolver_options& options) {
  auto made = std::make_unique<ares_resolver>();
  if (auto started = made->start(options); !started)
    return tl::unexpected(started.error());
  return made;
}

} // namespace concert::platform
