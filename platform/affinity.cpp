#include "platform/affinity.hpp"

#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace concert::platform {

namespace {

/// The cores of the main thread, which is never pinned: a worker that was does
/// not narrow what the next one may choose from.
std::vector<std::size_t> cores() {
  std::vector<std::size_t> out;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(getpid(), sizeof set, &set) != 0)
    return out;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set))
      out.push_back(core);
  return out;
}

bool is_up(const std::filesystem::path& interface) {
  std::ifstream in{interface / "flags"};
  unsigned flags = 0;
  in >> std::hex >> flags;
  return in && (flags & IFF_UP) != 0 && (flags & IFF_LOOPBACK) == 0;
}

std::size_t queues_of(const std::filesystem::path& interface) {
  std::size_t count = 0;
  std::error_code e;
  for (std::filesystem::directory_iterator i{interface / "queues", e}, end;
       !e && i != end; i.increment(e))
    if (i->path().filename().string().starts_with("rx-"))
      ++count;
  return count;
}

} // namespace

std::size_t usable_cores() {
  return std::max<std::size_t>(cores().size(), 1);
}

result<void> pin_this_thread(std::size_t index) {
  const auto all = cores();
  // A machine of more cores than the set holds does not say which.
  if (all.empty())
    return tl::unexpected{
      system_error("cannot find the cores that may be used", errno)};
  const auto core = all[index % all.size()];
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0)
    return tl::unexpected{system_error(
      "cannot pin a thread to core " + std::to_string(core), errno)};
  return {};
}

std::size_t receive_queues() {
  std::size_t most = 0;
  std::error_code e;
  for (std::filesystem::directory_iterator i{"/sys/class/net", e}, end;
       !e && i != end; i.increment(e))
    if (is_up(i->path()))
      most = std::max(most, queues_of(i->path()));
  return most;
}

} // namespace concert::platform
