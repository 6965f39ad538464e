#include "ntp_core/responder/responder.hpp"

#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/packet.hpp"

#include <algorithm>
#include <utility>

namespace concert::ntp {

namespace {

constexpr std::size_t receive_offset = 32;
constexpr std::size_t transmit_offset = 40;

/// A server that is not synchronised says so with this (RFC 5905 §7.3).
constexpr std::uint8_t unsynchronized_stratum = 16;

/// Zero would mean "unknown".
ntp_timestamp known(ntp_timestamp t) {
  return t.is_unknown() ? ntp_timestamp::from_bits(1) : t;
}

/// Whether only keys could tell if the request deserves an answer.
bool needs_keys(const packet& p) {
  return p.mac || p.extensions.contain(extension_type::nts_cookie)
         || p.extensions.contain(extension_type::nts_authenticator);
}

} // namespace

responder::responder(std::shared_ptr<const responder_config> config,
                     std::uint64_t hash_key)
  : config_(std::move(config)),
    hash_key_(hash_key),
    limiter_(config_->rate, hash_key) {
  // nop
}

void responder::on_config(std::shared_ptr<const responder_config> config) {
  if (config->rate != config_->rate)
    limiter_ = rate_limiter{config->rate, hash_key_};
  config_ = std::move(config);
}

void responder::on_time(const served_time& time) {
  time_ = time;
}

reply responder::respond(std::span<const std::byte> request,
                         const endpoint& client, ntp_timestamp received,
                         mono_time now, std::span<std::byte> out) {
  auto v = judge(request, client, now);
  if (v.what != response::ignored && received.is_unknown())
    v = {response::ignored, reason::no_stamp};
  ++counters_.at(v.what, v.why);
  if (v.what == response::ignored)
    return {v.what, v.why, 0};
  encode(build(*parse_header(request), v.what, received),
         out.first<header_size>());
  return {v.what, v.why, header_size};
}

/// What can be said without a reply comes before all that can make one: first
/// the packets that are no requests at all, then silence for access and rate,
/// then the contents.
responder::verdict responder::judge(std::span<const std::byte> request,
                                    const endpoint& client, mono_time now) {
  const auto header = parse_header(request);
  if (!header)
    return {response::ignored, reason::malformed};
  const auto& own = config_->own_endpoints;
  if (std::find(own.begin(), own.end(), client) != own.end())
    return {response::ignored, reason::own_port};
  if (header->mode == packet_mode::symmetric_active)
    return {response::ignored, reason::symmetric_active};
  if (header->mode != packet_mode::client)
    return {response::ignored, reason::mode};
  ++counters_.versions[header->version];
  const auto v = check_access(client.address);
  if (v.what == response::ignored)
    return v;
  if (!limiter_.allow(client.address, now))
    return {response::ignored,
            v.why == reason::access ? reason::access : reason::rate};
  if ((config_->versions >> header->version & 1) == 0)
    return {response::ignored, reason::version};
  const auto parsed = parse_packet(request);
  if (!parsed || needs_keys(*parsed))
    return {response::ignored, reason::malformed};
  if (v.why == reason::ok && config_->require_nts)
    return {*config_->require_nts == refusal::deny ? response::kiss_deny
                                                   : response::ignored,
            reason::nts_required};
  return v;
}

responder::verdict responder::check_access(const ip_address& client) const {
  const auto refuse = [](refusal r) {
    return verdict{r == refusal::deny ? response::kiss_deny : response::ignored,
                   reason::access};
  };
  if (config_->deny.contains(client))
    return refuse(config_->deny_action);
  if (!config_->allow.contains(client))
    return refuse(config_->allow_action);
  return {response::answered, reason::ok};
}

packet_header responder::build(const packet_header& request, response what,
                               ntp_timestamp received) const {
  packet_header h;
  h.leap = leap_indicator::unsynchronized;
  h.version = request.version;
  h.mode = packet_mode::server;
  h.poll = request.poll;
  h.precision = time_.precision;
  h.origin = request.transmit;
  h.receive = known(time_.disciplined(received));
  if (what == response::kiss_deny) {
    h.reference_id = code_of("DENY");
    return h;
  }
  const bool synchronized
    = time_.valid && time_.stratum < unsynchronized_stratum;
  if (synchronized)
    h.leap = time_.leap;
  h.stratum = synchronized ? time_.stratum : unsynchronized_stratum;
  h.root_delay = short_format::not_below(time_.root_delay);
  h.root_dispersion = short_format::not_below(
    ntp_duration::from_seconds(time_.root_dispersion_s(received)));
  h.reference_id = time_.reference_id;
  // A request that waited while the clock was updated was received before.
  h.reference_time = h.receive - time_.reference_time < ntp_duration{}
                       ? h.receive
                       : time_.reference_time;
  return h;
}

void responder::stamp(std::span<std::byte> reply,
                      ntp_timestamp transmit) const {
  const auto receive = ntp_timestamp::from_bits(
    read_big_endian<std::uint64_t>(reply, receive_offset));
  auto t = known(time_.disciplined(transmit));
  if (t - receive < ntp_duration{})
    t = receive;
  write_big_endian(reply, transmit_offset, t.bits());
}

void responder::on_send_failed(const reply& r) {
  --counters_.at(r.what, r.why);
  ++counters_.at(response::ignored, reason::send_error);
}

void responder::on_queue_overflow(std::uint64_t packets) {
  counters_.queue_overflows += packets;
}

} // namespace concert::ntp
