#include "actors/source_entry.hpp"

#include "actors/remote_set.hpp"
#include "ntp_core/crypto/reference_id.hpp"
#include "platform/hash.hpp"

#include <algorithm>
#include <utility>

namespace concert::actors {

namespace {

constexpr std::int8_t link_min_poll = 4; ///< 16 s, on our own link
constexpr std::int8_t far_min_poll = 6;  ///< 64 s, beyond it
constexpr std::int8_t usual_max_poll = 10;

ntp::association_config association_of(const config::source_config& c,
                                       bool on_link, double tokens) {
  ntp::association_config a;
  a.version = c.ntp_version;
  const auto least = on_link ? link_min_poll : far_min_poll;
  a.max_poll
    = c.max_poll.value_or(std::max(usual_max_poll, c.min_poll.value_or(least)));
  a.min_poll = c.min_poll.value_or(std::min(least, a.max_poll));
  a.initial_poll
    = std::clamp(c.initial_poll.value_or(a.min_poll), a.min_poll, a.max_poll);
  a.iburst = c.iburst;
  a.interleaved = c.interleaved;
  a.burst_tokens = tokens;
  return a;
}

} // namespace

source_entry::source_entry(spawner_options options)
  : options_(std::move(options)) {
  if (options_.just_heard)
    for (const auto& s : options_.saved)
      asked_.insert(s.address.address);
}

std::uint32_t source_entry::wanted() const {
  return config::is_pool(config().mode) ? config().count : 1;
}

void source_entry::leave_usable(std::vector<ntp::ip_address>& addresses,
                                const runtime& world) const {
  if (!config::is_pool(config().mode))
    return;
  std::erase_if(addresses, [own = world.own_addresses()](const auto& a) {
    return !a.is_loopback()
           && std::find(own.begin(), own.end(), a) != own.end();
  });
}

source_options source_entry::options_for(const ntp::endpoint& server,
                                         runtime& world,
                                         ntp::random_source& random) {
  const auto& c = config();
  source_options o;
  o.registration.id = {world.next_id()};
  o.registration.name = name();
  o.registration.address = server;
  o.registration.reference_id
    = ntp::reference_id_of(server.address, &platform::md5);
  o.registration.prefer = c.prefer;
  o.registration.noselect = c.noselect;
  o.registration.offset_correction_s = c.offset_s;
  const auto saved
    = std::find_if(options_.saved.begin(), options_.saved.end(),
                   [&](const auto& s) { return s.address == server; });
  o.association
    = association_of(c, world.is_on_link(server.address),
                     saved == options_.saved.end() ? 8 : saved->burst_tokens);
  if (asked_.size() > remote_set::max_known)
    asked_.clear();
  if (!asked_.insert(server.address).second)
    o.association.iburst = false;
  o.association.online = world.has_route(server.address);
  o.registration.min_poll = o.association.min_poll;
  o.registration.max_poll = o.association.max_poll;
  o.start_delay
    = ntp::nanoseconds_of(random.uniform() * ntp::seconds_of(start_spread));
  return o;
}

} // namespace concert::actors
