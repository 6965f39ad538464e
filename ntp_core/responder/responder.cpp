#include "ntp_core/responder/responder.hpp"

#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/packet.hpp"

#include <algorithm>
#include <utility>

namespace concert::ntp {

namespace {

constexpr std::size_t transmit_offset = 40;

/// A server that is not synchronised says so with this (RFC 5905 §7.3).
constexpr std::uint8_t unsynchronized_stratum = 16;

/// The lowest bit of a stamp tells what it is (see `client_table`): one for
/// receive stamps, which are never zero then, as that means "unknown".
ntp_timestamp as_receive(ntp_timestamp t) {
  return ntp_timestamp::from_bits(t.bits() | 1);
}

/// Zero for transmit stamps; never unknown, and never before `receive`.
ntp_timestamp as_transmit(ntp_timestamp t, ntp_timestamp receive) {
  auto even = ntp_timestamp::from_bits(t.bits() & ~std::uint64_t{1});
  if (even - receive < ntp_duration{})
    even = receive + ntp_duration::from_units(1);
  return even.is_unknown() ? ntp_timestamp::from_bits(2) : even;
}

/// What a request's sender expects (RFC 5905 §9.2, figure 20).
packet_mode answer_mode(packet_mode request) {
  return request == packet_mode::symmetric_active
           ? packet_mode::symmetric_passive
           : packet_mode::server;
}

/// The code of a kiss.
std::uint32_t kiss_code(response r) {
  switch (r) {
    case response::kiss_rate:
      return code_of("RATE");
    case response::kiss_nts:
      return code_of("NTSN");
    default:
      return code_of("DENY");
  }
}

} // namespace

responder::responder(std::shared_ptr<const responder_config> config,
                     std::uint64_t hash_key, aead_cipher* cipher,
                     random_source* random)
  : config_(std::move(config)),
    hash_key_(hash_key),
    nts_(cipher, random),
    limiter_(config_->rate, hash_key),
    clients_(config_->clients, hash_key) {
  // nop
}

void responder::on_config(std::shared_ptr<const responder_config> config) {
  if (config->rate != config_->rate)
    limiter_ = rate_limiter{config->rate, hash_key_};
  if (config->clients != config_->clients)
    clients_ = client_table{config->clients, hash_key_};
  config_ = std::move(config);
}

void responder::on_time(const served_time& time) {
  // Either moves the served time at once, and with it the transmit stamps that
  // the kernel still owes.
  if (time.step_count != time_.step_count || time.valid != time_.valid)
    clients_.forget_stamps();
  time_ = time;
}

void responder::on_keys(std::shared_ptr<const cookie_keys> keys) {
  nts_.on_keys(std::move(keys));
}

reply responder::respond(std::span<const std::byte> request,
                         const endpoint& client, ntp_timestamp received,
                         mono_time now, std::span<std::byte> out) {
  const auto header = parse_header(request);
  nts_.begin();
  auto v = header ? judge(request, *header, client, now, out)
                  : verdict{response::ignored, reason::malformed};
  if (v.what != response::ignored && received.is_unknown())
    v = {response::ignored, reason::no_stamp};
  reply r;
  r.what = v.what;
  r.why = v.why;
  if (v.what != response::ignored) {
    r.size = header_size;
    auto answer = build(*header, v.what, received);
    if ((v.why == reason::ok || v.why == reason::nts) && !clients_.empty())
      remember(*header, client.address, now, answer, r);
    r.receive = answer.receive;
    encode(answer, out.first<header_size>());
    if (nts_.has_request())
      add_nts(request.size(), out, r);
  } else if (v.why == reason::rate) {
    clients_.count(client.address, now);
  }
  ++counters_.at(r.what, r.why);
  return r;
}

/// What can be said without a reply comes before all that can make one: first
/// the packets that are no requests at all, then silence for access and rate,
/// then the contents.
responder::verdict responder::judge(std::span<const std::byte> request,
                                    const packet_header& header,
                                    const endpoint& client, mono_time now,
                                    std::span<std::byte> scratch) {
  if (is_own(client))
    return {response::ignored, reason::own_port};
  if (const auto why = refuse_mode(header.mode))
    return {response::ignored, *why};
  ++counters_.versions[header.version];
  auto v = check_access(client.address);
  if (v.what == response::ignored)
    return v;
  const auto rate = limiter_.judge(client.address, now);
  if (rate != rate_limiter::decision::pass && v.why == reason::access)
    return {response::ignored, reason::access};
  if (rate == rate_limiter::decision::drop)
    return {response::ignored, reason::rate};
  if ((config_->versions >> header.version & 1) == 0)
    return {response::ignored, reason::version};
  const auto parsed = parse_packet(request, header);
  if (!parsed || parsed->mac)
    return {response::ignored, reason::malformed};
  const auto with = nts_server::concerns(*parsed)
                      ? nts_.judge(*parsed, request, scratch)
                      : reason::ok;
  if (with == reason::malformed)
    return {response::ignored, reason::malformed};
  if (v.why == reason::access)
    return v;
  if (rate == rate_limiter::decision::kiss)
    return {response::kiss_rate, reason::rate};
  if (with == reason::nts)
    return {response::answered, with};
  if (with != reason::ok)
    return {nts_.may_refuse(now) ? response::kiss_nts : response::ignored,
            with};
  if (config_->require_nts)
    return {*config_->require_nts == refusal::deny ? response::kiss_deny
                                                   : response::ignored,
            reason::nts_required};
  if (header.mode == packet_mode::symmetric_active)
    v.why = reason::symmetric_active;
  return v;
}

bool responder::is_own(const endpoint& client) const {
  const auto& own = config_->own_endpoints;
  // Almost every client is told apart by its port alone.
  return std::any_of(own.begin(), own.end(), [&](const endpoint& e) {
    return e.port == client.port && e.address == client.address;
  });
}

/// Why packets in `mode` get silence, if they do.
std::optional<reason> responder::refuse_mode(packet_mode mode) const {
  if (mode == packet_mode::client)
    return std::nullopt;
  if (mode != packet_mode::symmetric_active)
    return reason::mode;
  if (config_->answer_symmetric_active)
    return std::nullopt;
  return reason::symmetric_active;
}

responder::verdict responder::check_access(const ip_address& client) const {
  const auto refuse = [](refusal r) {
    return verdict{r == refusal::deny ? response::kiss_deny : response::ignored,
                   reason::access};
  };
  switch (config_->access.judge(client)) {
    case access_verdict::denied:
      return refuse(config_->deny_action);
    case access_verdict::not_allowed:
      return refuse(config_->allow_action);
    case access_verdict::allowed:
      break;
  }
  return {response::answered, reason::ok};
}

packet_header responder::build(const packet_header& request, response what,
                               ntp_timestamp received) const {
  packet_header h;
  h.leap = leap_indicator::unsynchronized;
  h.version = request.version;
  h.mode = answer_mode(request.mode);
  h.poll = request.poll;
  h.precision = time_.precision;
  h.origin = request.transmit;
  h.receive = as_receive(time_.disciplined(received));
  if (what != response::answered) {
    h.reference_id = kiss_code(what);
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

/// Gives the answer its place in the client's slot, and makes it interleaved if
/// the request asks for that (RFC 9769 §2).
void responder::remember(const packet_header& request, const ip_address& client,
                         mono_time now, packet_header& answer, reply& r) {
  const auto turn = clients_.on_request(client, request, answer.receive,
                                        config_->interleaved, now);
  answer.receive = turn.slot.receive;
  r.slot = turn.slot;
  r.wants_transmit_stamp = turn.wants_transmit_stamp;
  if (!turn.earlier_transmit)
    return;
  answer.origin = request.receive;
  answer.transmit = *turn.earlier_transmit;
  r.interleaved = true;
  r.why = r.why == reason::nts ? reason::nts_interleaved : reason::interleaved;
}

/// Adds to a reply what its client needs beside the header.
void responder::add_nts(std::size_t limit, std::span<std::byte> out, reply& r) {
  r.size = nts_.complete_reply(limit, out, r.size);
  r.nts = nts_.is_authentic();
  if (!r.nts)
    return;
  // The time in an interleaved reply is that of the one before.
  if (r.interleaved)
    nts_.seal(nts_.last_ticket(), out.first(r.size));
  else
    r.seal_ticket = nts_.last_ticket();
}

void responder::stamp(reply& r, std::span<std::byte> bytes,
                      ntp_timestamp transmit) const {
  r.transmit = as_transmit(time_.disciplined(transmit), r.receive);
  if (!r.interleaved)
    write_big_endian(bytes, transmit_offset, r.transmit.bits());
  if (r.seal_ticket != 0)
    nts_.seal(std::exchange(r.seal_ticket, 0), bytes);
}

void responder::on_sent(const reply& r) {
  if (r.slot)
    clients_.on_send(*r.slot, r.transmit);
  counters_.latency.add(r.transmit - r.receive);
}

void responder::on_transmit_stamp(const client_slot& slot,
                                  ntp_timestamp transmit) {
  const auto t = time_.disciplined(transmit);
  if (!transmit.is_unknown() && t - slot.receive >= ntp_duration{})
    clients_.on_transmit_stamp(slot, as_transmit(t, slot.receive));
}

void responder::on_send_failed(const reply& r) {
  --counters_.at(r.what, r.why);
  ++counters_.at(response::ignored, reason::send_error);
  if (r.slot)
    clients_.forget(*r.slot);
}

void responder::on_queue_overflow(std::uint64_t packets) {
  counters_.queue_overflows += packets;
}

std::vector<client_count> responder::top_clients(std::size_t most) const {
  return clients_.top(most);
}

} // namespace concert::ntp
