// Channels of NTS-KE: on real sockets, on loopback, and simulated ones.

#include "actors/simulation/simulated_ke_channel.hpp"
#include "actors/tcp_ke_channel.hpp"
#include "ntp_core/nts/session_keys.hpp"
#include "platform/socket.hpp"
#include "platform/socket_address.hpp"
#include "tests/platform/tls_support.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace concert::actors {

namespace {

using namespace std::chrono_literals;
using platform::socket_address;
using platform::tls_fault;
using platform::tls_session;
using platform::unique_fd;
using platform::testing::octets;
using platform::testing::serve;
using platform::testing::tls_site;

constexpr auto ample = 20s;

/// Lets the event loop work until `met`.
template <class Condition>
void run_until(asio::io_context& io, Condition met) {
  while (!met())
    if (io.run_one_for(ample) == 0)
      FAIL("nothing happens any more");
}

/// A channel with what it has told. `on_…` are called after that was noted.
struct talker {
  std::unique_ptr<ke_channel> channel;
  int readies = 0;
  std::string received;
  int finishes = 0;
  std::vector<ke_channel_end> ends;
  int events = 0;
  std::function<void()> on_ready;
  std::function<void()> on_received;
  std::function<void()> on_finished;
  std::function<void()> on_end;

  explicit talker(std::unique_ptr<ke_channel> c) : channel(std::move(c)) {}

  void start() {
    channel->start({[this] {
                      ++readies;
                      note(on_ready);
                    },
                    [this](std::span<const std::byte> plaintext) {
                      for (const auto b : plaintext)
                        received += static_cast<char>(b);
                      note(on_received);
                    },
                    [this] {
                      ++finishes;
                      note(on_finished);
                    },
                    [this](const ke_channel_end& end) {
                      ends.push_back(end);
                      note(on_end);
                    }});
  }

  bool ended(ke_ending how) const {
    return ends.size() == 1 && ends.front().how == how
           && (how == ke_ending::tls) == (ends.front().fault != tls_fault::none)
           && (how == ke_ending::finished) == ends.front().text.empty();
  }

  bool ended(tls_fault fault) const {
    return ended(ke_ending::tls) && ends.front().fault == fault;
  }

private:
  void note(const std::function<void()>& then) {
    ++events;
    CHECK(ends.size() <= 1);
    if (then)
      then();
  }
};

/// The other end, as plain as a socket is.
class raw_peer {
public:
  explicit raw_peer(const ntp::endpoint& server)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const socket_address to{server};
    REQUIRE(connect(fd_.get(), to.get(), to.size) == 0);
    fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
  }

  /// How many octets were taken.
  std::size_t send(std::span<const std::byte> data) {
    const auto n = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }

  /// What has come; `end` is then 0 for the end of input, or an error number.
  std::vector<std::byte> receive() {
    std::vector<std::byte> out;
    std::array<std::byte, 4096> buffer{};
    ssize_t n = 0;
    while ((n = recv(fd_.get(), buffer.data(), buffer.size(), 0)) > 0)
      out.insert(out.end(), buffer.begin(), buffer.begin() + n);
    end = n == 0 ? 0 : errno;
    return out;
  }

  void finish() { shutdown(fd_.get(), SHUT_WR); }

  void reset() {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_ = unique_fd{};
  }

  int end = EAGAIN;

private:
  unique_fd fd_;
};

struct fixture {
  fixture() { listen(); }

  void listen(std::chrono::milliseconds limit = ample) {
    listener.reset();
    auto made = open_ke_listener(
      io, {*ntp::endpoint::parse("127.0.0.1:0"), limit},
      {[this](const ntp::endpoint& client) {
         asked.push_back(client);
         return admits;
       },
       [this] {
         return has_sessions ? platform::testing::accept(*server) : nullptr;
       },
       [this](std::unique_ptr<ke_channel> channel) {
         auto& t
           = served.emplace_back(std::make_unique<talker>(std::move(channel)));
         if (on_served)
           on_served(*t);
         t->start();
       },
       [this](const std::string& cause) { failures.push_back(cause); }});
    REQUIRE_MESSAGE(made, made.error().text);
    listener = std::move(*made);
  }

  std::unique_ptr<talker> connect(const ntp::endpoint& to,
                                  std::chrono::milliseconds limit = ample) {
    auto t = std::make_unique<talker>(
      connect_ke_channel(io, to, new_session(), limit));
    t->start();
    return t;
  }

  std::unique_ptr<tls_session> new_session() const {
    return platform::testing::connect(*client, "time.example");
  }

  /// A raw peer that has shaken hands, with its session.
  raw_peer shake_hands(tls_session& session) {
    raw_peer peer{listener->local()};
    run_until(io, [&] {
      peer.send(session.take_output());
      session.feed(peer.receive());
      return session.state() == platform::tls_state::open && !served.empty()
             && served.back()->readies == 1;
    });
    return peer;
  }

  /// Each server answers what it is sent, and is done.
  void answer_all() {
    on_served = [](talker& t) {
      t.on_received = [&t] {
        CHECK(t.channel->send(octets("answer to " + t.received)));
        t.channel->finish();
      };
    };
  }

  /// Each server's end has come, and there is at least one.
  bool all_served() const {
    return !served.empty() && std::ranges::all_of(served, [](auto& t) {
      return !t->ends.empty();
    });
  }

  asio::io_context io;
  tls_site site;
  std::shared_ptr<const platform::tls_server> server
    = serve({site.pair("server", "DNS:time.example")});
  std::shared_ptr<const platform::tls_client> client = site.client();

  bool admits = true;
  bool has_sessions = true;
  std::vector<ntp::endpoint> asked;
  std::vector<std::string> failures;
  std::vector<std::unique_ptr<talker>> served;
  std::function<void(talker&)> on_served;
  std::unique_ptr<ke_listener> listener;
};

std::array<std::byte, 32> key_of(ke_channel& channel) {
  std::array<std::byte, 32> key{};
  CHECK(channel.export_key(ntp::exporter_label, octets("context"), key));
  return key;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "two channels exchange, and have the same keys") {
  const auto a = connect(listener->local());
  CHECK(a->events == 0);
  CHECK_FALSE(a->channel->send(octets("early")));
  run_until(io, [&] {
    return a->readies == 1 && !served.empty() && served[0]->readies == 1;
  });
  const auto& b = served[0];
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == b->channel->peer());
  CHECK(a->channel->peer() == listener->local());
  CHECK(key_of(*a->channel) == key_of(*b->channel));

  CHECK(a->channel->send(octets("one ")));
  CHECK(a->channel->send(octets("two")));
  run_until(io, [&] { return b->received == "one two"; });
  CHECK(b->channel->send(octets("three")));
  run_until(io, [&] { return a->received == "three"; });

  b->channel->finish();
  CHECK_FALSE(b->channel->send(octets("late")));
  run_until(io, [&] { return a->finishes == 1; });
  CHECK(a->ends.empty());
  a->channel->finish();
  run_until(io, [&] { return !a->ends.empty() && !b->ends.empty(); });
  CHECK(a->ended(ke_ending::finished));
  CHECK(b->ended(ke_ending::finished));
  CHECK_FALSE(a->channel->send(octets("late")));
}

TEST_CASE_FIXTURE(fixture,
                  "who has said that it writes no more gets its answer") {
  on_served = [](talker& b) {
    b.on_finished = [&b] {
      b.channel->send(octets("answer to " + b.received));
      b.channel->finish();
    };
  };
  // By hand, since `finish` would drop the answer.
  const auto session = new_session();
  auto peer = shake_hands(*session);
  session->write(octets("question"));
  session->close();
  peer.send(session->take_output());
  peer.finish();
  run_until(io, [&] {
    session->feed(peer.receive());
    return peer.end == 0;
  });
  CHECK(platform::testing::text_of(session->read()) == "answer to question");
  CHECK(session->state() == platform::tls_state::peer_closed);
}

TEST_CASE_FIXTURE(fixture, "a client that speaks octet by octet is served") {
  answer_all();
  const auto session = new_session();
  raw_peer peer{listener->local()};
  std::vector<std::byte> out;
  bool asked_for = false;
  run_until(io, [&] {
    if (out.empty())
      out = session->take_output();
    if (!out.empty() && peer.send(std::span{out}.first(1)) == 1)
      out.erase(out.begin());
    io.poll();
    session->feed(peer.receive());
    if (session->state() == platform::tls_state::open
        && !std::exchange(asked_for, true))
      session->write(octets("question"));
    asio::post(io, [] {}); // the loop never waits for us
    return session->state() == platform::tls_state::peer_closed;
  });
  CHECK(platform::testing::text_of(session->read()) == "answer to question");
}

TEST_CASE_FIXTURE(fixture, "a connection that takes too long ends") {
  SUBCASE("at the server, whose client says nothing") {
    listen(1ms);
    const raw_peer peer{listener->local()};
    run_until(io, [&] { return all_served(); });
  }
  SUBCASE("at the server, whose client goes on and on") {
    listen(20ms);
    raw_peer peer{listener->local()};
    const auto hello = new_session()->take_output();
    std::size_t sent = 0;
    run_until(io, [&] {
      if (sent + 1 < hello.size())
        sent += peer.send(std::span{hello}.subspan(sent, 1));
      asio::post(io, [] {});
      return all_served();
    });
  }
  SUBCASE("at the server, after the handshake") {
    listen(200ms);
    const auto a = connect(listener->local());
    run_until(io, [&] { return all_served(); });
    run_until(io, [&] { return !a->ends.empty(); });
    CHECK(a->ended(tls_fault::cut_off));
  }
  for (const auto& t : served) {
    CHECK(t->ended(ke_ending::timed_out));
    CHECK_FALSE(t->channel->send(octets("late")));
  }
}

TEST_CASE_FIXTURE(fixture, "a connection may be given another time") {
  SUBCASE("a longer one") {
    listen(1s);
    on_served
      = [](talker& t) { t.on_ready = [&t] { t.channel->extend(ample); }; };
    const auto a = connect(listener->local());
    run_until(io, [&] { return a->readies == 1; });
    bool passed = false;
    asio::steady_timer first_limit{io, 1200ms};
    first_limit.async_wait([&](std::error_code) { passed = true; });
    run_until(io, [&] { return passed; });
    CHECK(a->ends.empty());
    CHECK_FALSE(all_served());
  }
  SUBCASE("a shorter one") {
    on_served
      = [](talker& t) { t.on_ready = [&t] { t.channel->extend(1ms); }; };
    const auto a = connect(listener->local());
    run_until(io, [&] { return all_served(); });
    CHECK(served[0]->ended(ke_ending::timed_out));
    served[0]->channel->extend(ample);
    CHECK_FALSE(served[0]->channel->send(octets("late")));
  }
}

TEST_CASE_FIXTURE(fixture, "a client may be done before it is connected") {
  const auto a = connect(listener->local());
  a->channel->finish();
  CHECK(a->events == 0);
  run_until(io, [&] { return !a->ends.empty(); });
  CHECK(a->ended(ke_ending::finished));
}

TEST_CASE_FIXTURE(fixture, "a client gives up on a server that says nothing") {
  const unique_fd silent{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  socket_address address{*ntp::endpoint::parse("127.0.0.1:0")};
  REQUIRE(bind(silent.get(), address.get(), address.size) == 0);
  getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address.storage),
              &address.size);
  const auto at = platform::to_endpoint(*address.get());

  SUBCASE("that nobody listens at") {
    const auto a = connect(at);
    CHECK(a->events == 0);
    run_until(io, [&] { return !a->ends.empty(); });
    CHECK(a->ended(ke_ending::unreachable));
    CHECK(a->ends[0].text.find(at.to_string()) != std::string::npos);
  }
  SUBCASE("that somebody listens at") {
    REQUIRE(::listen(silent.get(), 5) == 0);
    const auto a = connect(at, 1ms);
    run_until(io, [&] { return !a->ends.empty(); });
    CHECK(a->ended(ke_ending::timed_out));
  }
}

TEST_CASE_FIXTURE(fixture, "a reset is told as a lost connection") {
  const auto session = new_session();
  auto peer = shake_hands(*session);
  peer.reset();
  run_until(io, [&] { return all_served(); });
  CHECK(served[0]->ended(ke_ending::broken));
}

TEST_CASE_FIXTURE(fixture, "an end without close_notify is told as such") {
  SUBCASE("in the handshake") {
    raw_peer peer{listener->local()};
    peer.finish();
    run_until(io, [&] { return all_served(); });
    CHECK(served[0]->readies == 0);
  }
  SUBCASE("after it, and all was received") {
    const auto session = new_session();
    auto peer = shake_hands(*session);
    session->write(octets("half a"));
    peer.send(session->take_output());
    peer.finish();
    run_until(io, [&] { return all_served(); });
    CHECK(served[0]->received == "half a");
    CHECK(served[0]->finishes == 0);
  }
  CHECK(served[0]->ended(tls_fault::cut_off));
}

TEST_CASE_FIXTURE(fixture, "both sides learn why a certificate is refused") {
  client = tls_site{"Another Authority"}.client();
  const auto a = connect(listener->local());
  run_until(io, [&] { return all_served() && !a->ends.empty(); });
  CHECK(a->ended(tls_fault::certificate));
  CHECK(served[0]->ended(tls_fault::refused));
  CHECK(a->readies == 0);
}

TEST_CASE_FIXTURE(fixture, "what is no TLS is answered by an alert") {
  raw_peer peer{listener->local()};
  peer.send(octets(std::string_view{"\x16\x03\x01\x00\x04nope", 9}));
  std::vector<std::byte> answer;
  run_until(io, [&] {
    const auto more = peer.receive();
    answer.insert(answer.end(), more.begin(), more.end());
    if (peer.end == 0)
      peer.finish();
    return all_served();
  });
  REQUIRE(answer.size() == 7);
  CHECK(answer[0] == std::byte{21}); // alert
  CHECK(served[0]->ended(tls_fault::protocol));
}

TEST_CASE_FIXTURE(fixture, "a client that is not served is not reset") {
  SUBCASE("since it is not admitted") {
    admits = false;
  }
  SUBCASE("since there is no session for it") {
    has_sessions = false;
  }
  raw_peer peer{listener->local()};
  peer.send(new_session()->take_output());
  run_until(io, [&] {
    CHECK(peer.receive().empty());
    return peer.end != EAGAIN;
  });
  CHECK(peer.end == 0);
  CHECK(asked.size() == 1);
  CHECK(served.empty());
}

TEST_CASE_FIXTURE(fixture, "two hundred who come at once are all served") {
  answer_all();
  std::vector<std::unique_ptr<talker>> clients;
  for (int i = 0; i < 200; ++i) {
    auto& a = *clients.emplace_back(connect(listener->local()));
    a.on_ready = [&a, i] { a.channel->send(octets(std::to_string(i))); };
    a.on_finished = [&a] { a.channel->finish(); };
  }
  for (const auto& a : clients)
    run_until(io, [&] { return !a->ends.empty(); });
  run_until(io, [&] { return all_served(); });
  CHECK(served.size() == clients.size());
  for (std::size_t i = 0; i < clients.size(); ++i) {
    CHECK(clients[i]->ended(ke_ending::finished));
    CHECK(clients[i]->received == "answer to " + std::to_string(i));
    CHECK(served[i]->ended(ke_ending::finished));
  }
}

TEST_CASE_FIXTURE(fixture, "the last words reach a peer that still writes") {
  answer_all();
  const auto session = new_session();
  auto peer = shake_hands(*session);
  session->write(octets("question"));
  peer.send(session->take_output());
  run_until(io, [&] { return !served[0]->received.empty(); });
  // It is leaving by now.
  const std::vector<std::byte> noise(20'000);
  session->write(noise);
  CHECK(peer.send(session->take_output()) > noise.size());
  peer.finish();
  run_until(io, [&] { return all_served(); });
  CHECK(served[0]->ended(ke_ending::finished));
  session->feed(peer.receive());
  CHECK(peer.end == 0);
  CHECK(platform::testing::text_of(session->read()) == "answer to question");
  CHECK(served[0]->received == "question");
}

TEST_CASE_FIXTURE(fixture, "a peer that never stops writing is left") {
  answer_all();
  const auto session = new_session();
  auto peer = shake_hands(*session);
  session->write(octets("question"));
  peer.send(session->take_output());
  const std::vector<std::byte> noise(1000);
  std::size_t sent = 0;
  run_until(io, [&] {
    if (!served[0]->received.empty())
      sent += peer.send(noise);
    asio::post(io, [] {});
    return all_served();
  });
  CHECK(served[0]->ended(ke_ending::finished));
  CHECK(sent > 64 * 1024);
  CHECK(sent < 1024 * 1024);
}

TEST_CASE_FIXTURE(fixture, "a peer that leaves its end open is left") {
  on_served = [](talker& t) { t.on_ready = [&t] { t.channel->finish(); }; };
  const auto a = connect(listener->local());
  run_until(io, [&] { return all_served(); });
  CHECK(served[0]->ended(ke_ending::finished));
  CHECK(a->finishes == 1);
  CHECK(a->ends.empty());
}

TEST_CASE_FIXTURE(fixture, "many who come do not take the thread for long") {
  std::vector<raw_peer> peers;
  peers.reserve(50);
  for (int i = 0; i < 50; ++i)
    peers.emplace_back(listener->local());
  bool other = false;
  on_served = [&](talker&) {
    if (served.size() == 1)
      asio::post(io, [&] { other = true; });
  };
  run_until(io, [&] { return other; });
  CHECK(served.size() < peers.size());
  run_until(io, [&] { return served.size() == peers.size(); });
}

TEST_CASE_FIXTURE(fixture, "only so much waits for a peer that does not read") {
  const auto a = connect(listener->local());
  run_until(io, [&] { return a->readies == 1; });
  const std::vector<std::byte> piece(1000);
  std::size_t taken = 0;
  while (a->channel->send(piece) && taken < 1000)
    ++taken;
  CHECK(taken >= 64);
  CHECK(taken <= 3 * 64);
}

TEST_CASE_FIXTURE(fixture, "all that waits is sent before the end") {
  const auto a = connect(listener->local());
  run_until(io, [&] {
    return a->readies == 1 && !served.empty() && served[0]->readies == 1;
  });
  const std::string piece(30'000, 'x');
  CHECK(served[0]->channel->send(octets(piece)));
  CHECK(served[0]->channel->send(octets(piece)));
  CHECK(served[0]->channel->send(octets("end")));
  served[0]->channel->finish();
  run_until(io, [&] { return a->finishes == 1; });
  CHECK(a->received == piece + piece + "end");
}

TEST_CASE_FIXTURE(fixture, "an owner may destroy a channel in any event") {
  std::function<void()> talker::*const events[]
    = {&talker::on_ready, &talker::on_received, &talker::on_finished,
       &talker::on_end};
  for (const auto event : events)
    for (const bool at_server : {false, true}) {
      served.clear();
      int after = 0;
      const auto destroy_in = [&](talker& t) {
        t.*event = [&t, &after, then = t.*event] {
          if (then)
            then();
          t.channel.reset();
          after = -t.events;
        };
      };
      on_served = [&](talker& b) {
        b.on_received = [&b] {
          b.channel->send(octets("answer"));
          b.channel->finish();
        };
        b.on_finished = [&b] { b.channel->finish(); };
        if (at_server) {
          if (event == &talker::on_finished)
            b.on_received = nullptr;
          destroy_in(b);
        }
      };
      const auto a = connect(listener->local());
      const bool ask = !at_server || event != &talker::on_finished;
      a->on_ready = [&a, ask] {
        a->channel->send(octets("question"));
        if (!ask)
          a->channel->finish();
      };
      a->on_finished = [&a] { a->channel->finish(); };
      if (!at_server)
        destroy_in(*a);
      run_until(io, [&] {
        return (!a->channel || !a->ends.empty()) && !served.empty()
               && (!served[0]->channel || !served[0]->ends.empty());
      });
      io.poll();
      const auto& who = at_server ? *served[0] : *a;
      CHECK_FALSE(who.channel);
      CHECK(after == -who.events);
    }
}

TEST_CASE_FIXTURE(fixture, "a channel tells nothing once it is destroyed") {
  answer_all();
  bool whole = false;
  for (int steps = 0; !whole; ++steps) {
    CAPTURE(steps);
    const auto a = connect(listener->local());
    a->on_ready = [&a] { a->channel->send(octets("question")); };
    a->on_finished = [&a] { a->channel->finish(); };
    for (int i = 0; i < steps && a->ends.empty(); ++i)
      REQUIRE(io.run_one_for(ample) == 1);
    whole = !a->ends.empty();
    a->channel.reset();
    const int told = a->events;
    run_until(io, [&] { return all_served() || served.empty(); });
    io.poll();
    CHECK(a->events == told);
    REQUIRE(steps < 1000);
  }
  // Nor do those who are served, nor is anybody accepted any more.
  const auto a = connect(listener->local());
  run_until(io, [&] { return a->readies == 1; });
  a->channel->send(octets("question"));
  const auto before = served.size();
  int told = 0;
  for (const auto& t : served) {
    t->channel.reset();
    told += t->events;
  }
  const auto b = connect(listener->local());
  listener.reset();
  run_until(io, [&] { return !a->ends.empty() && !b->ends.empty(); });
  CHECK(served.size() == before);
  for (const auto& t : served)
    told -= t->events;
  CHECK(told == 0);
}

TEST_CASE_FIXTURE(fixture, "an owner may destroy a listener when it accepts") {
  const auto local = listener->local();
  const raw_peer one{local};
  const raw_peer two{local};
  on_served = [this](talker&) { listener.reset(); };
  run_until(io, [&] { return !served.empty(); });
  io.poll();
  CHECK(served.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "channels may be left when the loop is no more") {
  std::unique_ptr<talker> a;
  {
    asio::io_context other;
    a = std::make_unique<talker>(
      connect_ke_channel(other, listener->local(), new_session(), ample));
    a->start();
    other.run_one_for(ample);
    a->channel.reset();
  }
  CHECK(a->ends.empty());
}

TEST_CASE_FIXTURE(fixture, "clients wait while there is no descriptor") {
  const raw_peer peer{listener->local()};
  rlimit old{};
  getrlimit(RLIMIT_NOFILE, &old);
  const int next = dup(STDIN_FILENO);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), old.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  for (int i = 0; i < 10 && failures.empty(); ++i)
    io.run_one_for(ample);
  for (int i = 0; i < 100; ++i)
    io.poll_one();
  setrlimit(RLIMIT_NOFILE, &old);
  REQUIRE_FALSE(failures.empty());
  CHECK(failures.size() < 10); // it does not spin
  CHECK(failures[0].find(listener->local().to_string()) != std::string::npos);
  run_until(io, [&] { return !served.empty(); });
}

TEST_CASE_FIXTURE(fixture, "an address that is taken is an error") {
  const auto made = open_ke_listener(io, {listener->local()}, {});
  REQUIRE_FALSE(made);
  CHECK(made.error().code == platform::errc::in_use);
  CHECK(made.error().text.find(listener->local().to_string())
        != std::string::npos);
}

TEST_CASE_FIXTURE(fixture, "IPv6 is served beside IPv4 on the same port") {
  auto local = listener->local();
  local.address = *ntp::ip_address::parse("::");
  const auto made = open_ke_listener(io, {local},
                                     {[this](const ntp::endpoint& from) {
                                        asked.push_back(from);
                                        return false;
                                      },
                                      {},
                                      {},
                                      {}});
  if (!made && made.error().code == platform::errc::unavailable)
    return; // a machine without IPv6
  REQUIRE_MESSAGE(made, made.error().text);
  local.address = *ntp::ip_address::parse("::1");
  const auto a = connect(local);
  run_until(io, [&] { return !a->ends.empty(); });
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].address == local.address);
  CHECK(served.empty());
}

// -- simulated ----------------------------------------------------------------

namespace {

struct simulated_fixture {
  event_queue queue;
  simulated_ke_wire wire;
  std::unique_ptr<talker> a;
  std::unique_ptr<talker> b;

  simulated_fixture() {
    wire.client = *ntp::endpoint::parse("10.0.0.2:50000");
    wire.server = *ntp::endpoint::parse("192.0.2.1:4460");
    wire.delay = 10ms;
    wire.limit = 1s;
  }

  void connect() {
    a = std::make_unique<talker>(connect_simulated_ke_channel(
      queue, wire, [this](std::unique_ptr<ke_channel> channel) {
        b = std::make_unique<talker>(std::move(channel));
        b->start();
      }));
    a->start();
    CHECK(a->events == 0);
  }

  void run(true_time until) {
    while (queue.next() && *queue.next() <= until) {
      queue.advance(*queue.next());
      queue.run_one();
    }
    queue.advance(until);
  }
};

} // namespace

TEST_CASE_FIXTURE(simulated_fixture, "simulated channels exchange") {
  connect();
  run(39ms);
  CHECK_FALSE(a->channel->send(octets("early")));
  run(40ms);
  CHECK(a->readies == 1);
  REQUIRE(b);
  CHECK(b->readies == 0);
  CHECK(a->channel->peer() == wire.server);
  CHECK(b->channel->peer() == wire.client);
  CHECK(a->channel->send(octets("question")));
  run(50ms);
  CHECK(b->readies == 1);
  CHECK(b->received == "question");
  CHECK(key_of(*a->channel) == key_of(*b->channel));
  std::array<std::byte, 32> other{};
  CHECK(a->channel->export_key(ntp::exporter_label, octets("else"), other));
  CHECK(other != key_of(*a->channel));

  CHECK(b->channel->send(octets("answer")));
  b->channel->finish();
  CHECK_FALSE(b->channel->send(octets("late")));
  CHECK(b->ends.empty());
  run(60ms);
  CHECK(a->received == "answer");
  CHECK(a->finishes == 1);
  a->channel->finish();
  run(10s);
  CHECK(a->ended(ke_ending::finished));
  CHECK(b->ended(ke_ending::finished));
}

TEST_CASE_FIXTURE(simulated_fixture,
                  "simulated channels may be given another time") {
  connect();
  run(15ms);
  REQUIRE(b);
  b->channel->extend(1h); // too early
  run(50ms);
  a->channel->extend(1h);
  b->channel->extend(2s);
  run(2049ms);
  CHECK(a->ends.empty());
  CHECK(b->ends.empty());
  run(2050ms);
  CHECK(b->ended(ke_ending::timed_out));
  b->channel->extend(1h);
  run(2060ms);
  CHECK(a->ended(tls_fault::cut_off));
}

TEST_CASE_FIXTURE(simulated_fixture, "simulated channels fail as real ones") {
  SUBCASE("nobody is there") {
    wire.failure = {ke_ending::unreachable, {}, "no route"};
    connect();
    run(19ms);
    CHECK(a->events == 0);
    run(20ms);
    CHECK(a->ended(ke_ending::unreachable));
    CHECK_FALSE(b);
  }
  SUBCASE("nobody answers") {
    wire.failure = {ke_ending::timed_out, {}, "silence"};
    connect();
    run(999ms);
    CHECK(a->events == 0);
    run(1s);
    CHECK(a->ended(ke_ending::timed_out));
  }
  SUBCASE("both wait for each other") {
    connect();
    run(10s);
    CHECK(a->ended(ke_ending::timed_out));
    REQUIRE(b);
    CHECK(b->ended(ke_ending::timed_out) != b->ended(tls_fault::cut_off));
  }
  SUBCASE("one goes away") {
    connect();
    run(50ms);
    a->channel.reset();
    const int told = a->events;
    run(10s);
    CHECK(a->events == told);
    CHECK(b->ended(tls_fault::cut_off));
  }
  SUBCASE("a channel is destroyed in an event") {
    connect();
    a->on_ready = [this] { a->channel.reset(); };
    run(10s);
    CHECK(a->events == 1);
    CHECK(b->ended(tls_fault::cut_off));
  }
}

} // namespace concert::actors
