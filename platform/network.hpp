#pragma once

#include "ntp_core/access/ip_address.hpp"
#include "platform/error.hpp"
#include "platform/socket.hpp"

#include <vector>

namespace concert::platform {

/// All addresses of this machine.
std::vector<ntp::ip_address> own_addresses();

/// Whether `address` lies on a directly attached network (or is our own).
bool is_on_link(const ntp::ip_address& address);

/// Whether the kernel has a route to `address`.
bool has_route(const ntp::ip_address& address);

/// Tells of changes of addresses, links and routes (rtnetlink).
class network_monitor {
public:
  static result<network_monitor> open();
  int fd() const { return fd_.get(); }
  /// Reads what waits; true if anything relevant changed.
  bool drain();

private:
  unique_fd fd_;
};

} // namespace concert::platform
