#include "actors/parking.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

using concert::actors::parking;

TEST_CASE("a message put before the wake is never slept over") {
  // The sleeper waits for each of the messages without a limit: one lost wake
  // would hang it.
  auto opened = parking::open();
  REQUIRE(opened);
  auto& place = *opened;
  constexpr int messages = 20'000;
  std::atomic<int> sent{0};
  std::atomic<int> seen{0};
  std::thread sleeper{[&] {
    while (seen.load() < messages) {
      place.park({}, [&] { return sent.load() > seen.load(); });
      seen.store(sent.load());
    }
  }};
  for (int i = 1; i <= messages; ++i) {
    sent.store(i);
    place.wake();
    // Sometimes let it catch up, so that it really sleeps.
    while (i % 4 == 0 && seen.load() < i)
      std::this_thread::yield();
  }
  sleeper.join();
  CHECK(seen.load() == messages);
}

TEST_CASE("nobody sleeps who has mail") {
  auto opened = parking::open();
  REQUIRE(opened);
  opened->park({}, [] { return true; });
}

TEST_CASE("a readable descriptor ends the sleep") {
  auto opened = parking::open();
  REQUIRE(opened);
  std::array<int, 2> pair{};
  REQUIRE(pipe(pair.data()) == 0);
  const concert::platform::unique_fd out{pair[0]};
  const concert::platform::unique_fd in{pair[1]};
  REQUIRE(write(in.get(), "x", 1) == 1);
  opened->park(std::array{out.get()}, [] { return false; });
}
