#include "platform/resolver.hpp"

#include "platform/socket.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <cstring>
#include <functional>

namespace concert::platform {

using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::uint8_t>;

const ntp::endpoint loopback{ntp::ip_address::v4({127, 0, 0, 1}), 0};

/// An answer to `question` with one record of `data`, or none.
bytes answer(const bytes& question, std::uint8_t rcode, const bytes& data,
             std::uint8_t ttl) {
  bytes out = question;
  out[2] |= 0x80;
  out[3] = static_cast<std::uint8_t>(0x80 | rcode);
  out[7] = data.empty() ? 0 : 1;
  out[10] = out[11] = 0;
  // The question ends after its name, type and class.
  std::size_t end = 12;
  while (out[end] != 0)
    end += out[end] + 1U;
  out.resize(end + 5);
  if (!data.empty()) {
    const std::uint8_t type = data.size() == 4 ? 1 : 28;
    out.insert(out.end(), {0xc0, 12, 0, type, 0, 1, 0, 0, 0, ttl, 0,
                           static_cast<std::uint8_t>(data.size())});
    out.insert(out.end(), data.begin(), data.end());
  }
  return out;
}

/// 1 = A, 28 = AAAA.
std::uint8_t type_of(const bytes& question) {
  std::size_t end = 12;
  while (question[end] != 0)
    end += question[end] + 1U;
  return question[end + 2];
}

/// A DNS server and a resolver that asks it.
class fixture {
public:
  using responder = std::function<bytes(const bytes& question)>;

  fixture() : server_(*server_socket::open(loopback)) {
    resolver_
      = std::move(*resolver::open({server_.local().to_string(), 20ms, 2}));
  }

  /// The result of one question; nullopt if there was none within 10 s.
  std::optional<result<resolution>> ask(const std::string& host,
                                        const responder& respond) {
    struct asked {
      std::optional<result<resolution>> out;
      int calls = 0;
    };
    const auto state = std::make_shared<asked>();
    resolver_->resolve(host, [state](result<resolution> r) {
      state->out = std::move(r);
      ++state->calls;
    });
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (!state->out && std::chrono::steady_clock::now() < end)
      turn(respond);
    CHECK(state->calls == 1);
    return state->out;
  }

  resolver& get() { return *resolver_; }
  void close() { resolver_.reset(); }

private:
  void turn(const responder& respond) {
    std::vector<pollfd> fds{{server_.fd(), POLLIN, 0}};
    for (const auto& w : resolver_->wants())
      fds.push_back(
        {w.fd,
         static_cast<short>((w.read ? POLLIN : 0) | (w.write ? POLLOUT : 0)),
         0});
    const auto timeout = resolver_->timeout();
    poll(fds.data(), fds.size(),
         timeout ? static_cast<int>(timeout->count()) : 10);
    const auto requests = server_.receive();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      bytes question(requests[i].bytes.size());
      std::memcpy(question.data(), requests[i].bytes.data(), question.size());
      const auto reply = respond(question);
      if (reply.empty())
        continue;
      std::memcpy(server_.reply_buffer(i).data(), reply.data(), reply.size());
      server_.queue_reply(i, reply.size());
    }
    server_.flush();
    for (std::size_t i = 1; i < fds.size(); ++i)
      if (fds[i].revents != 0)
        resolver_->process(fds[i].fd, (fds[i].revents & ~POLLOUT) != 0,
                           (fds[i].revents & POLLOUT) != 0);
    resolver_->process_timeouts();
  }

  server_socket server_;
  std::unique_ptr<resolver> resolver_;
};

const bytes v4{127, 0, 0, 7};
const bytes v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

} // namespace

TEST_CASE("a name is resolved to all addresses, with the least time to live") {
  fixture f;
  const auto r = f.ask("time.example", [](const bytes& question) {
    return type_of(question) == 1 ? answer(question, 0, v4, 60)
                                  : answer(question, 0, v6, 30);
  });
  REQUIRE((r && *r));
  CHECK((*r)->addresses.size() == 2);
  CHECK((*r)->ttl == 30s);
  CHECK(f.get().wants().empty());
  CHECK_FALSE(f.get().timeout());
}

TEST_CASE("a name with one kind of address is enough") {
  fixture f;
  const auto r = f.ask("time.example", [](const bytes& question) {
    return answer(question, 0, type_of(question) == 1 ? v4 : bytes{}, 60);
  });
  REQUIRE((r && *r));
  CHECK((*r)->addresses == std::vector{ntp::ip_address::v4({127, 0, 0, 7})});
}

TEST_CASE("every failure is one error with the name in it") {
  fixture f;
  fixture::responder respond;
  errc wanted = errc::io;
  SUBCASE("no such name") {
    respond = [](const bytes& question) { return answer(question, 3, {}, 0); };
    wanted = errc::unavailable;
  }
  SUBCASE("no address") {
    respond = [](const bytes& question) { return answer(question, 0, {}, 0); };
    wanted = errc::unavailable;
  }
  SUBCASE("silence") {
    respond = [](const bytes&) { return bytes{}; };
    wanted = errc::unreachable;
  }
  SUBCASE("noise") {
    respond = [](const bytes& question) {
      bytes out = question;
      out.resize(17, 0xff);
      return out;
    };
    wanted = errc::unreachable;
  }
  const auto r = f.ask("time.example", respond);
  REQUIRE(r);
  REQUIRE_FALSE(*r);
  CHECK(r->error().text.find("time.example") != std::string::npos);
  CHECK(r->error().code == wanted);
}

TEST_CASE("literal addresses and hopeless names are answered at once") {
  fixture f;
  int calls = 0;
  f.get().resolve("2001:db8::1", [&](const result<resolution>& r) {
    ++calls;
    CHECK(r->addresses[0].to_string() == "2001:db8::1");
  });
  CHECK(calls == 1);
  for (const std::string& name :
       {std::string{}, std::string{"a\0b", 3}, std::string(300, 'x')}) {
    calls = 0;
    f.get().resolve(name, [&](const result<resolution>& r) {
      ++calls;
      CHECK_FALSE(r);
    });
    CHECK(calls == 1);
  }
}

TEST_CASE("the file of hosts is read") {
  fixture f;
  const auto r = f.ask("localhost", [](const bytes&) { return bytes{}; });
  REQUIRE((r && *r));
  CHECK((*r)->addresses[0].is_loopback());
}

TEST_CASE("a resolver that goes answers what is open with an error") {
  fixture f;
  int calls = 0;
  f.get().resolve("time.example", [&](const result<resolution>& r) {
    ++calls;
    CHECK_FALSE(r);
  });
  CHECK(calls == 0);
  CHECK(f.get().wants().size() == 1);
  f.close();
  CHECK(calls == 1);
}

} // namespace concert::platform
