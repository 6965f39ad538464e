#include "tools/ntp_load/messages.hpp"

#include "ntp_core/packet/packet.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace concert::load {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds sent = 1'800'000'000s;

std::uint64_t stamp(std::chrono::nanoseconds unix_time) {
  return ntp::ntp_timestamp::from_unix(unix_time).bits();
}

/// A good answer: received 10 us and sent 20 us after the request was.
answer_fields good() {
  return {.version = 4,
          .mode = 4,
          .stratum = 1,
          .receive = stamp(sent + 10us),
          .transmit = stamp(sent + 20us)};
}

expectation same_clock() {
  return {.same_clock = true, .earliest = sent, .latest = sent + 30us};
}

} // namespace

TEST_CASE("requests of all sizes and versions are valid packets of mode 3") {
  for (const std::uint8_t version : {3, 4})
    for (std::size_t size = 0; size <= 1100; ++size) {
      if (!is_request_size(size, version))
        continue;
      std::vector<std::byte> bytes(size, std::byte{0xff});
      write_request(bytes, version);
      exchange e;
      e.transmit = 0x0123456789abcdef;
      e.receive = 7;
      write_fields(bytes, e, 9);
      const auto parsed = ntp::parse_packet(bytes);
      REQUIRE(parsed);
      CHECK(parsed->header.version == version);
      CHECK(parsed->header.mode == ntp::packet_mode::client);
      CHECK(parsed->header.transmit.bits() == e.transmit);
      CHECK(parsed->header.receive.bits() == 7);
      CHECK(parsed->header.origin.bits() == 9);
      CHECK(!parsed->mac);
    }
}

TEST_CASE("48 octets suit both versions, extension fields only version 4") {
  CHECK(is_request_size(48, 3));
  CHECK(is_request_size(48, 4));
  CHECK(is_request_size(76, 4));
  CHECK(is_request_size(1024, 4));
  CHECK_FALSE(is_request_size(76, 3));
  CHECK_FALSE(is_request_size(72, 4));
  CHECK_FALSE(is_request_size(78, 4));
  CHECK_FALSE(is_request_size(1028, 4));
}

TEST_CASE("an answer is read as it is on the wire") {
  ntp::packet_header h;
  h.leap = ntp::leap_indicator::unsynchronized;
  h.version = 3;
  h.mode = ntp::packet_mode::server;
  h.stratum = 5;
  h.origin = ntp::ntp_timestamp::from_bits(0x1122334455667788);
  h.receive = ntp::ntp_timestamp::from_bits(2);
  h.transmit = ntp::ntp_timestamp::from_bits(3);
  std::array<std::byte, ntp::header_size> bytes{};
  ntp::encode(h, bytes);
  const auto a = read_answer(bytes);
  CHECK(a.leap == 3);
  CHECK(a.version == 3);
  CHECK(a.mode == 4);
  CHECK(a.stratum == 5);
  CHECK(a.origin == 0x1122334455667788);
  CHECK(a.receive == 2);
  CHECK(a.transmit == 3);
}

TEST_CASE("each kind of bad answer is called by its name") {
  const auto with = [](auto change) {
    auto a = good();
    change(a);
    return judge(a, same_clock());
  };
  CHECK(judge(good(), same_clock()) == verdict::good);
  CHECK(with([](auto& a) { a.mode = 5; }) == verdict::mode);
  CHECK(with([](auto& a) { a.version = 3; }) == verdict::version);
  CHECK(with([](auto& a) { a.stratum = 0; }) == verdict::kiss);
  CHECK(with([](auto& a) { a.stratum = 16; }) == verdict::unsynchronized);
  CHECK(with([](auto& a) { a.leap = 3; }) == verdict::unsynchronized);
  CHECK(with([](auto& a) { a.receive = 0; }) == verdict::stamps);
  CHECK(with([](auto& a) { a.transmit = 0; }) == verdict::stamps);
  CHECK(with([](auto& a) { std::swap(a.receive, a.transmit); })
        == verdict::stamps);
  CHECK(with([](auto& a) { a.receive = stamp(sent - 5us); })
        == verdict::outside);
  CHECK(with([](auto& a) { a.transmit = stamp(sent + 35us); })
        == verdict::outside);
}

TEST_CASE("another clock may be anywhere") {
  auto a = good();
  a.receive = stamp(sent - 1h);
  a.transmit = stamp(sent - 1h + 1us);
  CHECK(judge(a, {}) == verdict::good);
}

TEST_CASE("an interleaved answer tells when the one before it left") {
  auto a = good();
  a.transmit = stamp(sent - 1s);
  auto e = same_clock();
  CHECK(judge(a, e) == verdict::stamps);
  e.interleaved = true;
  CHECK(judge(a, e) == verdict::good);
  a.transmit = stamp(sent + 20us);
  CHECK(judge(a, e) == verdict::stamps);
}

TEST_CASE("differences of stamps are in nanoseconds, with their sign") {
  CHECK(difference_ns(stamp(sent + 123ns), sent) == 123);
  CHECK(difference_ns(stamp(sent - 2s), sent) == -2'000'000'000);
}

TEST_CASE("every verdict has a name of its own") {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < verdict_count; ++i)
    names.push_back(to_string(static_cast<verdict>(i)));
  std::sort(names.begin(), names.end());
  CHECK(std::unique(names.begin(), names.end()) == names.end());
  CHECK_FALSE(names.front().empty());
}

} // namespace concert::load
