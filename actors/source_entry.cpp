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
                                       const ntp::ip_address& server,
                                       const runtime& world) {
  const bool on_link = world.is_on_link(server);
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
  a.online = !c.offline && world.has_route(server);
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

bool source_entry::may_look_up() const {
  return !config().offline
         || (!config::has_nts(config().mode)
             && ntp::ip_address::parse(config().address.host));
}

ntp::source_registration
source_entry::registration_of(ntp::source_id id, const ntp::endpoint& server,
                              const runtime& world) const {
  const auto& c = config();
  const auto polls = association_of(c, server.address, world);
  ntp::source_registration r;
  r.id = id;
  r.name = name();
  r.address = server;
  r.reference_id = ntp::reference_id_of(server.address, &platform::md5);
  r.prefer = c.prefer;
  r.noselect = c.noselect;
  r.offline = c.offline;
  r.offset_correction_s = c.offset_s;
  r.min_poll = polls.min_poll;
  r.max_poll = polls.max_poll;
  return r;
}

source_reconfigured source_entry::reconfigured(ntp::source_id id,
                                               const ntp::endpoint& server,
                                               const runtime& world) const {
  return {registration_of(id, server, world),
          association_of(config(), server.address, world)};
}

source_options source_entry::options_for(const ntp::endpoint& server,
                                         runtime& world,
                                         ntp::random_source& random) {
  source_options o;
  o.registration = registration_of({world.next_id()}, server, world);
  o.association = association_of(config(), server.address, world);
  const auto saved
    = std::find_if(options_.saved.begin(), options_.saved.end(),
                   [&](const auto& s) { return s.address == server; });
  if (saved != options_.saved.end())
    o.association.burst_tokens = saved->burst_tokens;
  if (asked_.size() > remote_set::max_known)
    asked_.clear();
  if (!asked_.insert(server.address).second)
    o.association.iburst = false;
  o.start_delay
    = ntp::nanoseconds_of(random.uniform() * ntp::seconds_of(start_spread));
  return o;
}

} // namespace concert::actors
