#include "tools/ntp_load/meter.hpp"

#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/header.hpp"
#include "platform/system_random.hpp"

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>

namespace concert::load {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto lateness = 1ms;
/// Shorter gaps are waited for awake: a sleep takes longer.
constexpr auto shortest_sleep = 60us;
constexpr auto longest_sleep = 100ms;
constexpr auto progress_interval = 500ms;
constexpr auto expiry_interval = 1ms;
constexpr std::size_t smallest_table = 1 << 12;
constexpr std::size_t largest_table = 1 << 20;
constexpr std::size_t stamp_ring = 1 << 12;
constexpr double stamps_per_second = 5000;
constexpr std::uint32_t closed_loop_sample = 64;

nanoseconds read(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds{t.tv_sec} + nanoseconds{t.tv_nsec};
}

nanoseconds now() {
  return read(CLOCK_MONOTONIC);
}

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_THREAD, &u);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec)
           + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

std::uint32_t sample_of(const options& o, const load_plan& plan) {
  if (o.sample)
    return *o.sample;
  return plan.rate ? static_cast<std::uint32_t>(
           std::max(1.0, std::round(*plan.rate / stamps_per_second)))
                   : closed_loop_sample;
}

std::size_t table_size(const options& o, const load_plan& plan) {
  const double wanted
    = plan.rate ? *plan.rate * o.timeout_s : 4.0 * plan.window;
  return std::clamp(static_cast<std::size_t>(wanted), smallest_table,
                    largest_table);
}

} // namespace

// -- the result ---------------------------------------------------------------

double meter_result::loss() const {
  const auto asked = sent + refused;
  return asked == 0
           ? 1
           : 1 - static_cast<double>(answered) / static_cast<double>(asked);
}

std::vector<std::string> meter_result::generator_limits() const {
  constexpr double kept_schedule = 0.99;
  constexpr double saturated = 0.97;
  constexpr double worth_saying = 0.001;
  std::vector<std::string> limits;
  if (wanted_rate && sent_rate() < kept_schedule * *wanted_rate)
    limits.emplace_back("could not keep the schedule");
  if (busy > saturated)
    limits.emplace_back("its CPU was saturated");
  if (static_cast<double>(dropped) > worth_saying * static_cast<double>(sent))
    limits.emplace_back("its own socket dropped answers");
  if (static_cast<double>(refused) > worth_saying * static_cast<double>(sent))
    limits.emplace_back("its kernel refused requests");
  return limits;
}

// -- one run ------------------------------------------------------------------

struct meter::run_state {
  run_state(const options& o, const load_plan& p)
    : plan(p),
      table(table_size(o, p)),
      sample(sample_of(o, p)),
      start(load::now()),
      counted(start + ntp::nanoseconds_of(o.warm_up_s)),
      end(counted + ntp::nanoseconds_of(p.duration_s)),
      now(start),
      told(start) {
    if (p.rate)
      times.emplace(*p.rate, o.poisson, start);
    result.wanted_rate = p.rate;
  }

  load_plan plan;
  exchange_table table;
  std::uint32_t sample;
  nanoseconds start;
  nanoseconds counted; ///< the warm-up ends
  nanoseconds end;
  nanoseconds now;
  nanoseconds told;
  nanoseconds expired{};
  std::optional<schedule> times;
  meter_result result;
  std::array<exchange*, message_batch::size> batch{};
  std::uint64_t taken = 0; ///< requests that something answered

  /// The transmit fields of the stamped requests, by their number.
  std::array<std::uint64_t, stamp_ring> stamped{};
  std::uint32_t next_stamp = 0;
  std::uint32_t seen_stamp = 0; ///< one beyond the last that came
  nanoseconds idle{};
  double cpu_before = cpu_seconds();
  bool warm = false;

  bool counts() const { return now >= counted; }
};

platform::result<meter> meter::open(const options& o,
                                    const volatile std::sig_atomic_t& stop,
                                    std::optional<nts_requests> nts) {
  auto fd = open_sender(
    {.target = o.target, .choose_source = o.client_prefix().has_value()});
  if (!fd)
    return tl::unexpected{fd.error()};
  return meter{o, std::move(*fd), stop, std::move(nts)};
}

meter::meter(const options& o, platform::unique_fd fd,
             const volatile std::sig_atomic_t& stop,
             std::optional<nts_requests> nts)
  : options_(o),
    stop_(stop),
    fd_(std::move(fd)),
    nts_(std::move(nts)),
    size_(nts_ ? nts_->size() : o.size),
    out_(std::make_unique<message_batch>(o.target, size_,
                                         o.client_prefix().has_value())),
    in_(std::make_unique<arrival_batch>(o.target)),
    stamps_(std::make_unique<stamp_batch>()),
    clients_(o.clients),
    random_(platform::system_random{}.next()) {
  if (const auto prefix = o.client_prefix())
    addresses_.emplace(*prefix);
  for (std::size_t i = 0; i < message_batch::size; ++i)
    write_request(nts_ ? out_->bytes(i).first(ntp::header_size)
                       : out_->bytes(i),
                  o.version);
}

meter_result meter::run(const load_plan& plan, const listener& told) {
  const auto state = std::make_unique<run_state>(options_, plan);
  auto& r = *state;
  restart_stamps(fd_.get());
  for (r.now = now(); r.now < r.end && stop_ == 0; r.now = now()) {
    if (!r.warm && r.counts()) {
      r.warm = true;
      r.idle = 0ns;
      r.cpu_before = cpu_seconds();
      dropped_before_ = in_->dropped();
    }
    turn(r);
    if (r.now - r.told >= progress_interval) {
      r.told = r.now;
      r.result.duration_s = ntp::seconds_of(r.now - r.start);
      told(r.result.duration_s, r.result);
    }
  }
  finish(r);
  return std::move(r.result);
}

void meter::turn(run_state& r) {
  const auto count = allowed(r);
  if (count > 0)
    send(r, count);
  const bool got = receive(r);
  if (count == 0 && !got)
    idle(r);
  if (r.now - r.expired >= expiry_interval) {
    r.expired = r.now;
    r.table.expire(r.now - ntp::nanoseconds_of(options_.timeout_s));
  }
}

/// Counts, and waits for what is still on its way.
void meter::finish(run_state& r) {
  auto& result = r.result;
  const auto spent = std::max<nanoseconds>(r.now - r.counted, 0ns);
  result.duration_s = ntp::seconds_of(spent);
  if (result.duration_s > 0)
    result.busy = 1 - ntp::seconds_of(r.idle) / result.duration_s;
  result.cpu_s = cpu_seconds() - r.cpu_before;
  const auto limit = r.now + ntp::nanoseconds_of(options_.timeout_s);
  for (; r.table.waiting() > 0 && r.now < limit && stop_ == 0; r.now = now())
    if (!receive(r)) {
      pollfd readable{fd_.get(), POLLIN, 0};
      poll(&readable, 1, 1);
    }
  result.dropped = in_->dropped() - dropped_before_;
  result.lost = result.sent - std::min(r.taken, result.sent);
}

std::size_t meter::allowed(const run_state& r) const {
  constexpr auto most = message_batch::size;
  if (!r.times) {
    const auto busy = r.table.waiting();
    return busy < r.plan.window
             ? std::min<std::size_t>(r.plan.window - busy, most)
             : 0;
  }
  if (r.times->next() > r.now)
    return 0;
  auto ahead = *r.times;
  std::size_t n = 0;
  for (; n < most && ahead.next() <= r.now; ++n)
    ahead.advance();
  return n;
}

// -- out ----------------------------------------------------------------------

void meter::compose(run_state& r, std::size_t i) {
  const auto client = static_cast<std::uint32_t>(next_client_);
  next_client_ = next_client_ + 1 == clients_.size() ? 0 : next_client_ + 1;
  const auto& known = clients_[client];
  const bool cites = options_.interleaved && known.cited != 0;
  auto& e = r.table.open(random_.next(), cites ? random_.next() | 1 : 0, r.now);
  e.client = client;
  e.counted = r.counts();
  e.cited = cites ? known.received : 0ns;
  r.batch[i] = &e;
  write_fields(out_->bytes(i), e, cites ? known.cited : 0);
  if (nts_)
    nts_->complete(out_->bytes(i), e.transmit);
  if (addresses_)
    out_->set_source(i, addresses_->at(client));
}

void meter::send(run_state& r, std::size_t count) {
  auto stamp = r.next_stamp;
  std::size_t last_stamped = 0;
  for (std::size_t i = 0; i < count; ++i) {
    compose(r, i);
    const bool stamped = random_.next() % r.sample == 0;
    out_->set_stamped(i, stamped);
    if (stamped) {
      r.stamped[stamp++ % stamp_ring] = r.batch[i]->transmit;
      last_stamped = i + 1;
    }
    if (r.times) {
      if (r.now - r.times->next() > lateness && r.counts())
        ++r.result.late;
      r.times->advance();
    }
  }
  const auto wall = read(CLOCK_REALTIME);
  for (std::size_t i = 0; i < count; ++i)
    r.batch[i]->sent_wall = wall;
  const auto sent = out_->send(fd_.get(), count);
  r.next_stamp = stamp;
  for (auto left = count; left > sent; --left)
    r.table.withdraw();
  if (last_stamped > sent) {
    restart_stamps(fd_.get());
    r.next_stamp = r.seen_stamp = 0;
  }
  if (r.counts()) {
    r.result.sent += sent;
    r.result.refused += count - sent;
  }
}

// -- in -----------------------------------------------------------------------

bool meter::receive(run_state& r) {
  const auto got = in_->receive(fd_.get());
  // A request's stamp is taken before its answer, and so found before it.
  if (r.next_stamp != r.seen_stamp)
    take_stamps(r);
  for (const auto& a : got)
    take(r, a);
  return !got.empty();
}

void meter::take_stamps(run_state& r) {
  while (true) {
    const auto got = stamps_->receive(fd_.get());
    for (const auto& s : got) {
      // Numbers of before a restart are out of range.
      if (s.number - r.seen_stamp >= r.next_stamp - r.seen_stamp)
        continue;
      r.seen_stamp = s.number + 1;
      if (auto* e = r.table.find(r.stamped[s.number % stamp_ring]))
        e->stamp = s.realtime;
    }
    if (got.empty())
      return;
  }
}

void meter::take(run_state& r, const arrival_batch::arrival& a) {
  answer_fields fields;
  exchange_table::match found;
  const auto v = identify(r, a, fields, found);
  const auto* e = found.request;
  if (e != nullptr ? !e->counted : !r.counts())
    return;
  ++r.result.verdicts[static_cast<std::size_t>(v)];
  const bool interleaved = found.kind == exchange_table::outcome::interleaved;
  if (v == verdict::good) {
    ++r.result.answered;
    r.result.interleaved += interleaved ? 1 : 0;
  }
  if ((v == verdict::good || v == verdict::outside) && a.stamp.count() != 0)
    keep_errors(r, fields, *e, interleaved, a.stamp);
}

/// Finds the request and judges the answer; the client remembers a good one.
verdict meter::identify(run_state& r, const arrival_batch::arrival& a,
                        answer_fields& fields, exchange_table::match& found) {
  using outcome = exchange_table::outcome;
  if (!a.from_target)
    return verdict::stranger;
  if (a.bytes.size() < ntp::header_size)
    return verdict::too_short;
  fields = read_answer(a.bytes);
  found = r.table.take(fields.origin);
  if (found.kind == outcome::unknown)
    return verdict::unexpected;
  if (found.kind == outcome::duplicate)
    return verdict::duplicate;
  if (found.kind == outcome::late)
    return verdict::late;
  const auto& e = *found.request;
  r.taken += e.counted ? 1 : 0;
  if (a.truncated || a.bytes.size() > size_)
    return verdict::too_long;
  const bool interleaved = found.kind == outcome::interleaved;
  auto v
    = judge(fields, {.version = options_.version,
                     .interleaved = interleaved,
                     .same_clock = options_.same_clock && a.stamp.count() != 0,
                     .earliest = e.stamp.count() != 0 ? e.stamp : e.sent_wall,
                     .latest = a.stamp});
  if (nts_)
    v = judge_nts(r, a.bytes, e, v);
  if (v == verdict::good && options_.interleaved)
    clients_[e.client] = {fields.receive, a.stamp};
  return v;
}

/// What NTS makes of an answer that was judged without.
verdict meter::judge_nts(run_state& r, std::span<const std::byte> bytes,
                         const exchange& e, verdict plain) {
  if (!nts_->is_ours(bytes, e.transmit))
    return verdict::unauthentic;
  // The header says it all, and nothing protects it.
  constexpr std::size_t reference_id_at = 12;
  if (plain == verdict::kiss
      && ntp::read_big_endian<std::uint32_t>(bytes, reference_id_at)
           == ntp::code_of("NTSN"))
    return verdict::nts_refused;
  if (options_.verify > 1 && random_.next() % options_.verify != 0)
    return plain;
  if (!nts_->is_authentic(bytes, e.transmit))
    return verdict::unauthentic;
  r.result.verified += e.counted ? 1 : 0;
  return plain;
}

void meter::keep_errors(run_state& r, const answer_fields& fields,
                        const exchange& e, bool interleaved,
                        nanoseconds stamp) {
  if (e.stamp.count() != 0)
    r.result.response_ns.add((stamp - e.stamp).count());
  if (!options_.same_clock)
    return;
  if (e.stamp.count() != 0)
    r.result.receive_error_ns.add(difference_ns(fields.receive, e.stamp));
  if (!interleaved)
    r.result.transmit_error_ns.add(difference_ns(fields.transmit, stamp));
  else if (e.cited.count() != 0)
    r.result.interleaved_error_ns.add(difference_ns(fields.transmit, e.cited));
}

// -- waiting ------------------------------------------------------------------

void meter::idle(run_state& r) {
  const auto next = r.times ? r.times->next() : r.now + expiry_interval;
  const auto gap
    = std::min<nanoseconds>(std::min(next, r.end) - r.now, longest_sleep);
  if (gap > shortest_sleep) {
    const timespec limit{0, static_cast<long>(gap.count())};
    pollfd readable{fd_.get(), POLLIN, 0};
    ppoll(&readable, 1, &limit, nullptr);
    // What is left there after a restart would keep us awake.
    if ((readable.revents & POLLERR) != 0)
      take_stamps(r);
  }
  r.idle += now() - r.now;
}

} // namespace concert::load
