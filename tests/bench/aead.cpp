// What the cryptography of one authenticated answer costs, without any packet:
// sealing and opening with a key that the cipher holds, and with one that it
// has to take first.

#include "platform/aead.hpp"

#include "platform/nonce_source.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <span>
#include <stdexcept>
#include <vector>

namespace concert::platform {

namespace {

using ntp::aead_id;

/// Octets of associated data and of plaintext.
struct shape {
  std::size_t associated;
  std::size_t plaintext;
};

constexpr shape request{228, 0};
constexpr shape reply{84, 104};
constexpr shape cookie{0, 68};
constexpr std::array shapes{request, reply, cookie};

/// More than the cipher can hold, for when each shall be new to it.
constexpr std::size_t many = 8;

std::unique_ptr<aead> make() {
  auto made = aead::make();
  if (!made)
    throw std::runtime_error{made.error().text};
  return std::move(*made);
}

struct bench {
  /// As the arguments say: AEAD, number of the shape.
  explicit bench(const benchmark::State& state)
    : bench(static_cast<aead_id>(state.range(0)),
            shapes[static_cast<std::size_t>(state.range(1))]) {}

  bench(aead_id id, shape s)
    : id(id),
      associated(s.associated),
      plaintext(s.plaintext),
      sealed(s.plaintext + ntp::aead_tag_size),
      opened(s.plaintext),
      nonce(nonce_size(id)) {
    for (std::size_t i = 0; i < many; ++i)
      keys.emplace_back(key_size(id), static_cast<std::byte>(i + 1));
  }

  bool seal(std::size_t key) {
    return cipher->seal(id, keys[key], nonce, associated, plaintext, sealed);
  }
  bool open(std::size_t key) {
    return cipher->open(id, keys[key], nonce, associated, sealed, opened);
  }

  std::unique_ptr<aead> cipher = make();
  aead_id id;
  std::vector<std::byte> associated, plaintext, sealed, opened, nonce;
  std::vector<std::vector<std::byte>> keys;
};

void seal_keyed(benchmark::State& state) {
  bench b{state};
  for (auto _ : state)
    benchmark::DoNotOptimize(b.seal(0));
}

void open_keyed(benchmark::State& state) {
  bench b{state};
  b.seal(0);
  for (auto _ : state)
    if (!b.open(0))
      state.SkipWithError("refused");
}

void seal_new_key(benchmark::State& state) {
  bench b{state};
  std::size_t key = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(b.seal(key++ % many));
}

/// Refused, as only one of the keys is the right one; that costs the same.
void open_new_key(benchmark::State& state) {
  bench b{state};
  b.seal(0);
  std::size_t key = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(b.open(key++ % many));
}

/// A server's work on one request: opens the cookie and the request, seals a
/// new cookie and the reply.
void answer(benchmark::State& state) {
  const auto id = static_cast<aead_id>(state.range(0));
  const auto cipher = make();
  const auto source = nonce_source::make();
  bench c{aead_id::aes_siv_cmac_256, {0, 2 * key_size(id) + 4}};
  bench q{id, request};
  bench r{id, reply};
  const std::vector<std::byte> cookie_key(key_size(c.id), std::byte{0xff});
  std::array<std::uint64_t, 2> cookie_nonce{};
  std::array<std::uint64_t, 2> nonce{};
  std::size_t client = 0;
  for (auto _ : state) {
    const auto& c2s = q.keys[client % many];
    const auto& s2c = r.keys[(client + 3) % many];
    ++client;
    benchmark::DoNotOptimize(
      cipher->open(c.id, cookie_key, std::as_bytes(std::span{cookie_nonce}), {},
                   c.sealed, c.opened));
    benchmark::DoNotOptimize(
      cipher->open(id, c2s, q.nonce, q.associated, q.sealed, q.opened));
    for (auto& n : cookie_nonce)
      n = (*source)->next();
    benchmark::DoNotOptimize(
      cipher->seal(c.id, cookie_key, std::as_bytes(std::span{cookie_nonce}), {},
                   c.plaintext, c.sealed));
    for (auto& n : nonce)
      n = (*source)->next();
    benchmark::DoNotOptimize(cipher->seal(
      id, s2c, std::as_bytes(std::span{nonce}).first(nonce_size(id)),
      r.associated, r.plaintext, r.sealed));
  }
}

void number(benchmark::State& state) {
  const auto source = nonce_source::make();
  for (auto _ : state)
    benchmark::DoNotOptimize((*source)->next());
}

void each(benchmark::internal::Benchmark* b) {
  b->ArgNames({"aead", "shape"})->ArgsProduct({{15, 17, 30}, {0, 1, 2}});
}

BENCHMARK(seal_keyed)->Apply(each);
BENCHMARK(open_keyed)->Apply(each);
BENCHMARK(seal_new_key)->Apply(each);
BENCHMARK(open_new_key)->Apply(each);
BENCHMARK(answer)->ArgName("aead")->Arg(15)->Arg(17)->Arg(30);
BENCHMARK(number);

} // namespace

} // namespace concert::platform

BENCHMARK_MAIN();
