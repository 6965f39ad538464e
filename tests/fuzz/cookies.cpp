// A server's cookies: what it did not seal does not open, and what it sealed
// opens to what went in, as long as nothing was changed and the key is there.
// Files with keys and jars: what is read is within its limits and reads the
// same again after it was written. Sets rotate by one step, whatever the clock
// does.

#include "ntp_core/nts/cookie_jar.hpp"
#include "ntp_core/nts/key_rotation.hpp"
#include "ntp_core/nts/secret_file.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace concert::ntp {

namespace {

using std::chrono::seconds;

void require(bool condition) {
  if (!condition)
    std::abort();
}

constexpr seconds start{1'800'000'000};
constexpr rotation_config config{seconds{3600}, 3};
constexpr std::array aeads{aead_id::aes_siv_cmac_256, aead_id::aes_siv_cmac_384,
                           aead_id::aes_siv_cmac_512, aead_id::aes_128_gcm_siv};

/// Reads the fuzzer's input piece by piece; zeros after its end.
class input {
public:
  input(const std::uint8_t* data, std::size_t size)
    : rest_(std::as_bytes(std::span{data, size})) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::byte> rest() const { return rest_; }

  unsigned octet() {
    const auto one = octets(1);
    return one.empty() ? 0 : std::to_integer<unsigned>(one.front());
  }

  std::span<const std::byte> octets(std::size_t count) {
    const auto result = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(result.size());
    return result;
  }

  /// Any number of seconds, most often a sensible one.
  seconds time() {
    const auto choice = octet();
    std::uint64_t bits = 0;
    for (const auto octet : octets(choice % 4 == 0 ? 8 : 3))
      bits = bits << 8 | std::to_integer<std::uint64_t>(octet);
    const seconds value{static_cast<std::int64_t>(bits)};
    return choice % 4 == 0 ? value : start + value - seconds{1 << 23};
  }

private:
  std::span<const std::byte> rest_;
};

aead_key key_for(aead_id aead, random_source& random) {
  std::array<std::byte, 64> octets{};
  for (auto& octet : octets)
    octet = static_cast<std::byte>(random.next() & 0xff);
  return aead_key{std::span{octets}.first(key_size(aead))};
}

session_keys keys_for(aead_id aead, random_source& random) {
  const auto c2s = key_for(aead, random);
  return {aead, c2s, key_for(aead, random)};
}

/// Octets of no origin, under an id that is known if so wished.
void open_foreign(input& in) {
  test::seeded_random random;
  const key_rotation rotation{config, start, random};
  const bool known_id = in.octet() % 2 == 0;
  std::vector<std::byte> cookie(in.rest().begin(), in.rest().end());
  if (known_id && cookie.size() >= 4)
    write_big_endian(std::span{cookie}, 0,
                     rotation.keys()->newest_first().front().id);
  test::toy_cipher cipher;
  require(!rotation.keys()->open(cookie, cipher));
}

/// A good cookie, changed here and there, while the set rotates.
void open_changed(input& in) {
  test::seeded_random random;
  test::toy_cipher cipher;
  key_rotation rotation{config, start, random};
  const auto session = keys_for(aeads[in.octet() % aeads.size()], random);
  std::vector<std::byte> good(cookie_size(session.aead));
  rotation.keys()->seal(session, cipher, random, good);
  auto cookie = good;
  std::size_t rotations = 0;
  auto now = start;
  while (!in.empty()) {
    const auto what = in.octet();
    if (what == 0) {
      now += config.interval;
      require(rotation.on_deadline(now, random));
      ++rotations;
    } else if (what == 1) {
      cookie.resize(in.octet());
    } else if (!cookie.empty()) {
      cookie[what % cookie.size()] ^= static_cast<std::byte>(in.octet());
    }
    const auto opened = rotation.keys()->open(cookie, cipher);
    const bool valid = cookie == good && rotations <= config.stale_keys;
    require(opened.has_value() == valid);
    require(!opened || *opened == session);
  }
}

void check_rotation(const key_rotation& r) {
  const auto& keys = r.keys()->newest_first();
  require(!keys.empty() && keys.size() <= config.stale_keys + 1);
  for (std::size_t i = 1; i < keys.size(); ++i)
    require(keys[i].id + 1 == keys[i - 1].id);
  const auto file = r.serialize();
  const auto again = key_rotation::parse(file, config);
  require(again && again->keys()->newest_first() == keys
          && again->newest_since() == r.newest_since()
          && again->serialize() == file);
}

void run_rotation(key_rotation r, input& in) {
  test::seeded_random random;
  check_rotation(r);
  for (int turns = 0; !in.empty() && turns < 50; ++turns) {
    const auto now = in.time();
    const auto before = r.keys();
    const bool rotated = r.on_deadline(now, random);
    require(rotated == (r.keys() != before));
    require(!r.on_deadline(now, random));
    const auto& newest = r.keys()->newest_first();
    require(newest.front().id
            == before->newest_first().front().id + (rotated ? 1 : 0));
    require(!rotated || newest.size() == 1
            || newest[1] == before->newest_first().front());
    check_rotation(r);
  }
}

void check_jar(const cookie_jar& jar) {
  const auto& [keys, alternate, cookies] = jar.credentials;
  require(cookies.size() <= most_cookies);
  for (const auto& cookie : cookies)
    require(!cookie.empty() && cookie.size() <= longest_kept_cookie);
  require(keys.c2s.bytes().size() == key_size(keys.aead));
  require(keys.s2c.bytes().size() == key_size(keys.aead));
  const auto file = serialize(jar);
  const auto again = parse_cookie_jar(file);
  require(again && again->origin == jar.origin
          && again->credentials.keys == keys
          && again->credentials.alternate == alternate
          && again->credentials.cookies == cookies);
}

/// The octets as they are, and then as the contents of a whole file.
template <class Parse>
auto parse_either(input& in, std::string_view kind, Parse parse) {
  const bool whole = in.octet() % 8 != 0;
  const auto contents = in.octets(whole ? in.octet() * 4 : in.rest().size());
  if (!whole)
    return parse(contents);
  secret_file_writer file{{kind, 1}};
  file.octets(contents);
  return parse(file.finish());
}

} // namespace

/// The first octet chooses what is done with the others.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  input in{data, size};
  switch (in.octet() % 5) {
    case 0:
      open_foreign(in);
      break;
    case 1:
      open_changed(in);
      break;
    case 2: {
      test::seeded_random random;
      const auto now = in.time();
      run_rotation({config, now, random}, in);
      break;
    }
    case 3:
      if (auto r = parse_either(in, "NTS keys", [](const auto& file) {
            return key_rotation::parse(file, config);
          }))
        run_rotation(*r, in);
      break;
    default:
      if (auto jar = parse_either(in, "NTS jar\n", [](const auto& file) {
            return parse_cookie_jar(file);
          }))
        check_jar(*jar);
      break;
  }
  return 0;
}

} // namespace concert::ntp
