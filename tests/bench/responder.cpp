// What the core needs for one answer, without any system call: judging a
// request, building the reply, stamping it.

#include "ntp_core/responder/responder.hpp"

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/nts/nts_client.hpp"
#include "platform/aead.hpp"
#include "platform/nonce_source.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <vector>

namespace concert::ntp {

namespace {

using namespace std::chrono_literals;

constexpr auto received = ntp_timestamp::from_bits(0xe800000040000000);
constexpr std::size_t many = 1 << 20;
constexpr std::uint32_t prefix_count = 100'000;

/// Requests come from this many addresses in turn where they shall find the
/// caches warm.
constexpr std::size_t few = 256;

using generator = std::mt19937_64;

served_time time_to_serve() {
  served_time t;
  t.valid = true;
  t.leap = leap_indicator::none;
  t.stratum = 2;
  t.reference_time = received - ntp_duration::from_seconds(3);
  t.root_delay = ntp_duration::from_seconds(1e-3);
  t.wall_base = received - ntp_duration::from_seconds(3);
  t.offset_s = 1e-4;
  t.rate = 1e-8;
  t.variance_base = 1e-10;
  t.variance_linear = 1e-16;
  return t;
}

ip_address address(bool v4, std::uint64_t bits) {
  const auto octet
    = [&](unsigned shift) { return static_cast<std::uint8_t>(bits >> shift); };
  if (v4)
    return ip_address::v4({octet(24), octet(16), octet(8), octet(0)});
  return ip_address::v6({0x20, octet(0), octet(8), octet(16), octet(24),
                         octet(32), octet(40), octet(48), 0, 0, 0, 0, 0, 0,
                         octet(56), 1});
}

std::vector<endpoint> clients(bool v4, std::size_t count) {
  generator random{count};
  std::vector<endpoint> result;
  result.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    result.push_back({address(v4, random()), 40000});
  return result;
}

/// 100,000 denied networks of both families each, none around another.
access_table big_table() {
  generator random{1};
  std::vector<ip_prefix> deny;
  for (std::uint32_t i = 0; i < prefix_count; ++i) {
    const auto a = address(true, random()).octets();
    deny.push_back({ip_address::v4({a[0], a[1], a[2], 0}), 24});
    const auto b = address(false, random()).octets();
    deny.push_back({ip_address::v6({b[0], b[1], b[2], b[3], b[4], b[5]}), 48});
  }
  const std::vector<ip_prefix> allow{{ip_address{}, 0},
                                     {ip_address::v6({}), 0}};
  return {deny, allow, access_order::longest_match};
}

/// One at a time: a request from each of `from` in turn.
void answer(benchmark::State& state, responder_config config,
            const std::vector<endpoint>& from) {
  config.own_endpoints = {{ip_address::v4({192, 0, 2, 1}), 123},
                          {ip_address::v6({0xfe, 0x80}), 123}};
  responder machine{std::make_shared<const responder_config>(std::move(config)),
                    7};
  machine.on_time(time_to_serve());
  packet_header header;
  header.transmit = ntp_timestamp::from_bits(0x123456789);
  std::array<std::byte, header_size> request{};
  encode(header, request);
  std::array<std::byte, header_size> out{};
  auto at = received;
  mono_time now{1h};
  std::size_t i = 0;
  for (auto _ : state) {
    at = at + ntp_duration::from_units(4000);
    now += 100us; // so that no client is over its rate
    auto r = machine.respond(request, from[i], at, now, out);
    if (r.size != 0) {
      machine.stamp(r, out, at + ntp_duration::from_units(40000));
      machine.on_sent(r);
    }
    benchmark::DoNotOptimize(out);
    i = i + 1 == from.size() ? 0 : i + 1;
  }
  state.SetItemsProcessed(state.iterations());
}

responder_config without_clients() {
  responder_config c;
  c.clients = 0;
  return c;
}

responder_config limited() {
  responder_config c;
  c.rate = {65536, 1ms, 8};
  return c;
}

void plain(benchmark::State& state) {
  answer(state, {}, clients(true, few));
}

void plain_without_table_of_clients(benchmark::State& state) {
  answer(state, without_clients(), clients(true, few));
}

void rate_limit(benchmark::State& state) {
  answer(state, limited(), clients(true, few));
}

void prefixes(benchmark::State& state) {
  auto c = without_clients();
  c.access = big_table();
  answer(state, std::move(c), clients(state.range(0) == 4, few));
}

void prefixes_and_rate_limit(benchmark::State& state) {
  auto c = limited();
  c.access = big_table();
  answer(
    state, std::move(c),
    clients(state.range(0) == 4, static_cast<std::size_t>(state.range(1))));
}

void many_clients(benchmark::State& state) {
  responder_config c;
  c.clients = static_cast<std::uint32_t>(state.range(0));
  answer(state, std::move(c), clients(true, many));
}

void interleaved(benchmark::State& state) {
  responder machine{std::make_shared<const responder_config>(), 7};
  machine.on_time(time_to_serve());
  const auto from = clients(true, few);
  std::vector<std::array<std::byte, header_size>> requests(few);
  packet_header header;
  header.receive = received;
  header.transmit = ntp_timestamp::from_bits(0x123456789);
  for (auto& r : requests)
    encode(header, r);
  std::array<std::byte, header_size> out{};
  auto at = received;
  mono_time now{1h};
  std::size_t i = 0;
  for (auto _ : state) {
    at = at + ntp_duration::from_units(4000);
    now += 100us;
    auto r = machine.respond(requests[i], from[i], at, now, out);
    const auto left = at + ntp_duration::from_units(40000);
    machine.stamp(r, out, left);
    machine.on_sent(r);
    if (r.wants_transmit_stamp)
      machine.on_transmit_stamp(*r.slot, left);
    // What the server received goes back to it as the origin.
    std::copy_n(out.begin() + 32, 8, requests[i].begin() + 24);
    i = (i + 1) % few;
  }
  state.counters["interleaved"]
    = static_cast<double>(
        machine.counters().at(response::answered, reason::interleaved))
      / static_cast<double>(machine.counters().total());
}

template <class T>
std::unique_ptr<T> made() {
  auto result = T::make();
  if (!result)
    throw std::runtime_error{result.error().text};
  return std::move(*result);
}

/// A server with NTS, and requests of clients that have a key each.
struct nts_bench {
  nts_bench(aead_id id, std::size_t cookies)
    : from(clients(true, few)),
      out(few) {
    for (std::size_t i = 0; i < few; ++i)
      requests.push_back(make_request(id, cookies));
    for (auto& o : out)
      o.resize(nts_client::longest_request);
    machine.on_time(time_to_serve());
    machine.on_keys(keys);
  }

  static std::shared_ptr<const cookie_keys> server_keys() {
    const std::array<std::byte, cookie_keys::key_octets> key{};
    return std::make_shared<cookie_keys>(
      std::vector<cookie_keys::key>{{1, secret<cookie_keys::key_octets>{key}}});
  }

  aead_key new_key(aead_id id) {
    std::vector<std::byte> key(key_size(id));
    for (auto& octet : key)
      octet = static_cast<std::byte>(random->next() & 0xff);
    return aead_key{key};
  }

  std::vector<std::byte> make_request(aead_id id, std::size_t cookies) {
    nts_credentials c{{id, new_key(id), new_key(id)}, {}, {}};
    for (auto held = most_cookies + 1 - cookies; held > 0; --held) {
      auto& cookie = c.cookies.emplace_back(cookie_size(id));
      keys->seal(c.keys, *cipher, *random, cookie);
    }
    nts_client asker{*cipher, *random};
    asker.give(std::move(c));
    std::vector<std::byte> bytes(nts_client::longest_request);
    encode(packet_header{}, std::span{bytes}.first<header_size>());
    bytes.resize(asker.complete_request(bytes));
    return bytes;
  }

  reply respond(std::size_t i, ntp_timestamp at, mono_time now) {
    return machine.respond(requests[i], from[i], at, now, out[i]);
  }

  std::unique_ptr<platform::aead> cipher = made<platform::aead>();
  std::unique_ptr<platform::nonce_source> random
    = made<platform::nonce_source>();
  std::shared_ptr<const cookie_keys> keys = server_keys();
  responder machine{std::make_shared<const responder_config>(), 7, cipher.get(),
                    random.get()};
  std::vector<endpoint> from;
  std::vector<std::vector<std::byte>> requests;
  std::vector<std::vector<std::byte>> out;
};

/// Arguments: number of the AEAD, cookies asked for.
nts_bench nts_bench_for(const benchmark::State& state) {
  return {static_cast<aead_id>(state.range(0)),
          static_cast<std::size_t>(state.range(1))};
}

void nts(benchmark::State& state) {
  auto s = nts_bench_for(state);
  auto at = received;
  mono_time now{1h};
  std::size_t i = 0;
  for (auto _ : state) {
    at = at + ntp_duration::from_units(4000);
    now += 100us;
    auto r = s.respond(i, at, now);
    s.machine.stamp(r, std::span{s.out[i]}.first(r.size),
                    at + ntp_duration::from_units(40000));
    s.machine.on_sent(r);
    i = (i + 1) % few;
  }
  state.counters["authentic"]
    = static_cast<double>(
        s.machine.counters().at(response::answered, reason::nts))
      / static_cast<double>(s.machine.counters().total());
}

/// What stands between the transmit stamp and the sending.
void nts_stamp(benchmark::State& state) {
  auto s = nts_bench_for(state);
  std::vector<reply> replies;
  for (std::size_t i = 0; i < nts_server::most_unsealed; ++i)
    replies.push_back(s.respond(i, received, mono_time{1h}));
  std::size_t i = 0;
  for (auto _ : state) {
    auto r = replies[i];
    s.machine.stamp(r, std::span{s.out[i]}.first(r.size), received);
    i = (i + 1) % replies.size();
  }
}

void lookup(benchmark::State& state) {
  const auto table = big_table();
  const auto from
    = clients(state.range(0) == 4, static_cast<std::size_t>(state.range(1)));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.judge(from[i].address));
    i = i + 1 == from.size() ? 0 : i + 1;
  }
}

void build_of_table(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(big_table().size());
}

BENCHMARK(plain);
BENCHMARK(plain_without_table_of_clients);
BENCHMARK(rate_limit);
BENCHMARK(prefixes)->Arg(4)->Arg(6);
BENCHMARK(prefixes_and_rate_limit)
  ->Args({4, few})
  ->Args({6, few})
  ->Args({4, many})
  ->Args({6, many});
BENCHMARK(many_clients)->Arg(8192)->Arg(many);
BENCHMARK(interleaved);
BENCHMARK(nts)->ArgsProduct({{15, 16, 17, 30}, {1}})->Args({15, 8});
BENCHMARK(nts_stamp)->ArgsProduct({{15, 16, 17, 30}, {1}})->Args({15, 8});
BENCHMARK(lookup)->Args({4, few})->Args({6, few})->Args({4, many})->Args(
  {6, many});
BENCHMARK(build_of_table)->Unit(benchmark::kMillisecond);

} // namespace

} // namespace concert::ntp

BENCHMARK_MAIN();
