#include "tools/ntp_once/resolve.hpp"

#include "platform/socket_address.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace concert::once {

tl::expected<std::vector<ntp::endpoint>, std::string>
resolve(const config::host_port& server, ip_family family) {
  addrinfo hints{};
  hints.ai_family = family == ip_family::v4   ? AF_INET
                    : family == ip_family::v6 ? AF_INET6
                                              : AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(server.host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list{found,
                                                                &freeaddrinfo};
  const auto fail = [&](const char* why) {
    return tl::unexpected(server.to_string() + ": " + why);
  };
  if (code != 0)
    return fail(code == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(code));
  std::vector<ntp::endpoint> addresses;
  for (const auto* i = list.get(); i; i = i->ai_next) {
    auto e = platform::to_endpoint(*i->ai_addr);
    e.port = server.port;
    if (std::find(addresses.begin(), addresses.end(), e) == addresses.end())
      addresses.push_back(e);
  }
  if (addresses.empty())
    return fail("no address");
  return addresses;
}

} // namespace concert::once
