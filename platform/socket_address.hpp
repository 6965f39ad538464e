#pragma once

#include "ntp_core/access/ip_address.hpp"

#include <sys/socket.h>

namespace concert::platform {

/// An endpoint as the socket calls want it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  explicit socket_address(const ntp::endpoint& from);
  int family() const { return storage.ss_family; }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&storage);
  }
};

/// The address of an AF_INET or AF_INET6 socket address; 0.0.0.0:0 for others.
ntp::endpoint to_endpoint(const sockaddr& from);

} // namespace concert::platform
