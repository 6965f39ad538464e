#pragma once

#include "actors/runtime.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace concert::actors {

/// Opens the sockets of the workers, each on its own thread, and keeps requests
/// divided among those that serve the same address and interface: whenever one
/// comes or goes, the rule is made anew.
class server_ports {
public:
  platform::result<std::unique_ptr<server_port>>
  open(const ntp::endpoint& listen, const server_port_options& options);

private:
  class group;
  class member;

  std::mutex mutex_;
  std::map<std::pair<ntp::endpoint, std::string>, std::weak_ptr<group>> groups_;
};

} // namespace concert::actors
