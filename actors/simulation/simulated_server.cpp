#include "actors/simulation/simulated_server.hpp"

#include "actors/simulation/simulated_clock.hpp"
#include "platform/aead.hpp"

#include <utility>

namespace concert::actors {

namespace {

std::shared_ptr<const ntp::responder_config> open_to_all() {
  auto config = std::make_shared<ntp::responder_config>();
  config->clients = 64;
  return config;
}

} // namespace

time_server::time_server() : responder_(open_to_all(), 1) {
}

void time_server::set_nts_keys(std::shared_ptr<const ntp::cookie_keys> keys) {
  if (!cipher_) {
    cipher_ = platform::aead::make().value();
    responder_ = ntp::responder{open_to_all(), 1, cipher_.get(), &nonces_};
  }
  responder_.on_keys(std::move(keys));
}

ntp::ntp_timestamp time_server::clock(true_time now) const {
  return ntp::ntp_timestamp::from_unix(simulated_clock::epoch + now)
         + ntp::ntp_duration::from_seconds(error_s
                                           + frequency * ntp::seconds_of(now));
}

ntp::served_time time_server::served(true_time now) const {
  ntp::served_time s;
  s.valid = true;
  s.leap = synchronized ? leap : ntp::leap_indicator::unsynchronized;
  s.stratum = synchronized ? stratum : 16;
  s.reference_id = reference_id;
  s.precision = -25;
  s.reference_time = clock(now) - ntp::ntp_duration::from_seconds(1);
  s.root_delay = ntp::ntp_duration::from_seconds(root_delay_s);
  s.wall_base = clock(now);
  s.variance_base = root_dispersion_s * root_dispersion_s;
  return s;
}

std::optional<std::vector<std::byte>>
time_server::answer(std::span<const std::byte> request,
                    const ntp::endpoint& client, true_time now) {
  ++asked_;
  last_asked_ = now;
  if (silent)
    return {};
  responder_.on_time(served(now));
  std::vector<std::byte> out(request.size());
  auto made
    = responder_.respond(request, client, clock(now), ntp::mono_time{now}, out);
  if (made.size == 0)
    return {};
  out.resize(made.size);
  responder_.stamp(made, out, clock(now));
  responder_.on_sent(made);
  if (kiss != 0 || bogus_origin)
    spoil(out);
  return out;
}

void time_server::spoil(std::span<std::byte> reply) const {
  auto header = ntp::parse_header(reply).value();
  if (kiss != 0) {
    header.stratum = 0;
    header.reference_id = kiss;
    header.leap = ntp::leap_indicator::unsynchronized;
  }
  if (bogus_origin)
    header.origin = header.origin + ntp::ntp_duration::from_units(1);
  ntp::encode(header, reply.first<ntp::header_size>());
}

} // namespace concert::actors
