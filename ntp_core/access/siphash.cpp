#include "ntp_core/access/siphash.hpp"

#include <bit>

namespace concert::ntp {

namespace {

struct sip_state {
  std::uint64_t a;
  std::uint64_t b;
  std::uint64_t c;
  std::uint64_t d;

  void rounds(int count) {
    for (; count > 0; --count) {
      a += b;
      c += d;
      b = std::rotl(b, 13) ^ a;
      d = std::rotl(d, 16) ^ c;
      a = std::rotl(a, 32);
      c += b;
      a += d;
      b = std::rotl(b, 17) ^ c;
      d = std::rotl(d, 21) ^ a;
      c = std::rotl(c, 32);
    }
  }

  void absorb(std::uint64_t word) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
};

} // namespace

std::uint64_t siphash(const std::array<std::uint64_t, 2>& key,
                      std::span<const std::uint64_t> words) {
  // The constants spell "somepseudorandomlygeneratedbytes".
  sip_state s{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
              key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  for (const auto word : words)
    s.absorb(word);
  s.absorb(std::uint64_t{words.size() * 8} << 56); // the length ends the input
  s.c ^= 0xff;
  s.rounds(4);
  return s.a ^ s.b ^ s.c ^ s.d;
}

} // namespace concert::ntp
