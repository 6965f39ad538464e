// Whatever arrives: only client requests are answered, each with a whole server
// header that is no longer than the request, and each packet counts once.

#include "ntp_core/responder/responder.hpp"

#include "ntp_core/packet/packet.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace concert::ntp {

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

constexpr auto received = ntp_timestamp::from_bits(0xe800000000000000);

std::shared_ptr<const responder_config> make_config(unsigned choice) {
  auto c = std::make_shared<responder_config>();
  c->versions = static_cast<std::uint8_t>((choice & 1) != 0 ? 0xff : 0x18);
  if ((choice & 2) != 0)
    c->deny = access_list::everybody();
  if ((choice & 4) == 0)
    c->allow = access_list::everybody();
  c->allow_action = refusal::deny;
  if ((choice & 8) != 0)
    c->require_nts = refusal::deny;
  if ((choice & 16) != 0)
    c->rate = {16, std::chrono::milliseconds{100}, 2};
  return c;
}

void check_reply(std::span<const std::byte> request, const reply& r,
                 std::span<const std::byte> out) {
  require(r.size <= request.size());
  require((r.size == 0) == (r.what == response::ignored));
  if (r.size == 0)
    return;
  const auto asked = parse_header(request);
  const auto answer = parse_packet(out.first(r.size));
  require(asked && answer);
  const auto& h = answer->header;
  require(asked->mode == packet_mode::client);
  require(h.mode == packet_mode::server);
  require(h.version == asked->version);
  require(h.origin == asked->transmit);
  require(!h.receive.is_unknown() && !h.transmit.is_unknown());
  require(h.transmit - h.receive >= ntp_duration{});
  require(h.transmit - h.reference_time >= ntp_duration{}
          || h.reference_time.is_unknown());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 1)
    return 0;
  responder machine{make_config(data[0]), 1};
  served_time time;
  time.valid = (data[0] & 32) != 0;
  time.stratum = 2;
  time.wall_base = received;
  time.reference_time = received;
  machine.on_time(time);
  const auto request = std::as_bytes(std::span{data + 1, size - 1});
  static std::array<std::byte, 65536> out;
  if (request.size() > out.size())
    return 0;
  const endpoint client{ip_address::v4({192, 0, 2, 1}), 123};
  constexpr int packets = 4;
  for (int i = 0; i < packets; ++i) {
    const auto r = machine.respond(request, client, received, mono_time{}, out);
    if (r.size > 0)
      machine.stamp(std::span{out}.first(r.size), received);
    check_reply(request, r, out);
  }
  require(machine.counters().total() == packets);
  return 0;
}

} // namespace concert::ntp
