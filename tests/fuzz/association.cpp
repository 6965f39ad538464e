// Packets and stamps in any order: a measurement needs a random stamp of the
// request under way, each exchange makes one at most, every packet counts once,
// and an exchange that began ends once. With NTS only what the server sealed
// for that request is accepted, and no cookie is sent twice.

#include "ntp_core/association/association.hpp"

#include "ntp_core/nts/authenticator.hpp"
#include "ntp_core/packet/extension_writer.hpp"
#include "tests/ntp_core/support/toy_cipher.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

namespace concert::ntp {

using namespace std::chrono_literals;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

/// Reads the fuzzer's input piece by piece; zeros after its end.
class input {
public:
  input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }

  std::uint8_t octet() {
    if (rest_.empty())
      return 0;
    const auto value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }

  std::span<const std::byte> bytes(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return std::as_bytes(taken);
  }

private:
  std::span<const std::uint8_t> rest_;
};

class counting_random : public random_source {
public:
  std::uint64_t next() override { return state_ += 0x9e3779b97f4a7c15; }

private:
  std::uint64_t state_ = 0;
};

constexpr auto siv = aead_id::aes_siv_cmac_256;

session_keys client_keys() {
  std::array<std::byte, key_size(siv)> key{};
  key[0] = std::byte{1};
  const aead_key c2s{key};
  key[0] = std::byte{2};
  return {siv, c2s, aead_key{key}};
}

class harness {
public:
  harness(input& in, bool nts)
    : in_(in),
      nts_(nts),
      machine_(config(in), random_, now_, {}, nts ? &cipher_ : nullptr) {}

  void run() {
    while (!in_.empty())
      turn();
    require(packets_ == counted());
  }

private:
  using stamp_octets = std::array<std::byte, 8>;

  static void copy_stamp(std::span<const std::byte, 8> from, auto to) {
    std::copy(from.begin(), from.end(), to);
  }

  static association_config config(input& in) {
    association_config c;
    const auto kind = in.octet();
    c.version = kind % 2 == 0 ? 4 : 3;
    c.interleaved = kind / 2 % 2 != 0;
    c.min_poll = static_cast<std::int8_t>(in.octet() % 8);
    c.initial_poll = c.min_poll;
    return c;
  }

  local_stamp stamp() {
    const auto off
      = std::chrono::microseconds{static_cast<std::int8_t>(in_.octet()) * 100};
    const auto since = now_.time_since_epoch() + off;
    return {ntp_timestamp::from_unix(1'800'000'000s + since),
            raw_time::from_nanoseconds(since),
            static_cast<stamp_kind>(in_.octet() % 3)};
  }

  secret_bytes fresh_cookie() {
    secret_bytes cookie(16);
    write_big_endian(std::span{cookie}, 0, ++cookies_made_);
    return cookie;
  }

  void give_credentials() {
    nts_credentials c{client_keys(), {}, {}};
    for (int i = in_.octet() % 10; i > 0; --i)
      c.cookies.push_back(fresh_cookie());
    machine_.give_credentials(std::move(c), now_);
  }

  void check_request(std::span<const std::byte> bytes) {
    const auto p = parse_packet(bytes);
    require(p.has_value());
    const auto f = find_nts_fields(*p, bytes);
    require(f.has_value() == nts_);
    if (!f)
      return;
    require(used_.insert({f->cookie.begin(), f->cookie.end()}).second);
    identifier_.assign(f->unique_identifier.begin(),
                       f->unique_identifier.end());
  }

  /// Adds to a header what only the server can, or what anybody could who saw
  /// the request; returns the size.
  std::size_t add_nts(std::span<std::byte> packet, bool authentic) {
    extension_writer fields{packet, header_size};
    fields.add(extension_type::unique_identifier, identifier_);
    if (!authentic)
      return fields.size();
    const auto keys = client_keys();
    const auto cookie = fresh_cookie();
    const auto offset = fields.size();
    extension_writer sealed{
      add_authenticator(fields, keys.aead, extension_overhead + cookie.size(),
                        0, random_),
      0};
    sealed.add(extension_type::nts_cookie, cookie);
    seal_authenticator(packet.first(fields.size()), offset, keys.aead,
                       keys.s2c.bytes(), cipher_);
    return fields.size();
  }

  void turn() {
    now_ += std::chrono::milliseconds{in_.octet()};
    switch (in_.octet() % 10) {
      case 0:
        if (const auto due = machine_.next_deadline())
          now_ = std::max(now_, *due);
        take(machine_.on_deadline(now_));
        break;
      case 1:
        take(machine_.on_transmit_stamp(stamp(), now_));
        break;
      case 2:
        machine_.on_clock_stepped(now_);
        break;
      case 3:
        machine_.set_desired_poll(static_cast<std::int8_t>(in_.octet()), now_);
        break;
      case 4:
        machine_.request_poll(now_, std::chrono::seconds{in_.octet()});
        break;
      case 5:
        machine_.set_online(in_.octet() % 4 != 0, now_);
        break;
      case 6:
        take(machine_.on_send_failed(now_));
        break;
      case 7:
        if (nts_)
          give_credentials();
        else
          deliver();
        break;
      default:
        deliver();
        break;
    }
  }

  void deliver() {
    std::array<std::byte, 256> packet{};
    std::size_t size = in_.octet() % 129;
    const auto choice = in_.octet();
    const auto quoted = choice % 4;
    const auto bytes = in_.bytes(size);
    std::copy(bytes.begin(), bytes.end(), packet.begin());
    if (quoted != 1 && size >= 32)
      copy_stamp(quoted == 3 ? receive_ : transmit_, packet.begin() + 24);
    const auto quotes = [&](const stamp_octets& s) {
      return size >= header_size && s != stamp_octets{}
             && std::equal(s.begin(), s.end(), packet.begin() + 24);
    };
    const bool has_tail
      = nts_ && choice / 4 % 4 > 1 && size >= header_size && open_;
    const bool authentic = has_tail && choice / 4 % 4 == 2;
    if (has_tail)
      size = add_nts(packet, authentic);
    ++packets_;
    const auto all_before = counted();
    const auto accepted_before = accepted();
    const auto actions
      = machine_.on_packet(std::span{packet}.first(size), stamp(), now_);
    require(counted() == all_before + 1);
    if (accepted() != accepted_before) {
      require(authentic || !nts_);
      require(open_ && (quotes(transmit_) || quotes(receive_)) && !answered_);
      answered_ = true;
    }
    take(actions);
  }

  void take(const association_actions& actions) {
    for (const auto& a : actions) {
      if (const auto* s = std::get_if<send_packet>(&a)) {
        require(!open_);
        open_ = true;
        answered_ = false;
        copy_stamp(std::span{s->bytes}.subspan<32, 8>(), receive_.begin());
        copy_stamp(std::span{s->bytes}.subspan<40, 8>(), transmit_.begin());
        require(transmit_ != stamp_octets{} && transmit_ != receive_);
        check_request(std::span{s->bytes}.first(s->size));
        machine_.on_sent(stamp(), now_);
      } else if (const auto* m = std::get_if<measured>(&a)) {
        require(open_ && answered_);
        require(m->value.stratum >= 1 && m->value.stratum <= 15);
        // Noise below the coarsest precision that is believed, 2^-6 s.
        require((m->value.t3 - m->value.t2).seconds() >= -1.0 / 64);
        require(++measurements_ <= accepted());
        require(m->value.received_at > last_measured_);
        last_measured_ = m->value.received_at;
      } else if (std::holds_alternative<exchange_over>(a)) {
        require(open_);
        open_ = false;
      }
    }
    const auto s = machine_.snapshot(now_);
    require(s.poll >= 0 && s.poll <= 17);
    require(s.burst_tokens >= 0 && s.burst_tokens <= 8);
  }

  std::uint64_t accepted() const { return machine_.snapshot(now_).packets[0]; }

  std::uint64_t counted() const {
    std::uint64_t sum = 0;
    for (const auto n : machine_.snapshot(now_).packets)
      sum += n;
    return sum;
  }

  input& in_;
  counting_random random_;
  mono_time now_{1h};
  test::toy_cipher cipher_;
  bool nts_;
  association machine_;
  std::uint64_t cookies_made_ = 0;
  std::set<std::vector<std::byte>> used_; ///< cookies
  std::vector<std::byte> identifier_;     ///< of the last request
  stamp_octets receive_{};
  stamp_octets transmit_{};
  bool open_ = false;
  bool answered_ = false;
  std::uint64_t packets_ = 0;
  std::uint64_t measurements_ = 0;
  mono_time last_measured_{};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  input in{data, size};
  const bool nts = size > 0 && data[0] / 4 % 2 != 0;
  harness{in, nts}.run();
  return 0;
}

} // namespace concert::ntp
