#include "tests/ntp_core/association/driver.hpp"

namespace concert::ntp {

using test::count;
using test::driver;
using test::find;
using test::has_event;
using namespace std::chrono_literals;

namespace {

association_config without_burst() {
  association_config c;
  c.iburst = false;
  return c;
}

void kiss(packet_header& h, std::uint32_t code) {
  h.leap = leap_indicator::unsynchronized;
  h.stratum = 0;
  h.reference_id = code;
}

/// Whether `t` is the regular interval of `poll`, with at most 2 % added.
bool is_interval(std::chrono::nanoseconds t, int poll) {
  const double s = seconds_of(t);
  return s >= std::ldexp(1, poll) - 0.05 && s <= std::ldexp(1.02, poll);
}

} // namespace

TEST_CASE("the first poll comes after the delay asked for") {
  test::seeded_random random;
  association a{{}, random, mono_time{1h}, 3s};
  CHECK(a.next_deadline() == mono_time{1h} + 3s);
  CHECK(a.on_deadline(mono_time{1h} + 2s).empty());
  const auto actions = a.on_deadline(mono_time{1h} + 3s);
  REQUIRE(find<send_packet>(actions));
  CHECK(find<send_packet>(actions)->size == header_size);
}

TEST_CASE("a start makes four polls 2 s apart, then regular ones") {
  driver d;
  d.exchange();
  for (int i = 1; i < 4; ++i) {
    CHECK(d.poll() == 2s - 20ms);
    d.answer();
  }
  CHECK(d.snapshot().burst_tokens == doctest::Approx(4).epsilon(0.05));
  for (int i = 0; i < 20; ++i) {
    CHECK(is_interval(d.poll(), 6));
    d.answer();
  }
}

TEST_CASE("polls are jittered, so that clients do not march in step") {
  driver d{without_burst()};
  d.exchange();
  const auto a = d.poll();
  d.answer();
  const auto b = d.poll();
  CHECK(a != b);
}

TEST_CASE("the burst is no longer when nobody answers") {
  driver d;
  d.miss();
  for (int i = 1; i < 4; ++i)
    d.miss();
  CHECK(d.now == mono_time{1h} + 11s); // three spacings and a whole window
  for (int i = 0; i < 30; ++i) {
    const auto before = d.now;
    d.miss();
    CHECK(d.now - before >= 63s);
  }
}

TEST_CASE("a restart makes no burst at servers just heard") {
  association_config c;
  c.burst_tokens = 0.5;
  driver d{c};
  d.exchange();
  CHECK(is_interval(d.poll(), 6));
  c.burst_tokens = 2;
  driver two{c};
  two.exchange();
  CHECK(two.poll() < 3s);
  two.answer();
  CHECK(is_interval(two.poll(), 6));
}

TEST_CASE("a token comes back each 64 s, up to 8") {
  driver d;
  d.end_burst();
  const auto s = d.machine.snapshot(d.now + 64s);
  CHECK(s.burst_tokens - d.snapshot().burst_tokens == doctest::Approx(1));
  CHECK(d.machine.snapshot(d.now + 1h).burst_tokens == 8);
}

TEST_CASE("the reachability shifts once a poll, and its ends are told") {
  driver d;
  d.exchange();
  d.exchange();
  CHECK(d.snapshot().reachability == 0b11);
  const auto missed = d.miss();
  CHECK(count<state_changed>(missed) == 1);
  CHECK(count<exchange_over>(missed) == 1);
  CHECK(d.snapshot().reachability == 0b110);
  CHECK(d.snapshot().unanswered_polls == 1);
  for (int i = 0; i < 6; ++i)
    CHECK(!has_event(d.miss(), association_event::kind::unreachable));
  CHECK(has_event(d.miss(), association_event::kind::unreachable));
  CHECK(d.snapshot().reachability == 0);
  CHECK(d.snapshot().unanswered_polls == 8);
  d.miss();
  CHECK(d.snapshot().unanswered_polls == 8);
  CHECK(has_event(d.exchange(), association_event::kind::reachable));
  CHECK(d.snapshot().unanswered_polls == 0);
  CHECK(d.ends == d.states);
  CHECK(d.ends == 12);
}

TEST_CASE("a source that never answers asks for another address after 3 polls, "
          "then each 8") {
  driver d;
  std::string asked;
  for (int i = 1; i <= 20; ++i)
    if (find<reset>(d.miss()))
      asked += std::to_string(i) + ' ';
  CHECK(asked == "3 11 19 ");
}

TEST_CASE("a source that fell silent asks for another address each 8 polls") {
  driver d;
  d.exchange();
  std::string asked;
  for (int i = 1; i <= 20; ++i)
    if (find<reset>(d.miss()))
      asked += std::to_string(i) + ' ';
  CHECK(asked == "8 16 ");
}

TEST_CASE("a RATE kiss ends the burst and lengthens the interval") {
  driver d;
  d.poll();
  const auto actions = d.answer([](auto& h) { kiss(h, code_of("RATE")); });
  CHECK(has_event(actions, association_event::kind::kiss_rate));
  CHECK(count<exchange_over>(actions) == 1);
  CHECK(!find<measured>(actions));
  CHECK(d.snapshot().poll == 7);
  CHECK(d.snapshot().burst_tokens == 0);
  CHECK(is_interval(d.poll(), 7));
}

TEST_CASE("a kiss is one whatever its leap indicator says") {
  driver d{without_burst()};
  d.exchange([](auto& h) {
    kiss(h, code_of("RATE"));
    h.leap = leap_indicator::none;
  });
  CHECK(d.packets(packet_verdict::kiss_rate) == 1);
  CHECK(d.snapshot().poll == 7);
}

TEST_CASE("more RATE kisses lengthen it further, up to the maximum") {
  driver d{without_burst()};
  for (int i = 0; i < 10; ++i)
    d.exchange([](auto& h) { kiss(h, code_of("RATE")); });
  CHECK(d.snapshot().poll == 10);
  d.machine.set_desired_poll(6, d.now);
  CHECK(d.snapshot().poll == 10);
}

TEST_CASE("eight good answers take one step of a RATE back") {
  driver d{without_burst()};
  d.exchange([](auto& h) { kiss(h, code_of("RATE")); });
  d.exchange([](auto& h) { kiss(h, code_of("RATE")); });
  CHECK(d.snapshot().poll == 8);
  for (int i = 0; i < 8; ++i)
    d.exchange();
  CHECK(d.snapshot().poll == 7);
  for (int i = 0; i < 8; ++i)
    d.exchange();
  CHECK(d.snapshot().poll == 6);
  for (int i = 0; i < 20; ++i)
    d.exchange();
  CHECK(d.snapshot().poll == 6);
}

TEST_CASE("DENY is remembered, and believed once nothing else comes") {
  for (const auto code : {code_of("DENY"), code_of("RSTR")}) {
    driver d;
    CHECK(has_event(d.exchange([=](auto& h) { kiss(h, code); }),
                    association_event::kind::kiss_deny));
    CHECK(is_interval(d.poll(), 6));
    CHECK(!find<demobilize>(d.step()));
    CHECK(find<demobilize>(d.miss()));
    CHECK(!d.machine.next_deadline());
  }
}

TEST_CASE("a server that answers in spite of a DENY is kept") {
  driver d;
  d.exchange();
  d.exchange([](auto& h) { kiss(h, code_of("DENY")); });
  d.exchange();
  for (int i = 0; i < 20; ++i)
    CHECK(!find<demobilize>(d.miss()));
}

TEST_CASE("other kiss codes, also nearly right ones, change nothing") {
  for (const auto code : {code_of("NTSN"), code_of("STEP"), code_of("INIT"),
                          code_of("RATe"), 0xffffffffU}) {
    driver d{without_burst()};
    d.exchange([=](auto& h) { kiss(h, code); });
    CHECK(d.packets(packet_verdict::kiss_other) == 1);
    CHECK(d.snapshot().poll == 6);
    CHECK(is_interval(d.poll(), 6));
  }
}

TEST_CASE("the desired interval is kept within its limits") {
  association_config c;
  c.min_poll = 4;
  c.max_poll = 8;
  driver d{c};
  d.machine.set_desired_poll(0, d.now);
  CHECK(d.snapshot().poll == 4);
  d.machine.set_desired_poll(17, d.now);
  CHECK(d.snapshot().poll == 8);
}

TEST_CASE("a longer interval holds from the next poll, a shorter one at once") {
  driver d{without_burst()};
  d.exchange();
  d.machine.set_desired_poll(8, d.now);
  CHECK(is_interval(d.poll(), 6));
  d.answer();
  d.now += 100s;
  d.machine.set_desired_poll(6, d.now);
  CHECK(d.machine.next_deadline() == d.now);
  d.poll();
  d.answer();
  d.machine.set_desired_poll(8, d.now);
  d.poll();
  d.answer();
  d.machine.set_desired_poll(7, d.now);
  CHECK(is_interval(*d.machine.next_deadline() - d.now, 7));
}

TEST_CASE("a burst on request is spread, costs tokens and keeps the interval "
          "after it") {
  driver d;
  d.end_burst();
  d.now += 10s;
  const auto tokens = d.snapshot().burst_tokens;
  d.machine.request_poll(d.now, 32s);
  CHECK(*d.machine.next_deadline() <= d.now + 32s);
  CHECK(d.snapshot().burst_tokens == doctest::Approx(tokens - 1));
  d.machine.request_poll(d.now, 0s);
  CHECK(d.snapshot().burst_tokens == doctest::Approx(tokens - 1));
  d.poll();
  d.answer();
  for (int i = 0; i < 3; ++i) {
    CHECK(d.poll() <= 3s);
    d.answer();
  }
  CHECK(d.snapshot().burst_tokens < tokens - 3);
  CHECK(is_interval(d.poll(), 6));
}

TEST_CASE("requests for polls cannot drive the rate beyond the budget") {
  driver d;
  int polls = 0;
  const auto end = d.now + 64s;
  while (d.now < end) {
    d.machine.request_poll(d.now, 0s);
    polls += find<send_packet>(d.step()) ? 1 : 0;
  }
  CHECK(polls <= 10); // eight tokens, one that came back, one regular poll
}

TEST_CASE("an interval is never shortened by errors") {
  driver d{without_burst()};
  d.exchange();
  for (int i = 0; i < 10; ++i) {
    const auto before = d.now;
    while (!find<send_packet>(d.step())) {
      // nop
    }
    CHECK(d.now - before >= 63s);
    const auto actions = d.machine.on_send_failed(d.now);
    CHECK(count<state_changed>(actions) == 1);
    CHECK(count<exchange_over>(actions) == 1);
  }
  CHECK(d.snapshot().requests == 1);
  CHECK(d.snapshot().reachability == 0);
}

TEST_CASE("the burst is kept for when packets can leave") {
  driver d;
  for (int i = 0; i < 3; ++i) {
    CHECK(find<send_packet>(d.step()));
    d.machine.on_send_failed(d.now);
  }
  CHECK(d.snapshot().burst_tokens == 8);
  d.exchange();
  CHECK(d.poll() < 3s);
  d.answer();
  CHECK(d.poll() < 3s);
  d.answer();
  CHECK(d.poll() < 3s);
  d.answer();
  CHECK(is_interval(d.poll(), 6));
}

TEST_CASE("a step of the clock drops the exchange without counting a poll") {
  driver d;
  d.exchange();
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 10ms;
  d.machine.on_clock_stepped(d.now);
  CHECK(d.deliver(h).empty());
  CHECK(d.packets(packet_verdict::unsolicited) == 1);
  CHECK(d.machine.next_deadline() == d.now);
  const auto actions = d.step();
  CHECK(actions.size() == 1);
  CHECK(find<exchange_over>(actions));
  CHECK(d.snapshot().reachability == 1);
}

TEST_CASE("a step drops an answer that waits for its transmit stamp") {
  driver d;
  d.poll();
  const auto h = test::to_octets(d.reply());
  d.now += 20ms;
  d.deliver(h);
  d.machine.on_clock_stepped(d.now);
  CHECK(!find<measured>(d.step()));
}

TEST_CASE("offline means no packets, online no hurry") {
  driver d;
  d.end_burst();
  const auto due = d.machine.next_deadline();
  d.machine.set_online(false, d.now);
  CHECK(!d.machine.next_deadline());
  CHECK(d.machine.on_deadline(d.now + 1h).empty());
  d.machine.request_poll(d.now, 1s);
  CHECK(!d.machine.next_deadline());
  CHECK(d.snapshot().reachability == 0b1111);
  d.machine.set_online(true, d.now + 1s);
  CHECK(d.machine.next_deadline() == due);
  d.machine.set_online(false, d.now);
  d.machine.set_online(true, d.now + 1h);
  CHECK(d.machine.next_deadline() == d.now + 1h);
}

TEST_CASE("going offline in an exchange closes it") {
  driver d;
  d.poll();
  d.machine.set_online(false, d.now);
  const auto actions = d.step();
  CHECK(actions.size() == 1);
  CHECK(find<exchange_over>(actions));
  CHECK(!d.machine.next_deadline());
}

TEST_CASE("an operator's interval below 64 s is regular and costs nothing") {
  association_config c;
  c.min_poll = c.initial_poll = 2;
  c.burst_tokens = 0;
  driver d{c};
  d.exchange();
  for (int i = 0; i < 50; ++i) {
    CHECK(is_interval(d.poll(), 2));
    d.answer();
  }
}

} // namespace concert::ntp
