#include "tools/ntp_load/flood.hpp"

#include "ntp_core/packet/header.hpp"
#include "platform/system_random.hpp"
#include "tools/ntp_load/client_addresses.hpp"
#include "tools/ntp_load/message_batch.hpp"
#include "tools/ntp_load/messages.hpp"
#include "tools/ntp_load/random.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>

namespace concert::load {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// Messages in one system call.
constexpr std::size_t messages = 16;
constexpr auto progress_interval = 500ms;
/// Walks through all clients in a scattered order: a prime.
constexpr std::uint64_t stride = 2654435761;

void write_requests(message_batch& out, const options& o) {
  fast_random random{platform::system_random{}.next()};
  for (std::size_t i = 0; i < messages; ++i) {
    for (auto rest = out.bytes(i); !rest.empty();
         rest = rest.subspan(ntp::header_size)) {
      const auto one = rest.first(ntp::header_size);
      write_request(one, o.version);
      exchange e;
      e.transmit = random.next();
      write_fields(one, e, 0);
    }
  }
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Messages that are due; sleeps a little when there are none.
std::size_t due(const options& o, double passed_s, std::uint64_t sent) {
  if (!o.rate)
    return messages;
  const double ahead = *o.rate * passed_s - static_cast<double>(sent);
  if (ahead > 0)
    return std::min(static_cast<std::size_t>(ahead / o.batch) + 1, messages);
  constexpr long longest_nap_ns = 1'000'000;
  const timespec nap{0, std::clamp(static_cast<long>(-ahead / *o.rate * 1e9),
                                   1000L, longest_nap_ns)};
  nanosleep(&nap, nullptr);
  return 0;
}

} // namespace

platform::result<flood_result>
run_flood(const options& o, bool foreign_source,
          const volatile std::sig_atomic_t& stop,
          const std::function<void(const flood_result&)>& told) {
  const auto prefix = o.client_prefix();
  const auto fd = open_sender({.target = o.target,
                               .choose_source = prefix.has_value(),
                               .foreign_source = foreign_source,
                               .receive = false,
                               .segment = static_cast<int>(ntp::header_size)});
  if (!fd)
    return tl::unexpected{fd.error()};
  message_batch out{o.target, o.batch * ntp::header_size, prefix.has_value()};
  write_requests(out, o);
  const client_addresses addresses{prefix.value_or(ntp::ip_prefix{})};

  flood_result r;
  r.wanted_rate = o.rate;
  const auto start = clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(clock::now() - start).count();
  };
  auto next_told = start + progress_interval;
  while (r.duration_s < o.duration_s && stop == 0) {
    const auto count = due(o, r.duration_s, r.sent + r.refused);
    if (prefix)
      for (std::size_t i = 0; i < count; ++i)
        out.set_source(i, addresses.at((r.batches + i) * stride % o.clients));
    const auto sent = count == 0 ? 0 : out.send(fd->get(), count);
    if (count > 0 && sent == 0 && r.batches == 0 && errno != EAGAIN)
      return tl::unexpected{platform::system_error(
        "cannot send to " + o.target.to_string(), errno)};
    r.batches += sent;
    r.sent += sent * o.batch;
    r.refused += (count - sent) * o.batch;
    r.duration_s = passed();
    if (clock::now() >= next_told) {
      next_told += progress_interval;
      told(r);
    }
  }
  r.clients = std::min<std::uint64_t>(o.clients, r.batches);
  r.cpu_s = cpu_seconds();
  return r;
}

} // namespace concert::load
