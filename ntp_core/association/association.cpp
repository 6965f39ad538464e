#include "ntp_core/association/association.hpp"

#include "ntp_core/association/answer_check.hpp"
#include "ntp_core/packet/packet.hpp"

#include <algorithm>
#include <utility>

namespace concert::ntp {

namespace {

using namespace std::chrono_literals;

/// An answer is awaited for as long as this, or until the next poll.
constexpr auto reply_window = 5s;
/// Between the polls of a burst, and between any two polls that are early.
constexpr auto burst_spacing = 2s;
constexpr int burst_polls = 4;
/// The burst budget: so many early polls, and one more each `token_interval`.
constexpr double token_capacity = 8;
constexpr auto token_interval = 64s;
/// Part of the interval that is added at random, lest clients march in step.
constexpr double poll_jitter = 0.02;

/// An answer waits so long for its request's transmit stamp.
constexpr auto kernel_stamp_wait = 1ms;
constexpr auto hardware_stamp_wait = 10ms;
/// Noise between stamps of different kinds.
constexpr auto stamp_slack = 100us;
/// From stamping to handling, beyond the time that the monotonic clock shows,
/// and what its rate may differ from the oscillator's while slewing.
constexpr auto handling_slack = 1ms;
constexpr int clock_rate_slack = 500; // one part in

/// Misses after which another address is wanted: for one that never answered,
/// and otherwise, each time anew.
constexpr std::uint32_t misses_when_fresh = 3;
constexpr std::uint32_t misses_per_reset = 8;
/// Unanswered polls after which a server that refused us is believed.
constexpr std::uint32_t misses_when_denied = 3;
/// Good answers that bring the interval one step back after RATE.
constexpr int answers_per_relief = 8;

constexpr auto ntp_slack = ntp_duration::from_nanoseconds(stamp_slack);

/// Random bits that are neither zero, which means unknown, nor `other`.
ntp_timestamp random_stamp(random_source& random, ntp_timestamp other) {
  const auto bits = random.next();
  if (bits != 0 && bits != other.bits())
    return ntp_timestamp::from_bits(bits);
  return ntp_timestamp::from_bits(~other.bits() | 1);
}

} // namespace

association::association(const association_config& config,
                         random_source& random, mono_time now,
                         std::chrono::nanoseconds start_delay, aead_cipher* nts)
  : config_(config),
    random_(&random),
    online_(config.online),
    interleaving_(config.interleaved),
    next_reset_(misses_when_fresh),
    next_poll_(now + start_delay),
    desired_poll_(config.initial_poll),
    kiss_min_poll_(config.min_poll),
    tokens_(std::clamp(config.burst_tokens, 0.0, token_capacity)),
    tokens_time_(now) {
  if (nts != nullptr) {
    nts_.emplace(*nts, random);
    config_.version = 4;
  }
  view_.version = config_.version;
  // An earlier run may have asked a moment ago: even the first poll is early.
  next_is_early_ = take_token(now);
  if (config.iburst && next_is_early_)
    burst_left_ = burst_polls - 1;
}

// -- the request --------------------------------------------------------------

send_packet association::start_poll(mono_time now) {
  auto& e = exchange_.emplace();
  e.origin = random_stamp(*random_, {});
  e.started = now;
  e.poll = effective_poll();
  e.paid = std::exchange(next_is_early_, false);
  last_poll_ = now;
  schedule_next_poll(now);
  e.window_end
    = now + std::min<std::chrono::nanoseconds>(reply_window, next_poll_ - now);
  packet_header request;
  request.version = config_.version;
  request.mode = packet_mode::client;
  request.poll = e.poll;
  request.transmit = e.origin;
  request.origin = interleaving_.origin();
  if (!request.origin.is_unknown()) {
    e.receive = random_stamp(*random_, e.origin);
    request.receive = e.receive;
  }
  send_packet action;
  encode(request, std::span{action.bytes}.first<header_size>());
  if (nts_)
    action.size = nts_->complete_request(action.bytes);
  return action;
}

void association::on_sent(const local_stamp& t1, mono_time now) {
  if (!exchange_ || exchange_->sent_at)
    return;
  ++view_.requests;
  if (nts_)
    nts_->on_sent();
  exchange_->sent_at = now;
  exchange_->daemon_t1 = t1;
  exchange_->t1 = t1;
}

association_actions association::on_send_failed(mono_time now) {
  association_actions out;
  if (!exchange_)
    return out;
  if (exchange_->dropped)
    return on_deadline(now);
  // Nothing reached the server: the burst is kept for when it can be reached.
  if (exchange_->paid)
    return_token();
  if (next_is_early_) {
    return_token();
    ++burst_left_;
  }
  next_is_early_ = false;
  next_poll_ = exchange_->started + regular_interval();
  end_without_answer(out);
  return out;
}

association_actions association::on_transmit_stamp(const local_stamp& t1,
                                                   mono_time now) {
  association_actions out;
  if (!exchange_ || !exchange_->sent_at || exchange_->dropped)
    return out;
  auto& e = *exchange_;
  if (t1.kind >= e.t1.kind || !is_plausible(t1, now))
    return out;
  if (e.answer && t1.raw > e.answer->t4.raw + ntp_slack)
    return out;
  e.t1 = t1;
  if (e.answer)
    finish_measurement(out);
  return out;
}

// -- the answer ---------------------------------------------------------------

association_actions association::on_packet(std::span<const std::byte> bytes,
                                           const local_stamp& t4,
                                           mono_time now) {
  association_actions out;
  packet answer;
  auto exchange_verdict = judge_exchange(bytes, now, answer);
  if (exchange_verdict == packet_verdict::accepted && nts_)
    exchange_verdict = authenticate(answer, bytes, out);
  if (exchange_verdict != packet_verdict::accepted) {
    count(exchange_verdict, false);
    return out;
  }
  const auto& header = answer.header;
  const bool interleaved = exchange_->is_interleaved(header.origin);
  const auto result = measure(header, t4, now);
  const auto verdict
    = interleaved
        ? check_interleaved(header, interleaving_.completed(header.transmit))
        : check_answer(header, result);
  count(verdict, true);
  switch (verdict) {
    case packet_verdict::accepted:
      remember_server(header, now);
      exchange_->answer = result;
      exchange_->interleaved = interleaved;
      exchange_->stamp_deadline
        = now
          + (result.t4.kind == stamp_kind::hardware ? hardware_stamp_wait
                                                    : kernel_stamp_wait);
      if (exchange_->t1.kind != stamp_kind::daemon)
        finish_measurement(out);
      return out;
    case packet_verdict::kiss_rate:
      on_rate_kiss(now);
      out.push(association_event{association_event::kind::kiss_rate});
      break;
    case packet_verdict::kiss_deny:
      denied_ = true;
      end_early_polls();
      out.push(association_event{association_event::kind::kiss_deny});
      break;
    case packet_verdict::unsynchronized:
    case packet_verdict::distant:
    case packet_verdict::stale_reference:
      remember_server(header, now);
      break;
    default:
      break;
  }
  end_without_answer(out);
  return out;
}

/// Whether the packet is the answer to the outstanding request; `accepted` if
/// it is, with its parts in `answer`. An answer with a MAC to a request without
/// one is not understood, nor is a crypto-NAK (CVE-2015-7871).
packet_verdict association::judge_exchange(std::span<const std::byte> bytes,
                                           mono_time now,
                                           packet& answer) const {
  const auto parsed = parse_packet(bytes);
  if (!parsed || parsed->mac)
    return packet_verdict::malformed;
  answer = *parsed;
  const auto& header = answer.header;
  if (header.mode != packet_mode::server)
    return packet_verdict::wrong_mode;
  if (header.version != config_.version)
    return packet_verdict::wrong_version;
  const auto answers = [&](const poll_exchange& e) {
    return e.is_basic(header.origin) || e.is_interleaved(header.origin);
  };
  if (!exchange_ || !exchange_->sent_at || exchange_->dropped
      || exchange_->answer)
    return expired_ && answers(*expired_) ? packet_verdict::late
                                          : packet_verdict::unsolicited;
  if (!answers(*exchange_))
    return packet_verdict::bogus_origin;
  if (now >= exchange_->window_end)
    return packet_verdict::late;
  return packet_verdict::accepted;
}

measurement association::measure(const packet_header& header,
                                 const local_stamp& t4, mono_time now) const {
  measurement m;
  m.t1 = exchange_->t1;
  m.t2 = header.receive;
  m.t3 = header.transmit;
  m.t4 = checked_receive_stamp(t4, now);
  m.received_at = now;
  m.leap = header.leap;
  m.stratum = header.stratum;
  m.reference_id = header.reference_id;
  m.precision = header.precision;
  m.root_delay = header.root_delay.duration();
  m.root_dispersion = header.root_dispersion.duration();
  return m;
}

/// A stamp that lies outside of the exchange is replaced by what the monotonic
/// clock says of the moment of handling.
local_stamp association::checked_receive_stamp(const local_stamp& t4,
                                               mono_time now) const {
  if (is_plausible(t4, now))
    return t4;
  const auto& t1 = exchange_->daemon_t1;
  const auto elapsed
    = ntp_duration::from_nanoseconds(now - *exchange_->sent_at);
  return {t1.wall + elapsed, t1.raw + elapsed, stamp_kind::daemon};
}

/// Whether a stamp lies between the send and its handling, by the oscillator.
bool association::is_plausible(const local_stamp& stamp, mono_time now) const {
  const auto since_send = stamp.raw - exchange_->daemon_t1.raw;
  const auto elapsed = now - exchange_->started;
  const auto latest = elapsed + elapsed / clock_rate_slack + handling_slack;
  return since_send >= -ntp_slack
         && since_send <= ntp_duration::from_nanoseconds(latest);
}

void association::count(packet_verdict v, bool is_answer) {
  ++view_.packets[static_cast<std::size_t>(v)];
  if (is_answer || view_.reachability == 0)
    view_.last_verdict = v;
}

void association::remember_server(const packet_header& header, mono_time now) {
  view_.stratum = header.stratum;
  view_.reference_id = header.reference_id;
  view_.leap = header.leap;
  view_.root_delay = header.root_delay.duration();
  view_.root_dispersion = header.root_dispersion.duration();
  view_.last_answer = now;
}

void association::on_rate_kiss(mono_time now) {
  const int raised = std::max<int>(kiss_min_poll_, exchange_->poll + 1);
  kiss_min_poll_
    = static_cast<std::int8_t>(std::min<int>(raised, config_.max_poll));
  good_since_kiss_ = 0;
  tokens_ = 0;
  tokens_time_ = now;
  end_early_polls();
  next_poll_ = std::max(next_poll_, exchange_->started + regular_interval());
}

void association::end_early_polls() {
  burst_left_ = 0;
  if (std::exchange(next_is_early_, false))
    next_poll_ = std::max(next_poll_, *last_poll_ + regular_interval());
}

// -- the end of a poll --------------------------------------------------------

void association::finish_measurement(association_actions& out) {
  auto& e = *exchange_;
  auto& answer = *e.answer;
  answer.t1 = e.t1;
  view_.transmit_stamp = e.t1.kind;
  view_.receive_stamp = answer.t4.kind;
  if (!e.interleaved) {
    out.push(measured{answer});
  } else {
    ++view_.interleaved_answers;
    if (const auto last = interleaving_.news(answer.t3))
      out.push(measured{*last});
  }
  interleaving_.on_exchange(answer, !e.interleaved);
  misses_ = 0;
  next_reset_ = misses_per_reset;
  view_.unanswered_polls = 0;
  denied_ = false;
  if (kiss_min_poll_ > config_.min_poll
      && ++good_since_kiss_ == answers_per_relief) {
    --kiss_min_poll_;
    good_since_kiss_ = 0;
  }
  end_poll(true, out);
}

void association::end_without_answer(association_actions& out) {
  interleaving_.on_miss();
  ++misses_;
  view_.unanswered_polls
    = static_cast<std::uint8_t>(std::min<std::uint32_t>(misses_, 8));
  end_poll(false, out);
  if (denied_ && view_.reachability == 0 && misses_ >= misses_when_denied) {
    demobilized_ = true;
    out.push(demobilize{});
  } else if (misses_ == next_reset_) {
    next_reset_ += misses_per_reset;
    out.push(reset{});
  }
}

void association::end_poll(bool answered, association_actions& out) {
  const bool was_reachable = view_.reachability != 0;
  view_.reachability
    = static_cast<std::uint8_t>(view_.reachability << 1 | (answered ? 1 : 0));
  const bool reachable = view_.reachability != 0;
  if (reachable != was_reachable)
    out.push(association_event{reachable
                                 ? association_event::kind::reachable
                                 : association_event::kind::unreachable});
  out.push(state_changed{});
  out.push(exchange_over{});
  exchange_.reset();
}

void association::drop_exchange(mono_time now) {
  interleaving_.forget();
  if (!exchange_)
    return;
  exchange_->dropped = true;
  exchange_->answer.reset();
  exchange_->window_end = now;
}

void association::on_clock_stepped(mono_time now) {
  drop_exchange(now);
}

// -- deadlines ----------------------------------------------------------------

association_actions association::on_deadline(mono_time now) {
  association_actions out;
  if (exchange_) {
    auto& e = *exchange_;
    if (e.dropped) {
      exchange_.reset();
      out.push(exchange_over{});
    } else if (e.answer && e.stamp_deadline <= now) {
      finish_measurement(out);
    } else if (!e.answer && e.window_end <= now) {
      expired_ = e;
      end_without_answer(out);
      if (expired_->refused && nts_->on_refusal())
        want_keys(out);
    }
  }
  if (exchange_ || !online_ || demobilized_ || next_poll_ > now)
    return out;
  if (nts_ && !nts_->can_ask())
    want_keys(out);
  else
    out.push(start_poll(now));
  return out;
}

std::optional<mono_time> association::next_deadline() const {
  if (exchange_)
    return exchange_->answer ? exchange_->stamp_deadline
                             : exchange_->window_end;
  if (!online_ || demobilized_ || waits_for_keys())
    return std::nullopt;
  return next_poll_;
}

void association::schedule_next_poll(mono_time now) {
  if (burst_left_ > 0 && take_token(now)) {
    --burst_left_;
    next_is_early_ = true;
    next_poll_ = now + burst_spacing;
    return;
  }
  burst_left_ = 0;
  next_poll_ = now + regular_interval();
}

void association::set_desired_poll(std::int8_t poll, mono_time now) {
  const auto before = effective_poll();
  desired_poll_ = poll;
  if (effective_poll() >= before || !last_poll_ || next_is_early_)
    return;
  const auto due = std::max(now, *last_poll_ + regular_interval());
  next_poll_ = std::min(next_poll_, due);
}

void association::request_poll(mono_time now, std::chrono::nanoseconds spread) {
  if (!online_ || denied_ || next_is_early_)
    return;
  auto at = now + nanoseconds_of(seconds_of(spread) * random_->uniform());
  if (last_poll_)
    at = std::max(at, *last_poll_ + burst_spacing);
  if (at >= next_poll_ || !take_token(now))
    return;
  next_poll_ = at;
  next_is_early_ = true;
  // One answer alone would not be believed.
  burst_left_ = burst_polls - 1;
}

void association::set_online(bool online, mono_time now) {
  if (online == online_)
    return;
  online_ = online;
  if (online)
    next_poll_ = std::max(next_poll_, now);
  else
    drop_exchange(now);
}

int association::request_burst(mono_time now) {
  if (!online_ || denied_ || demobilized_ || next_is_early_ || waits_for_keys())
    return 0;
  const int polls = std::min(burst_polls, static_cast<int>(tokens_at(now)));
  if (polls == 0)
    return 0;
  const auto at = last_poll_ ? std::max(now, *last_poll_ + burst_spacing) : now;
  burst_left_ = polls;
  // A regular poll that comes first costs nothing, and the burst follows it.
  if (at < next_poll_ && take_token(now)) {
    next_poll_ = at;
    next_is_early_ = true;
    --burst_left_;
  }
  return polls;
}

void association::on_config(const association_config& config, mono_time now) {
  if (config.interleaved != config_.interleaved) {
    // A request under way may ask for what is forgotten here.
    drop_exchange(now);
    interleaving_ = interleaving{config.interleaved};
  }
  config_.interleaved = config.interleaved;
  set_limits(config.min_poll, config.max_poll, now);
  set_online(config.online, now);
}

void association::set_limits(std::int8_t min_poll, std::int8_t max_poll,
                             mono_time now) {
  const auto before = effective_poll();
  const bool kissed = kiss_min_poll_ > config_.min_poll;
  config_.min_poll = min_poll;
  config_.max_poll = max_poll;
  kiss_min_poll_
    = kissed ? std::clamp(kiss_min_poll_, min_poll, max_poll) : min_poll;
  if (effective_poll() != before && last_poll_ && !next_is_early_)
    next_poll_ = std::max(now, *last_poll_ + regular_interval());
}

std::int8_t association::effective_poll() const {
  return std::clamp(desired_poll_, kiss_min_poll_, config_.max_poll);
}

std::chrono::nanoseconds association::regular_interval() {
  const auto interval
    = std::chrono::seconds{std::int64_t{1} << effective_poll()};
  const double jitter = poll_jitter * random_->uniform();
  return interval + nanoseconds_of(seconds_of(interval) * jitter);
}

// -- NTS ----------------------------------------------------------------------

void association::give_credentials(nts_credentials credentials, mono_time now) {
  if (!nts_)
    return;
  nts_->give(std::move(credentials));
  keys_wanted_ = false;
  next_poll_ = std::max(next_poll_, now);
}

const nts_credentials* association::credentials() const {
  return nts_ && nts_->credentials() ? &*nts_->credentials() : nullptr;
}

/// Judges what quotes the request's stamp; `accepted` if the server made it.
packet_verdict association::authenticate(const packet& answer,
                                         std::span<const std::byte> bytes,
                                         association_actions& out) {
  switch (nts_->judge(answer, bytes)) {
    case nts_client::judgement::authentic:
      out.push(nts_cookies_changed{});
      return packet_verdict::accepted;
    case nts_client::judgement::refused:
      exchange_->refused = true;
      return packet_verdict::kiss_nts;
    case nts_client::judgement::forged:
      break;
  }
  return packet_verdict::unauthenticated;
}

void association::want_keys(association_actions& out) {
  if (!std::exchange(keys_wanted_, true))
    out.push(nts_keys_needed{});
}

bool association::waits_for_keys() const {
  return keys_wanted_ && !nts_->can_ask();
}

// -- the burst budget ---------------------------------------------------------

double association::tokens_at(mono_time now) const {
  const double gained
    = seconds_of(now - tokens_time_) / seconds_of(token_interval);
  return std::min(token_capacity, tokens_ + std::max(0.0, gained));
}

bool association::take_token(mono_time now) {
  tokens_ = tokens_at(now);
  tokens_time_ = now;
  if (tokens_ < 1)
    return false;
  tokens_ -= 1;
  return true;
}

void association::return_token() {
  tokens_ = std::min(token_capacity, tokens_ + 1);
}

association_snapshot association::snapshot(mono_time now) const {
  auto s = view_;
  s.poll = effective_poll();
  s.burst_tokens = tokens_at(now);
  if (nts_) {
    auto& view = s.nts.emplace();
    view.keys_wanted = keys_wanted_;
    if (const auto* held = credentials()) {
      view.aead = held->keys.aead;
      view.cookies = static_cast<std::uint8_t>(held->cookies.size());
    }
  }
  return s;
}

} // namespace concert::ntp
