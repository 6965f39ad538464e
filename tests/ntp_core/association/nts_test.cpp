#include "tests/ntp_core/association/driver.hpp"
#include "tests/ntp_core/support/nts_packets.hpp"

namespace concert::ntp {

using namespace std::chrono_literals;
using test::cookie_field;
using test::driver;
using test::field;
using test::field_of;
using test::filled;
using test::find;
using test::has_event;
using test::keys_for;
using test::octets;
using test::sealed;
using test::seeded_random;
using test::to_octets;
using test::toy_cipher;
using test::uid_field;

namespace {

constexpr auto gcm = aead_id::aes_128_gcm_siv;

association_config without_burst() {
  association_config c;
  c.iburst = false;
  return c;
}

nts_credentials credentials(std::size_t cookies, std::uint8_t seed = 1) {
  nts_credentials c;
  c.keys = keys_for(gcm, seed);
  for (std::size_t i = 0; i < cookies; ++i)
    c.cookies.emplace_back(std::size_t{104}, static_cast<std::byte>(i + 1));
  return c;
}

/// The cipher must be there before the driver.
struct with_cipher {
  toy_cipher cipher;
};

/// An association with NTS and a server that has its keys.
struct nts_driver : with_cipher, driver {
  explicit nts_driver(std::size_t cookies = 8,
                      const association_config& config = without_burst())
    : driver(config, &cipher) {
    if (cookies > 0)
      machine.give_credentials(credentials(cookies), now);
  }

  octets uid() const {
    const auto p = parse_packet(request_bytes);
    REQUIRE(p);
    const auto f = find_nts_fields(*p, request_bytes);
    REQUIRE(f);
    return field_of(
      extension_type::unique_identifier,
      octets(f->unique_identifier.begin(), f->unique_identifier.end()));
  }

  /// An authentic answer with this header and so many cookies.
  octets authentic(const packet_header& h, std::size_t cookies = 1,
                   std::uint8_t seed = 1) const {
    octets inner;
    for (std::size_t i = 0; i < cookies; ++i)
      inner = inner + cookie_field(filled(104, 0xcc));
    return sealed(to_octets(h) + uid(), gcm, keys_for(gcm, seed).s2c,
                  {12, 0, inner});
  }

  octets refusal() const {
    auto h = reply();
    h.leap = leap_indicator::unsynchronized;
    h.stratum = 0;
    h.reference_id = code_of("NTSN");
    return to_octets(h) + uid();
  }

  association_actions good_exchange() {
    poll();
    machine.on_transmit_stamp(stamp(stamp_kind::kernel), now);
    const auto h = reply();
    now += 20ms;
    return deliver(authentic(h));
  }

  nts_snapshot nts() const { return snapshot().nts.value(); }
};

} // namespace

TEST_CASE("with NTS requests are sealed, and authentic answers are measured") {
  nts_driver d;
  for (int i = 0; i < 30; ++i) {
    const auto actions = d.good_exchange();
    CHECK(find<measured>(actions));
    CHECK(find<nts_cookies_changed>(actions));
    CHECK(find<exchange_over>(actions));
    CHECK(d.request.version == 4);
    CHECK(d.request_bytes.size() == 48 + 36 + 108 + 40);
    CHECK(d.nts().cookies == 8);
  }
  CHECK(d.measurements == 30);
  CHECK(d.snapshot().reachability == 0xff);
  CHECK(d.nts().aead == gcm);
  CHECK(!d.nts().keys_wanted);
}

TEST_CASE("with NTS version 3 is never asked") {
  auto c = without_burst();
  c.version = 3;
  nts_driver d{8, c};
  d.good_exchange();
  CHECK(d.request.version == 4);
  CHECK(d.snapshot().version == 4);
  CHECK(d.measurements == 1);
}

TEST_CASE("without cookies keys are wanted once, and polls pause") {
  nts_driver d{0};
  const auto actions = d.step();
  CHECK(find<nts_keys_needed>(actions));
  CHECK(!find<send_packet>(actions));
  CHECK(!d.machine.next_deadline());
  CHECK(d.machine.credentials() == nullptr);
  CHECK(d.nts().keys_wanted);
  CHECK(!d.nts().aead);
  d.now += 24h;
  CHECK(d.machine.on_deadline(d.now).empty());
  d.machine.give_credentials(credentials(8), d.now);
  CHECK(d.machine.next_deadline() == d.now);
  CHECK(!d.nts().keys_wanted);
  CHECK(find<measured>(d.good_exchange()));
}

TEST_CASE("credentials of an earlier run spare the key exchange") {
  nts_driver d{3};
  CHECK(find<send_packet>(d.step()));
}

TEST_CASE("credentials without a cookie that can be used are wanted again") {
  nts_driver d{0};
  CHECK(find<nts_keys_needed>(d.step()));
  d.machine.give_credentials({}, d.now);
  CHECK(find<nts_keys_needed>(d.step()));
  CHECK(!d.machine.next_deadline());
}

TEST_CASE("placeholders ask for the cookies that got lost") {
  nts_driver d;
  d.miss();
  d.miss();
  CHECK(d.nts().cookies == 6);
  d.poll();
  CHECK(d.request_bytes.size() == 48 + 36 + 3 * 108 + 40);
  const auto h = d.reply();
  d.now += 20ms;
  d.deliver(d.authentic(h, 3));
  CHECK(d.nts().cookies == 8);
}

TEST_CASE("eight polls without an answer leave no cookie, and keys are wanted "
          "at the next") {
  nts_driver d;
  for (int i = 0; i < 8; ++i)
    CHECK(!find<nts_keys_needed>(d.miss()));
  CHECK(d.nts().cookies == 0);
  CHECK(find<nts_keys_needed>(d.step()));
  CHECK(!d.machine.next_deadline());
}

TEST_CASE("a request that could not be sent costs no cookie") {
  toy_cipher cipher;
  seeded_random random;
  mono_time now{1h};
  association a{without_burst(), random, now, {}, &cipher};
  a.give_credentials(credentials(1), now);
  for (int i = 0; i < 20; ++i) {
    now = a.next_deadline().value();
    CHECK(find<send_packet>(a.on_deadline(now)));
    a.on_send_failed(now);
  }
  CHECK(a.credentials()->cookies.size() == 1);
}

TEST_CASE("what is not authentic ends nothing and changes nothing but its "
          "count, and the true answer is taken after it") {
  nts_driver d;
  d.good_exchange();
  d.poll();
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  auto h = d.reply();
  const auto good = d.authentic(h);
  d.now += 20ms;
  const auto before = d.snapshot();
  std::vector<octets> bad{to_octets(h), to_octets(h) + d.uid(),
                          d.authentic(h, 1, 9)};
  for (const auto* code : {"RATE", "DENY", "RSTR", "NTSN", "XXXX"}) {
    auto kiss = h;
    kiss.stratum = 0;
    kiss.leap = leap_indicator::unsynchronized;
    for (int i = 0; i < 4; ++i)
      kiss.reference_id
        = kiss.reference_id << 8 | static_cast<std::uint8_t>(code[i]);
    bad.push_back(to_octets(kiss));
    bad.push_back(to_octets(kiss) + uid_field());
    if (kiss.reference_id != code_of("NTSN"))
      bad.push_back(to_octets(kiss) + d.uid());
  }
  auto changed = good;
  changed[1] = std::byte{1}; // another stratum
  bad.push_back(changed);
  bad.push_back(good + field(0x2005, 24));
  for (const auto& bytes : bad)
    CHECK(d.deliver(bytes).empty());
  auto after = d.snapshot();
  CHECK(after.packets[static_cast<std::size_t>(packet_verdict::unauthenticated)]
        == bad.size());
  after.packets = before.packets;
  CHECK(after.last_verdict == before.last_verdict);
  CHECK(after.stratum == before.stratum);
  CHECK(after.nts == before.nts);
  CHECK(after.burst_tokens == doctest::Approx(before.burst_tokens));
  CHECK(find<measured>(d.deliver(good)));
  CHECK(d.packets(packet_verdict::accepted) == 2);
}

TEST_CASE("an authentic answer to an earlier request is bogus, a second one to "
          "this is unsolicited") {
  nts_driver d;
  d.poll();
  const auto old = d.authentic(d.reply());
  d.step();
  d.poll();
  CHECK(d.deliver(old).empty());
  CHECK(d.packets(packet_verdict::bogus_origin) == 1);
  const auto good = d.authentic(d.reply());
  d.now += 20ms;
  d.deliver(good);
  const auto cookies = d.nts().cookies;
  d.deliver(good);
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
  CHECK(d.nts().cookies == cookies);
}

TEST_CASE("authentic kisses are believed as plain ones are without NTS") {
  nts_driver d;
  d.poll();
  auto h = d.reply();
  h.leap = leap_indicator::unsynchronized;
  h.stratum = 0;
  h.reference_id = code_of("RATE");
  d.now += 20ms;
  const auto actions = d.deliver(d.authentic(h));
  CHECK(has_event(actions, association_event::kind::kiss_rate));
  CHECK(find<nts_cookies_changed>(actions));
  CHECK(find<exchange_over>(actions));
  CHECK(d.nts().cookies == 8);
}

TEST_CASE("a refusal waits for a good answer, and without one keys are wanted "
          "once while polls go on with the cookies left") {
  nts_driver d;
  d.poll();
  CHECK(d.deliver(d.refusal()).empty());
  CHECK(d.packets(packet_verdict::kiss_nts) == 1);
  CHECK(!d.nts().keys_wanted);
  const auto end = d.step();
  CHECK(find<nts_keys_needed>(end));
  CHECK(find<exchange_over>(end));
  CHECK(d.nts().cookies == 7);
  for (int i = 0; i < 7; ++i) {
    d.poll();
    d.deliver(d.refusal());
    CHECK(!find<nts_keys_needed>(d.step()));
  }
  CHECK(d.nts().cookies == 0);
  CHECK(!d.machine.next_deadline());
  d.machine.give_credentials(credentials(8), d.now);
  CHECK(find<measured>(d.good_exchange()));
}

TEST_CASE("a forged refusal before the good answer has no effect") {
  nts_driver d;
  d.poll();
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  const auto good = d.authentic(d.reply());
  for (int i = 0; i < 100; ++i)
    d.deliver(d.refusal());
  d.now += 20ms;
  CHECK(find<measured>(d.deliver(good)));
  CHECK(!d.nts().keys_wanted);
  d.miss();
  CHECK(!d.nts().keys_wanted);
}

TEST_CASE("a refusal with a wrong origin is bogus") {
  nts_driver d;
  d.poll();
  auto bytes = d.refusal();
  bytes[24] ^= std::byte{1};
  d.deliver(bytes);
  CHECK(d.packets(packet_verdict::bogus_origin) == 1);
  CHECK(!find<nts_keys_needed>(d.step()));
}

TEST_CASE("refused keys give way to their alternative before others are "
          "wanted") {
  nts_driver d{0};
  auto c = credentials(8);
  c.alternate = keys_for(gcm, 5);
  d.machine.give_credentials(c, d.now);
  d.poll();
  d.deliver(d.refusal());
  CHECK(!find<nts_keys_needed>(d.step()));
  d.poll();
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  const auto good = d.authentic(d.reply(), 1, 5);
  d.now += 20ms;
  CHECK(find<measured>(d.deliver(good)));
  CHECK(!d.nts().keys_wanted);
}

TEST_CASE("new keys do not make the server another one") {
  nts_driver d;
  for (int i = 0; i < 8; ++i)
    d.good_exchange();
  const auto before = d.snapshot();
  d.machine.give_credentials(credentials(8, 3), d.now);
  const auto after = d.snapshot();
  CHECK(after.reachability == before.reachability);
  CHECK(after.stratum == before.stratum);
  CHECK(after.poll == before.poll);
  d.poll();
  d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
  const auto good = d.authentic(d.reply(), 1, 3);
  d.now += 20ms;
  CHECK(find<measured>(d.deliver(good)));
}

TEST_CASE("interleaved mode works with NTS") {
  auto c = without_burst();
  c.interleaved = true;
  nts_driver d{8, c};
  for (int i = 0; i < 4; ++i) {
    d.poll();
    d.machine.on_transmit_stamp(d.stamp(stamp_kind::kernel), d.now);
    auto h = d.reply();
    if (i > 0) {
      h.origin = d.request.receive;
      // When the last answer left, a poll ago.
      h.transmit = d.request.origin + ntp_duration::from_units(2);
    }
    d.now += 20ms;
    d.deliver(d.authentic(h));
  }
  CHECK(d.snapshot().interleaved_answers == 3);
  CHECK(d.measurements == 3); // the last one's is still to come
}

TEST_CASE("offline nothing is wanted, and online again the poll is due") {
  nts_driver d{0};
  d.machine.set_online(false, d.now);
  CHECK(!d.machine.next_deadline());
  d.now += 1h;
  CHECK(d.machine.on_deadline(d.now).empty());
  d.machine.set_online(true, d.now);
  CHECK(find<nts_keys_needed>(d.step()));
}

TEST_CASE("without NTS credentials change nothing") {
  driver d{without_burst()};
  d.machine.give_credentials(credentials(8), d.now);
  CHECK(d.machine.credentials() == nullptr);
  CHECK(!d.snapshot().nts);
  d.poll();
  CHECK(d.request_bytes.size() == header_size);
}

} // namespace concert::ntp
