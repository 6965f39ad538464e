#include "platform/aead.hpp"

#include "platform/sanitizers.hpp"
#include "tests/ntp_core/support/octets.hpp"
#include "tests/platform/no_system_calls.hpp"

#include <doctest/doctest.h>
#include <gcrypt.h>

#include <nettle/aes.h>
#include <nettle/nettle-meta.h>
#include <nettle/siv-cmac.h>

#include <array>
#include <optional>
#include <random>
#include <vector>

namespace concert::platform {

namespace {

using ntp::aead_id;
using ntp::aead_tag_size;
using ntp::test::from_hex;
using ntp::test::octets;

constexpr std::array all{aead_id::aes_siv_cmac_256, aead_id::aes_siv_cmac_384,
                         aead_id::aes_siv_cmac_512, aead_id::aes_128_gcm_siv};

using generator = std::mt19937_64;

octets random_octets(generator& random, std::size_t size) {
  octets result(size);
  for (auto& octet : result)
    octet = static_cast<std::byte>(random());
  return result;
}

struct message {
  aead_id id;
  octets key;
  octets nonce;
  octets associated;
  octets plaintext;
};

message random_message(generator& random, aead_id id, std::size_t size) {
  return {id, random_octets(random, key_size(id)),
          random_octets(random, nonce_size(id)),
          random_octets(random, random() % 300), random_octets(random, size)};
}

octets seal(aead& cipher, const message& m) {
  octets out(m.plaintext.size() + aead_tag_size);
  REQUIRE(cipher.seal(m.id, m.key, m.nonce, m.associated, m.plaintext, out));
  return out;
}

/// What is in the sealed text; nothing if it is refused, after the check that
/// no plaintext comes out.
std::optional<octets> open(aead& cipher, const message& m,
                           const octets& sealed) {
  octets out(sealed.size() - aead_tag_size, std::byte{0xee});
  if (cipher.open(m.id, m.key, m.nonce, m.associated, sealed, out))
    return out;
  CHECK(out == octets(out.size()));
  return std::nullopt;
}

std::unique_ptr<aead> make() {
  auto made = aead::make();
  REQUIRE_MESSAGE(made, made.error().text);
  return std::move(*made);
}

void flip(octets& text, std::size_t bit) {
  text[bit / 8] ^= std::byte{1} << bit % 8;
}

std::uint8_t* raw(octets& bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

const std::uint8_t* raw(const octets& bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// AES-SIV by the other library.
class nettle_siv {
public:
  explicit nettle_siv(const message& m) : m_(m), kind_(kind_of(m.id)) {
    siv_cmac_set_key(&cmac_, &cmac_cipher_, &counter_cipher_, &kind_,
                     raw(m.key));
  }

  octets seal() const {
    octets out(m_.plaintext.size() + aead_tag_size);
    siv_cmac_encrypt_message(&cmac_, &cmac_cipher_, &kind_, &counter_cipher_,
                             m_.nonce.size(), raw(m_.nonce),
                             m_.associated.size(), raw(m_.associated),
                             out.size(), raw(out), raw(m_.plaintext));
    return out;
  }

  std::optional<octets> open(const octets& sealed) const {
    octets out(sealed.size() - aead_tag_size);
    if (!siv_cmac_decrypt_message(
          &cmac_, &cmac_cipher_, &kind_, &counter_cipher_, m_.nonce.size(),
          raw(m_.nonce), m_.associated.size(), raw(m_.associated), out.size(),
          raw(out), raw(sealed)))
      return std::nullopt;
    return out;
  }

private:
  static const nettle_cipher& kind_of(aead_id id) {
    return id == aead_id::aes_siv_cmac_256   ? nettle_aes128
           : id == aead_id::aes_siv_cmac_384 ? nettle_aes192
                                             : nettle_aes256;
  }

  const message& m_;
  const nettle_cipher& kind_;
  cmac128_key cmac_{};
  aes256_ctx cmac_cipher_{}; // large enough for all three
  aes256_ctx counter_cipher_{};
};

/// AES-SIV with any number of associated strings: the appendix of RFC 5297 has
/// one and three, our interface always two.
octets library_siv(const octets& key, const std::vector<octets>& associated,
                   const octets& plaintext) {
  const auto cipher
    = open_cipher("AES-SIV", GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_SIV);
  REQUIRE(cipher);
  const auto c = cipher->get();
  REQUIRE(gcry_cipher_setkey(c, key.data(), key.size()) == 0);
  for (const auto& part : associated)
    REQUIRE(gcry_cipher_authenticate(c, part.data(), part.size()) == 0);
  octets text(plaintext.size());
  octets tag(aead_tag_size);
  REQUIRE(gcry_cipher_encrypt(c, text.data(), text.size(), plaintext.data(),
                              plaintext.size())
          == 0);
  REQUIRE(gcry_cipher_gettag(c, tag.data(), tag.size()) == 0);
  return tag + text;
}

struct vector {
  const char* key;
  const char* nonce;
  const char* associated;
  const char* plaintext;
  const char* sealed;
};

constexpr auto key_1 = "01000000000000000000000000000000";
constexpr auto nonce_3 = "030000000000000000000000";

/// RFC 8452 appendix C.1.
constexpr vector gcm_siv_vectors[] = {
  {key_1, nonce_3, "", "", "dc20e2d83f25705bb49e439eca56de25"},
  {key_1, nonce_3, "", "0100000000000000",
   "b5d839330ac7b786 578782fff6013b815b287c22493a364c"},
  {key_1, nonce_3, "", "010000000000000000000000",
   "7323ea61d05932260047d942 a4978db357391a0bc4fdec8b0d106639"},
  {key_1, nonce_3, "", "01000000000000000000000000000000",
   "743f7c8077ab25f8624e2e948579cf77 303aaf90f6fe21199c6068577437a0c4"},
  {key_1, nonce_3, "",
   "01000000000000000000000000000000 02000000000000000000000000000000",
   "84e07e62ba83a6585417245d7ec413a9 fe427d6315c09b57ce45f2e3936a9445"
   "1a8e45dcd4578c667cd86847bf6155ff"},
  {key_1, nonce_3, "",
   "01000000000000000000000000000000 02000000000000000000000000000000"
   "03000000000000000000000000000000 04000000000000000000000000000000",
   "2433668f1058190f6d43e360f4f35cd8 e475127cfca7028ea8ab5c20f7ab2af0"
   "2516a2bdcbc08d521be37ff28c152bba 36697f25b4cd169c6590d1dd39566d3f"
   "8a263dd317aa88d56bdf3936dba75bb8"},
  {key_1, nonce_3, "01", "0200000000000000",
   "1e6daba35669f427 3b0a1a2560969cdf790d99759abd1508"},
  {key_1, nonce_3, "010000000000000000000000", "02000000",
   "a8fe3e87 07eb1f84fb28f8cb73de8e99e2f48a14"},
  {key_1, nonce_3, "01000000000000000000000000000000 0200",
   "03000000000000000000000000000000 04000000",
   "6bb0fecf5ded9b77f902c7d5da236a43 91dd0297 24afc9805e976f451e6d87f6"
   "fe106514"},
  {"e66021d5eb8e4f4066d4adb9c33560e4", "f46e44bb3da0015c94f70887", "", "",
   "a4194b79071b01a87d65f706e3949578"},
  {"36864200e0eaf5284d884a0e77d31646", "bae8e37fc83441b16034566b", "46bb91c3c5",
   "7a806c", "af60eb711bd85bc1e4d3e0a462e074eea428a8"},
  {"f901cfe8a69615a93fdf7a98cad48179", "6245709fb18853f68d833640",
   "7576f7028ec6eb5ea7e298342a94d4b2 02b370ef9768ec6561c4fe6b7e7296fa"
   "859c21",
   "e42a3c02c25b64869e146d7b233987bd dfc240871d",
   "391cc328d484a4f46406181bcd62efd9 b3ee197d05 2d15506c84a9edd65e13e9d2"
   "4a2a6e70"},
};

} // namespace

TEST_CASE("the library's AES-SIV is that of RFC 5297") {
  CHECK(
    library_siv(from_hex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0 "
                         "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
                {from_hex("101112131415161718191a1b1c1d1e1f 2021222324252627")},
                from_hex("112233445566778899aabbccddee"))
    == from_hex(
      "85632d07c6e8f37f950acd320a2ecc93 40c02b9690c4dc04daef7f6afe5c"));
  CHECK(library_siv(
          from_hex("7f7e7d7c7b7a79787776757473727170 "
                   "404142434445464748494a4b4c4d4e4f"),
          {from_hex(
             "00112233445566778899aabbccddeeff deaddadadeaddadaffeeddccbbaa9988"
             "7766554433221100"),
           from_hex("102030405060708090a0"),
           from_hex("09f911029d74e35bd84156c5635688c0")},
          from_hex(
            "7468697320697320736f6d6520706c61 696e7465787420746f20656e63727970"
            "74207573696e67205349562d414553"))
        == from_hex(
          "7bdb6e3b432667eb06f4d14bff2fbd0f cb900f2fddbe404326601965c889bf17"
          "dba77ceb094fa663b7a3f748ba8af829 ea64ad544a272e9c485b62a3fd5c0d"));
}

TEST_CASE("AES-128-GCM-SIV gives the results of RFC 8452") {
  const auto cipher = make();
  for (const auto& v : gcm_siv_vectors) {
    const message m{aead_id::aes_128_gcm_siv, from_hex(v.key),
                    from_hex(v.nonce), from_hex(v.associated),
                    from_hex(v.plaintext)};
    const auto sealed = from_hex(v.sealed);
    CHECK(seal(*cipher, m) == sealed);
    CHECK(open(*cipher, m, sealed) == m.plaintext);
  }
}

TEST_CASE("AES-SIV and nettle open what the other has sealed") {
  const auto cipher = make();
  generator random{5297};
  for (const auto id : {aead_id::aes_siv_cmac_256, aead_id::aes_siv_cmac_384,
                        aead_id::aes_siv_cmac_512})
    for (std::size_t size = 0; size <= 300; ++size) {
      auto m = random_message(random, id, size);
      m.nonce = random_octets(random, 1 + random() % 40);
      if (size % 10 == 0)
        m.associated.clear();
      const auto sealed = seal(*cipher, m);
      const nettle_siv nettle{m};
      CHECK(sealed == nettle.seal());
      CHECK(nettle.open(sealed) == m.plaintext);
      CHECK(open(*cipher, m, sealed) == m.plaintext);
    }
}

TEST_CASE("AES-128-GCM-SIV opens what it has sealed, whatever its size") {
  const auto cipher = make();
  generator random{8452};
  for (std::size_t size = 0; size <= 300; ++size) {
    const auto m = random_message(random, aead_id::aes_128_gcm_siv, size);
    CHECK(open(*cipher, m, seal(*cipher, m)) == m.plaintext);
  }
}

TEST_CASE("every flipped bit is noticed, and the next message opens") {
  const auto cipher = make();
  generator random{1};
  for (const auto id : all)
    for (const std::size_t size : {0, 1, 68, 104}) {
      const auto m = random_message(random, id, size);
      const auto sealed = seal(*cipher, m);
      const auto check = [&](octets message::*part) {
        for (std::size_t bit = 0; bit < (m.*part).size() * 8; ++bit) {
          auto other = m;
          flip(other.*part, bit);
          CHECK_FALSE(open(*cipher, other, sealed));
        }
      };
      // Half of an SIV key only says how the text is encrypted: with next to
      // no text, nearly any will do.
      if (size > 16)
        check(&message::key);
      check(&message::nonce);
      check(&message::associated);
      for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        auto forged = sealed;
        flip(forged, bit);
        CHECK_FALSE(open(*cipher, m, forged));
      }
      CHECK(open(*cipher, m, sealed) == m.plaintext);
    }
}

TEST_CASE("one AEAD does not open what another has sealed") {
  const auto cipher = make();
  generator random{2};
  auto m = random_message(random, aead_id::aes_siv_cmac_256, 40);
  const auto sealed = seal(*cipher, m);
  for (const auto id : {aead_id::aes_siv_cmac_384, aead_id::aes_siv_cmac_512,
                        aead_id::aes_128_gcm_siv}) {
    m.id = id;
    m.key.resize(key_size(id));
    m.nonce.resize(nonce_size(id));
    CHECK_FALSE(open(*cipher, m, sealed));
  }
}

TEST_CASE("wrong sizes are refused") {
  const auto cipher = make();
  generator random{3};
  for (const auto id : all) {
    const auto good = random_message(random, id, 20);
    const auto sealed = seal(*cipher, good);
    const auto refused = [&](const message& m) {
      octets out(m.plaintext.size() + aead_tag_size);
      return !cipher->seal(m.id, m.key, m.nonce, m.associated, m.plaintext, out)
             && !open(*cipher, m, sealed);
    };
    auto m = good;
    m.key.pop_back();
    CHECK(refused(m));
    m.key.resize(key_size(id) + 1);
    CHECK(refused(m));
    m.key.clear();
    CHECK(refused(m));
    m = good;
    m.nonce.clear();
    CHECK(refused(m));
    for (const std::size_t size : {1, 11, 13, 16}) {
      m.nonce = random_octets(random, size);
      octets out(m.plaintext.size() + aead_tag_size);
      CHECK(cipher->seal(id, m.key, m.nonce, {}, m.plaintext, out)
            == (id != aead_id::aes_128_gcm_siv));
    }

    for (const std::size_t size : {0, 15, 19, 20, 35, 37}) {
      octets out(size);
      CHECK_FALSE(cipher->seal(id, good.key, good.nonce, good.associated,
                               good.plaintext, out));
    }
    for (const std::size_t size : {0, 1, 19, 21, 36}) {
      octets out(size, std::byte{0xee});
      CHECK_FALSE(
        cipher->open(id, good.key, good.nonce, good.associated, sealed, out));
      CHECK(out == octets(size));
    }
    octets nothing;
    for (std::size_t size = 0; size < aead_tag_size; ++size)
      CHECK_FALSE(cipher->open(id, good.key, good.nonce, good.associated,
                               std::span{sealed}.first(size), nothing));
    CHECK(open(*cipher, good, sealed) == good.plaintext);
  }
}

TEST_CASE("keys that come and go give what a fresh cipher gives") {
  generator random{4};
  std::vector<message> messages;
  std::vector<octets> sealed;
  for (const auto id : all)
    for (int i = 0; i < 9; ++i) {
      messages.push_back(random_message(random, id, random() % 120));
      sealed.push_back(seal(*make(), messages.back()));
    }
  const auto cipher = make();
  for (int i = 0; i < 20'000; ++i) {
    // Mostly the same few, so that keys are often found.
    const auto choice = random() % (random() % 2 == 0 ? messages.size() : 3);
    const auto& m = messages[choice];
    switch (random() % 3) {
      case 0:
        REQUIRE(seal(*cipher, m) == sealed[choice]);
        break;
      case 1:
        REQUIRE(open(*cipher, m, sealed[choice]) == m.plaintext);
        break;
      default: {
        auto forged = sealed[choice];
        flip(forged, random() % (forged.size() * 8));
        REQUIRE_FALSE(open(*cipher, m, forged));
      }
    }
  }
}

TEST_CASE("a key of zeros is a key like others") {
  generator random{5};
  const auto cipher = make();
  for (const auto id : all) {
    auto m = random_message(random, id, 30);
    m.key = octets(key_size(id));
    const auto sealed = seal(*cipher, m);
    if (id != aead_id::aes_128_gcm_siv)
      CHECK(sealed == nettle_siv{m}.seal());
    CHECK(open(*cipher, m, sealed) == m.plaintext);
  }
}

TEST_CASE("the authenticated part of a server needs no system call"
          * doctest::skip(address_sanitizer || thread_sanitizer)) {
  const auto cipher = make();
  generator random{6};
  std::vector<message> messages;
  for (const auto id : all)
    for (int i = 0; i < 6; ++i)
      messages.push_back(random_message(random, id, 104));
  CHECK(testing::without_system_calls([&] {
    std::array<std::byte, 120> sealed{};
    std::array<std::byte, 104> text{};
    bool good = true;
    for (int round = 0; round < 100; ++round)
      for (const auto& m : messages)
        good
          &= cipher->seal(m.id, m.key, m.nonce, m.associated, m.plaintext,
                          sealed)
             && cipher->open(m.id, m.key, m.nonce, m.associated, sealed, text);
    return good;
  }));
}

} // namespace concert::platform
