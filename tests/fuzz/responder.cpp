// Whatever a few clients send one after another: only requests are answered,
// each with a whole header that is no longer than the request; each packet
// counts once; an answer is interleaved exactly if the request returns the
// receive stamp of the reply before, which then tells when that one left; and a
// request with NTS gets an authentic reply, with the cookies that it asked for,
// exactly if it is authentic itself.

#include "ntp_core/responder/responder.hpp"

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/packet/bytes.hpp"
#include "ntp_core/packet/extension_writer.hpp"
#include "ntp_core/packet/packet.hpp"
#include "tests/ntp_core/support/seeded_random.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

constexpr auto start = ntp_timestamp::from_bits(0xe800000000000000);

constexpr aead_id client_aead = aead_id::aes_siv_cmac_256;

session_keys client_keys() {
  std::array<std::byte, key_size(client_aead)> key{};
  key[0] = std::byte{1};
  const aead_key c2s{key};
  key[0] = std::byte{2};
  return {client_aead, c2s, aead_key{key}};
}

std::shared_ptr<const cookie_keys> server_keys() {
  const std::array<std::byte, cookie_keys::key_octets> key{};
  return std::make_shared<cookie_keys>(
    std::vector<cookie_keys::key>{{1, secret<cookie_keys::key_octets>{key}}});
}

std::shared_ptr<const responder_config> make_config(unsigned choice) {
  constexpr std::array<ip_prefix, 1> v4_only{};
  const std::array<ip_prefix, 2> all{ip_prefix{},
                                     ip_prefix{ip_address::v6({}), 0}};
  auto c = std::make_shared<responder_config>();
  c->versions = static_cast<std::uint8_t>((choice & 1) != 0 ? 0xff : 0x18);
  std::span<const ip_prefix> deny;
  std::span<const ip_prefix> allow;
  if ((choice & 2) != 0)
    deny = v4_only;
  if ((choice & 4) == 0)
    allow = all;
  c->access = {deny, allow, access_order::deny_first};
  c->allow_action = refusal::deny;
  if ((choice & 8) != 0)
    c->require_nts = refusal::deny;
  if ((choice & 16) != 0)
    c->rate = {16, std::chrono::milliseconds{100}, 2, 2, 2};
  c->answer_symmetric_active = (choice & 64) != 0;
  c->clients = (choice & 128) != 0 ? 0 : 4; // one for each, so that all stay
  return c;
}

served_time make_time(bool valid) {
  served_time t;
  t.valid = valid;
  t.stratum = 2;
  t.wall_base = start;
  t.reference_time = start;
  t.offset_s = 1e-3;
  return t;
}

/// What a client, and the server about it, should know of the last reply.
struct known_client {
  ip_address address;
  ntp_timestamp receive;  ///< unknown: none, or void
  ntp_timestamp transmit; ///< unknown: not sent
  ntp_timestamp echo;     ///< what the client takes for `receive`
};

/// Requests with NTS are made of a header and an octet.
struct nts_choice {
  explicit nts_choice(std::byte octet)
    : bits(std::to_integer<unsigned>(octet)) {}

  std::size_t placeholders() const { return bits & 15; }
  bool bad_cookie() const { return (bits & 16) != 0; }
  /// How much longer its identifier and its padding are than they must be.
  std::size_t extra() const { return (bits & 32) != 0 ? 24 : 0; }
  bool changed() const { return (bits & 64) != 0; }

  unsigned bits;
};

/// Makes the header at the start of `packet` a request with NTS; returns its
/// size.
std::size_t add_nts(std::span<std::byte> packet, nts_choice how,
                    std::span<const std::byte> inner) {
  test::toy_cipher cipher;
  test::seeded_random random;
  const auto keys = client_keys();
  std::array<std::byte, cookie_size(client_aead)> cookie{};
  if (!how.bad_cookie())
    server_keys()->seal(keys, cipher, random, cookie);
  extension_writer fields{packet, header_size};
  std::ranges::fill(fields.add(extension_type::unique_identifier,
                               unique_identifier_size + how.extra()),
                    std::byte{5});
  fields.add(extension_type::nts_cookie, cookie);
  for (std::size_t i = 0; i < how.placeholders(); ++i)
    std::ranges::fill(
      fields.add(extension_type::nts_cookie_placeholder, cookie.size()),
      std::byte{});
  const auto offset = fields.size();
  std::ranges::copy(inner, add_authenticator(fields, keys.aead, inner.size(),
                                             how.extra(), random)
                             .begin());
  const auto whole = packet.first(fields.size());
  seal_authenticator(whole, offset, keys.aead, keys.c2s.bytes(), cipher);
  if (how.changed())
    packet[offset - 1] ^= std::byte{1};
  return whole.size();
}

/// What happens besides a request.
struct control {
  explicit control(std::uint8_t octet) : bits(octet) {}

  std::size_t client() const { return bits & 3; }
  bool returns_stamp() const { return (bits & 4) != 0; }
  bool clock_stands() const { return (bits & 8) != 0; }
  bool kernel_stamp() const { return (bits & 16) != 0; }
  bool step_before() const { return (bits & 32) != 0; }
  bool send_fails() const { return (bits & 64) != 0; }
  bool never_sent() const { return (bits & 128) != 0; }

  unsigned bits;
};

class exchange {
public:
  explicit exchange(std::uint8_t choice)
    : config_(make_config(choice)),
      machine_(config_, 1, &cipher_, &random_),
      time_(make_time((choice & 32) != 0)) {
    machine_.on_time(time_);
    if ((choice & 3) != 3)
      machine_.on_keys(server_keys());
    clients_[0].address = ip_address::v4({192, 0, 2, 1});
    clients_[1].address = ip_address::v4({192, 0, 2, 2});
    clients_[2].address = ip_address::v6({0xfe, 0x80}, 1);
    clients_[3].address = ip_address::v6({0xfe, 0x80}, 2);
  }

  /// The header of `packet`, its octet of `nts_choice`, and the rest.
  void step_with_nts(control what, std::span<std::byte> packet,
                     std::span<const std::byte> rest) {
    const nts_choice how{rest.front()};
    rest = rest.subspan(1);
    const auto words = std::min<std::size_t>(rest.size(), 1000) / 4 * 4;
    return_stamp(what, packet);
    const auto size = add_nts(packet, how, rest.first(words));
    const auto r = answer(what, packet.first(size));
    require(!r.nts || !(how.changed() || how.bad_cookie()));
    require(r.what != response::kiss_nts || how.changed() || how.bad_cookie());
  }

  void step(control what, std::span<std::byte> request) {
    if (request.size() >= header_size)
      return_stamp(what, request);
    answer(what, request);
  }

private:
  void return_stamp(control what, std::span<std::byte> request) {
    if (what.returns_stamp())
      write_big_endian(request, 24, clients_[what.client()].echo.bits());
  }

  reply answer(control what, std::span<const std::byte> request) {
    auto& c = clients_[what.client()];
    if (what.step_before())
      step_clock();
    if (!what.clock_stands())
      wall_ = wall_ + ntp_duration::from_seconds(0.25);
    auto r
      = machine_.respond(request, {c.address, 123}, wall_, mono_time{}, out_);
    ++packets_;
    check(request, r);
    if (r.size > 0) {
      check_mode(request, r, c);
      finish(what, r, c);
    }
    if (r.nts && !what.never_sent())
      check_cookies(request, std::span{out_}.first(r.size));
    check_counters();
    return r;
  }

  void step_clock() {
    ++time_.step_count;
    machine_.on_time(time_);
    for (auto& c : clients_)
      c.receive = {};
  }

  void check(std::span<const std::byte> request, const reply& r) const {
    require(r.size <= request.size());
    require((r.size == 0) == (r.what == response::ignored));
    require(r.size > 0 || !r.slot);
    require(r.slot || !(r.wants_transmit_stamp || r.interleaved));
    if (r.size == 0)
      return;
    const auto asked = parse_header(request);
    const auto answer = parse_packet(std::span{out_}.first(r.size));
    require(asked && answer);
    const auto& h = answer->header;
    require(h.version == asked->version);
    require((h.receive.bits() & 1) == 1);
    require(r.interleaved == !h.transmit.is_unknown());
    require(h.receive - h.reference_time >= ntp_duration{}
            || h.reference_time.is_unknown());
    if (asked->mode == packet_mode::client)
      require(h.mode == packet_mode::server);
    else
      require(asked->mode == packet_mode::symmetric_active
              && config_->answer_symmetric_active
              && h.mode == packet_mode::symmetric_passive && !r.slot);
  }

  void check_mode(std::span<const std::byte> request, const reply& r,
                  const known_client& c) const {
    const auto asked = *parse_header(request);
    const auto answer = *parse_header(out_);
    const bool remembered = r.what == response::answered
                            && asked.mode == packet_mode::client
                            && config_->clients > 0;
    require(r.slot.has_value() == remembered);
    const bool expected
      = remembered && !c.receive.is_unknown() && !c.transmit.is_unknown()
        && asked.origin == c.receive && asked.receive != asked.transmit;
    require(r.interleaved == expected);
    require((r.why == reason::interleaved || r.why == reason::nts_interleaved)
            == expected);
    require(answer.origin == (expected ? asked.receive : asked.transmit));
    require(!expected || (answer.transmit == c.transmit));
    require(!expected || r.wants_transmit_stamp);
    require(!r.slot || answer.receive != c.receive);
  }

  /// What a client needs of a reply with NTS that was sealed.
  void check_cookies(std::span<const std::byte> request,
                     std::span<const std::byte> reply) {
    const auto keys = client_keys();
    const auto asked = find_nts_fields(*parse_packet(request), request);
    const auto got = find_nts_fields(*parse_packet(reply), reply);
    require(asked && got && got->has_authenticator() && got->cookie.empty());
    require(
      std::ranges::equal(asked->unique_identifier, got->unique_identifier));
    std::vector<std::byte> plaintext(got->sealed.size() - aead_tag_size);
    require(cipher_.open(keys.aead, keys.s2c.bytes(), got->nonce,
                         got->associated, got->sealed, plaintext));
    const auto fields = read_sealed_fields(plaintext);
    require(fields.has_value());
    std::size_t cookies = 0;
    for (const auto& field : *fields) {
      require(field.type == extension_type::nts_cookie);
      require(server_keys()->open(field.body, cipher_) == keys);
      ++cookies;
    }
    require(cookies == std::min(asked->placeholders + 1, most_cookies));
  }

  /// Sends the reply, or not.
  void finish(control what, reply r, known_client& c) {
    const auto receive = parse_header(out_)->receive;
    if (r.slot) {
      c.receive = receive;
      c.transmit = {};
    }
    c.echo = receive;
    if (what.never_sent())
      return;
    const auto sent = wall_ + ntp_duration::from_units(what.bits);
    machine_.stamp(r, std::span{out_}.first(r.size), sent);
    machine_.on_sent(r);
    ++stamped_;
    const auto h = *parse_header(out_);
    require(h.receive != h.transmit && (h.transmit.bits() & 1) == 0);
    require(!h.transmit.is_unknown());
    require(r.interleaved || h.transmit - h.receive >= ntp_duration{});
    if (!r.slot)
      return;
    c.transmit = even(sent, receive);
    if (what.kernel_stamp()) {
      const auto left = sent + ntp_duration::from_units(0x10000);
      machine_.on_transmit_stamp(*r.slot, left);
      c.transmit = even(left, receive);
    }
    if (what.send_fails()) {
      machine_.on_send_failed(r);
      c.receive = {};
    }
  }

  /// As the responder makes transmit stamps.
  ntp_timestamp even(ntp_timestamp wall, ntp_timestamp receive) const {
    const auto t = ntp_timestamp::from_bits(time_.disciplined(wall).bits()
                                            & ~std::uint64_t{1});
    return t - receive < ntp_duration{} ? receive + ntp_duration::from_units(1)
                                        : t;
  }

  void check_counters() const {
    require(machine_.counters().total() == packets_);
    require(machine_.counters().latency.total() == stamped_);
    require(machine_.top_clients(8).size() <= config_->clients);
  }

  std::shared_ptr<const responder_config> config_;
  test::toy_cipher cipher_;
  test::seeded_random random_;
  responder machine_;
  served_time time_;
  std::array<known_client, 4> clients_;
  ntp_timestamp wall_ = start;
  std::uint64_t packets_ = 0;
  std::uint64_t stamped_ = 0;
  std::array<std::byte, 65536> out_{};
};

} // namespace

/// The first octet chooses the configuration. Then come packets: an octet of
/// `control`, two of the length, and so many; with the highest bit of the
/// length a request with NTS is made of these (see `nts_choice`), of which the
/// rest is what its authenticator protects.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::span input{data, size};
  if (input.empty())
    return 0;
  exchange e{input[0]};
  input = input.subspan(1);
  static std::array<std::byte, 65536> request;
  while (input.size() >= 3) {
    const control what{input[0]};
    const std::size_t length = std::size_t{input[1] & 0x7fU} << 8 | input[2];
    const bool nts = (input[1] & 0x80) != 0;
    input = input.subspan(3);
    const auto bytes
      = std::as_bytes(input.first(std::min(length, input.size())));
    input = input.subspan(bytes.size());
    std::copy(bytes.begin(), bytes.end(), request.begin());
    if (nts && bytes.size() > header_size)
      e.step_with_nts(what, request, bytes.subspan(header_size));
    else
      e.step(what, std::span{request}.first(bytes.size()));
  }
  return 0;
}

} // namespace concert::ntp
