#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "ntp_core/time/time.hpp"
#include "platform/error.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace concert::platform {

/// What a name stands for; `ttl` is the least of the records'.
struct resolution {
  std::vector<ntp::ip_address> addresses; ///< sorted as RFC 6724 wants
  std::chrono::seconds ttl{};             ///< 0 for names of /etc/hosts
};

struct resolver_options {
  /// "address:port,…"; empty = those of /etc/resolv.conf.
  std::string servers;
  std::chrono::milliseconds timeout{5000}; ///< of the first try
  int tries = 2;                           ///< per server
};

/// Asks the DNS (and /etc/hosts) without blocking, by c-ares. Driven from
/// outside: the owner waits on `wants()` and calls `process`. The servers are
/// those of the time of `open`; queries that are open when the resolver goes
/// are called back with an error.
class resolver {
public:
  using callback = std::function<void(result<resolution>)>;

  static result<std::unique_ptr<resolver>> open(const resolver_options& options
                                                = {});
  virtual ~resolver() = default;

  /// Calls back exactly once, from `process` or from here. Literal addresses
  /// are answered at once.
  virtual void resolve(const std::string& host, callback done) = 0;

  struct want {
    int fd = -1;
    bool read = false;
    bool write = false;
  };
  /// The descriptors to watch now.
  virtual std::vector<want> wants() const = 0;
  /// How long until `process_timeouts` must be called; absent: no query open.
  virtual std::optional<std::chrono::milliseconds> timeout() const = 0;
  virtual void process(int fd, bool readable, bool writable) = 0;
  virtual void process_timeouts() = 0;
};

} // namespace concert::platform
