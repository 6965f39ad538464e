// A UDP relay that makes a path bad on purpose: it delays, loses, doubles,
// reorders and spoils what passes between clients and one server, repeatable
// from a seed. Each packet leaves at its due time; those that left late are
// counted. On SIGTERM or SIGINT it prints what it did, in one line.

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using std::chrono::nanoseconds;
using bytes = std::vector<std::uint8_t>;

constexpr std::string_view usage
  = "usage: relay --listen ADDRESS:PORT --server ADDRESS:PORT [option…]\n"
    "\n"
    "  --delay-up TIME, --delay-down TIME   fixed delays, such as 5ms\n"
    "  --jitter exp:TIME | uniform:TIME     added to both, with this mean\n"
    "  --loss P, --dup P                    probability of each packet\n"
    "  --reorder P                          probability of 20 ms more\n"
    "  --seed N\n"
    "  --kiss CODE                          each answer becomes this kiss\n"
    "  --mode MODE                          each answer is spoilt:\n"
    "      bogus-origin   quotes another request\n"
    "      truncated      1 to 47 octets\n"
    "      oversized      1400 octets, noise after the header\n"
    "      unsolicited    comes between a forgery before and one after\n"
    "      elsewhere      comes from another port\n";

// -- options ------------------------------------------------------------------

enum class spoil {
  nothing,
  kiss,
  bogus_origin,
  truncated,
  oversized,
  unsolicited,
  elsewhere,
};

enum class jitter_shape { none, exponential, uniform };

struct options {
  sockaddr_storage listen{};
  sockaddr_storage server{};
  nanoseconds delay_up{};
  nanoseconds delay_down{};
  jitter_shape shape = jitter_shape::none;
  nanoseconds jitter{}; ///< mean
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;
  std::uint64_t seed = 1;
  spoil how = spoil::nothing;
  std::string kiss;
};

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument(what);
}

double number(const std::string& text, std::size_t* used = nullptr) {
  std::size_t end = 0;
  const double value = std::stod(text, &end);
  if (used != nullptr)
    *used = end;
  else if (end != text.size())
    refuse("'" + text + "' is not a number");
  return value;
}

double probability(const std::string& text) {
  const double value = number(text);
  if (!(value >= 0 && value <= 1))
    refuse("'" + text + "' is not a probability");
  return value;
}

nanoseconds span(const std::string& text) {
  std::size_t end = 0;
  const double value = number(text, &end);
  const std::string unit = text.substr(end);
  static const std::map<std::string, double> scale{
    {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  const auto found = scale.find(unit);
  if (found == scale.end() || !(value >= 0 && value <= 1e6))
    refuse("'" + text + "' is not a time such as 5ms");
  return nanoseconds{static_cast<std::int64_t>(value * found->second)};
}

sockaddr_storage address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos)
    refuse("'" + text + "' lacks a port");
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), text.c_str() + colon + 1, &hints, &found) != 0)
    refuse("'" + text + "' is not an address with a port");
  sockaddr_storage result{};
  std::memcpy(&result, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return result;
}

void set_jitter(options& o, const std::string& text) {
  const auto colon = text.find(':');
  const std::string shape = text.substr(0, colon);
  if (colon == std::string::npos || (shape != "exp" && shape != "uniform"))
    refuse("'" + text + "' is not exp:TIME or uniform:TIME");
  o.shape = shape == "exp" ? jitter_shape::exponential : jitter_shape::uniform;
  o.jitter = span(text.substr(colon + 1));
}

void set_mode(options& o, const std::string& text) {
  static const std::map<std::string, spoil> modes{
    {"bogus-origin", spoil::bogus_origin}, {"truncated", spoil::truncated},
    {"oversized", spoil::oversized},       {"unsolicited", spoil::unsolicited},
    {"elsewhere", spoil::elsewhere},
  };
  const auto found = modes.find(text);
  if (found == modes.end())
    refuse("'" + text + "' is not a mode");
  o.how = found->second;
}

void set_kiss(options& o, const std::string& code) {
  if (code.size() != 4)
    refuse("a kiss code has four letters");
  o.how = spoil::kiss;
  o.kiss = code;
}

options parse(int argc, char** argv) {
  options o;
  const std::map<std::string, std::function<void(const std::string&)>> known{
    {"--listen", [&](const auto& v) { o.listen = address(v); }},
    {"--server", [&](const auto& v) { o.server = address(v); }},
    {"--delay-up", [&](const auto& v) { o.delay_up = span(v); }},
    {"--delay-down", [&](const auto& v) { o.delay_down = span(v); }},
    {"--jitter", [&](const auto& v) { set_jitter(o, v); }},
    {"--loss", [&](const auto& v) { o.loss = probability(v); }},
    {"--dup", [&](const auto& v) { o.duplicate = probability(v); }},
    {"--reorder", [&](const auto& v) { o.reorder = probability(v); }},
    {"--seed", [&](const auto& v) { o.seed = std::stoull(v); }},
    {"--kiss", [&](const auto& v) { set_kiss(o, v); }},
    {"--mode", [&](const auto& v) { set_mode(o, v); }},
  };
  for (int i = 1; i < argc; i += 2) {
    const auto found = known.find(argv[i]);
    if (found == known.end())
      refuse(std::string{"unknown option "} + argv[i]);
    if (i + 1 == argc)
      refuse(std::string{argv[i]} + " needs a value");
    found->second(argv[i + 1]);
  }
  if (o.listen.ss_family == 0 || o.server.ss_family == 0)
    refuse("--listen and --server are needed");
  return o;
}

// -- sockets ------------------------------------------------------------------

socklen_t size_of(const sockaddr_storage& a) {
  return a.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

const sockaddr* plain(const sockaddr_storage& a) {
  return reinterpret_cast<const sockaddr*>(&a);
}

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string{what} + ": " + std::strerror(errno));
}

class udp_socket {
public:
  explicit udp_socket(int family)
    : fd_{socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)} {
    if (fd_ < 0)
      fail("socket");
  }
  udp_socket(udp_socket&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
    // nop
  }
  udp_socket& operator=(udp_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~udp_socket() {
    if (fd_ >= 0)
      close(fd_);
  }

  int fd() const { return fd_; }

  void bind_to(const sockaddr_storage& a) const {
    if (bind(fd_, plain(a), size_of(a)) != 0)
      fail("bind");
  }

  void connect_to(const sockaddr_storage& a) const {
    if (connect(fd_, plain(a), size_of(a)) != 0)
      fail("connect");
  }

  /// False when nothing waits. Errors such as "port unreachable" count as a
  /// packet that went missing.
  bool receive(bytes& packet, sockaddr_storage* from) const {
    packet.resize(65536);
    socklen_t length = sizeof(sockaddr_storage);
    ssize_t n = -1;
    do {
      n = recvfrom(fd_, packet.data(), packet.size(), 0,
                   reinterpret_cast<sockaddr*>(from),
                   from == nullptr ? nullptr : &length);
    } while (n < 0 && errno == ECONNREFUSED);
    packet.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return n >= 0;
  }

private:
  int fd_;
};

// -- time ---------------------------------------------------------------------

nanoseconds now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::chrono::seconds{t.tv_sec} + nanoseconds{t.tv_nsec};
}

// -- the relay ----------------------------------------------------------------

/// One client port and the socket by which its packets reach the server.
struct session {
  sockaddr_storage client{};
  udp_socket upstream;
  std::uint64_t number = 0; ///< never used twice
  nanoseconds last_use{};
};

enum class direction { up, down };

struct due_packet {
  nanoseconds due{};
  std::uint64_t order = 0; ///< first come, first served at equal times
  std::uint64_t session = 0;
  direction way = direction::up;
  bool from_elsewhere = false;
  bytes data;

  bool operator>(const due_packet& other) const {
    return std::pair{due, order} > std::pair{other.due, other.order};
  }
};

struct statistics {
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t spoilt = 0;
  std::uint64_t dropped = 0; ///< too many at once, or the client is forgotten
  std::uint64_t late = 0;    ///< left more than 100 µs after their due time
  nanoseconds latest{};
};

class relay {
public:
  static constexpr std::size_t most_sessions = 512;
  static constexpr std::size_t most_waiting = 65536;
  static constexpr nanoseconds late_limit = std::chrono::microseconds{100};
  static constexpr nanoseconds reorder_hold = std::chrono::milliseconds{20};
  static constexpr std::size_t header_size = 48;

  explicit relay(options o)
    : options_{std::move(o)},
      random_{options_.seed},
      listener_{options_.listen.ss_family},
      elsewhere_{options_.listen.ss_family} {
    listener_.bind_to(options_.listen);
  }

  /// Until a signal of `wake` comes.
  void run(const sigset_t& wake, const volatile std::sig_atomic_t& stop) {
    std::vector<pollfd> ready;
    while (stop == 0) {
      send_due();
      ready.assign(1, {listener_.fd(), POLLIN, 0});
      for (const auto& s : sessions_)
        ready.push_back({s.upstream.fd(), POLLIN, 0});
      const auto wait = time_to_next();
      if (ppoll(ready.data(), ready.size(), wait ? &*wait : nullptr, &wake) > 0)
        take_packets(ready);
    }
  }

  const statistics& counts() const { return counts_; }

private:
  bool chance(double p) {
    return std::uniform_real_distribution<>{0, 1}(random_) < p;
  }

  std::optional<timespec> time_to_next() const {
    if (waiting_.empty())
      return {};
    const auto left = std::max(waiting_.top().due - now(), nanoseconds{});
    const auto whole = std::chrono::floor<std::chrono::seconds>(left);
    return timespec{whole.count(), (left - whole).count()};
  }

  nanoseconds delay(direction way) {
    auto result
      = way == direction::up ? options_.delay_up : options_.delay_down;
    const auto mean = static_cast<double>(options_.jitter.count());
    double more = 0;
    if (options_.shape == jitter_shape::exponential)
      more = std::exponential_distribution<>{1}(random_)*mean;
    else if (options_.shape == jitter_shape::uniform)
      more = std::uniform_real_distribution<>{0, 2}(random_)*mean;
    result += nanoseconds{static_cast<std::int64_t>(more)};
    if (chance(options_.reorder))
      result += reorder_hold;
    return result;
  }

  void take_packets(const std::vector<pollfd>& ready) {
    bytes packet;
    for (std::size_t i = 0; i + 1 < ready.size(); ++i) {
      session& s = sessions_[i];
      while (ready[i + 1].revents != 0 && s.upstream.receive(packet, nullptr))
        take_answer(s, packet);
    }
    sockaddr_storage client{};
    while (ready[0].revents != 0 && listener_.receive(packet, &client)) {
      ++counts_.requests;
      session& s = session_of(client);
      if (options_.how == spoil::unsolicited)
        enqueue(s, direction::down, forgery(packet));
      pass(s, direction::up, packet);
    }
  }

  session& session_of(const sockaddr_storage& client) {
    const auto same = [&](const session& s) {
      return std::memcmp(&s.client, &client, size_of(client)) == 0;
    };
    auto found = std::find_if(sessions_.begin(), sessions_.end(), same);
    if (found == sessions_.end())
      found = add_session(client);
    found->last_use = now();
    return *found;
  }

  std::vector<session>::iterator add_session(const sockaddr_storage& client) {
    udp_socket upstream{options_.server.ss_family};
    upstream.connect_to(options_.server);
    session fresh{client, std::move(upstream), ++last_session_, {}};
    if (sessions_.size() < most_sessions) {
      sessions_.push_back(std::move(fresh));
      return sessions_.end() - 1;
    }
    const auto oldest = std::min_element(
      sessions_.begin(), sessions_.end(),
      [](const auto& a, const auto& b) { return a.last_use < b.last_use; });
    *oldest = std::move(fresh);
    return oldest;
  }

  void take_answer(session& s, bytes packet) {
    ++counts_.answers;
    if (options_.how != spoil::nothing && packet.size() >= header_size) {
      ++counts_.spoilt;
      spoil_answer(s, packet);
    }
    pass(s, direction::down, packet);
  }

  void spoil_answer(session& s, bytes& packet) {
    constexpr std::size_t reference_id = 12;
    constexpr std::size_t origin = 24;
    switch (options_.how) {
      case spoil::kiss:
        packet[0] |= 0xc0; // leap 3
        packet[1] = 0;     // stratum
        std::copy(options_.kiss.begin(), options_.kiss.end(),
                  packet.begin() + reference_id);
        break;
      case spoil::bogus_origin:
        packet[origin + random_() % 8]
          ^= static_cast<std::uint8_t>(1U << random_() % 8);
        break;
      case spoil::truncated:
        packet.resize(1 + random_() % (header_size - 1));
        break;
      case spoil::oversized:
        packet.resize(1400);
        std::generate(packet.begin() + header_size, packet.end(),
                      [&] { return static_cast<std::uint8_t>(random_()); });
        break;
      case spoil::unsolicited:
        for (int i = 0; i < 3; ++i)
          enqueue(s, direction::down, forgery(packet));
        break;
      case spoil::nothing:
      case spoil::elsewhere:
        break;
    }
  }

  /// An answer that was not asked for: origin zero, and times that would move
  /// a clock by hours.
  static bytes forgery(bytes packet) {
    packet.resize(header_size);
    packet[0] = 0x24; // version 4, mode 4
    packet[1] = 1;    // stratum
    std::fill(packet.begin() + 24, packet.begin() + 32, std::uint8_t{0});
    std::fill(packet.begin() + 32, packet.end(), std::uint8_t{0xee});
    return packet;
  }

  /// Through loss and duplication.
  void pass(session& s, direction way, const bytes& packet) {
    if (chance(options_.loss)) {
      ++counts_.lost;
      return;
    }
    enqueue(s, way, packet);
    if (chance(options_.duplicate)) {
      ++counts_.duplicated;
      enqueue(s, way, packet);
    }
  }

  void enqueue(const session& s, direction way, bytes packet) {
    if (waiting_.size() == most_waiting) {
      ++counts_.dropped;
      return;
    }
    const bool elsewhere
      = way == direction::down && options_.how == spoil::elsewhere;
    waiting_.push({now() + delay(way), ++last_order_, s.number, way, elsewhere,
                   std::move(packet)});
  }

  void send_due() {
    while (!waiting_.empty() && waiting_.top().due <= now()) {
      send_one(waiting_.top());
      waiting_.pop();
    }
  }

  void send_one(const due_packet& p) {
    const auto s
      = std::find_if(sessions_.begin(), sessions_.end(),
                     [&](const auto& x) { return x.number == p.session; });
    if (s == sessions_.end()) {
      ++counts_.dropped;
      return;
    }
    const auto lateness = now() - p.due;
    counts_.late += lateness > late_limit ? 1 : 0;
    counts_.latest = std::max(counts_.latest, lateness);
    ++counts_.forwarded;
    // What the kernel refuses is lost, as on any path.
    if (p.way == direction::up)
      (void)send(s->upstream.fd(), p.data.data(), p.data.size(), 0);
    else
      (void)sendto((p.from_elsewhere ? elsewhere_ : listener_).fd(),
                   p.data.data(), p.data.size(), 0, plain(s->client),
                   size_of(s->client));
  }

  options options_;
  std::mt19937_64 random_;
  udp_socket listener_;
  udp_socket elsewhere_;
  std::vector<session> sessions_;
  std::uint64_t last_session_ = 0;
  std::uint64_t last_order_ = 0;
  std::priority_queue<due_packet, std::vector<due_packet>, std::greater<>>
    waiting_;
  statistics counts_;
};

void print(const statistics& s) {
  const auto count = [](const char* name, std::uint64_t value) {
    std::printf("%s=%llu ", name, static_cast<unsigned long long>(value));
  };
  count("requests", s.requests);
  count("answers", s.answers);
  count("forwarded", s.forwarded);
  count("lost", s.lost);
  count("duplicated", s.duplicated);
  count("spoilt", s.spoilt);
  count("dropped", s.dropped);
  count("late", s.late);
  std::printf("latest_us=%.1f\n", static_cast<double>(s.latest.count()) / 1e3);
}

volatile std::sig_atomic_t stop_requested = 0;

/// Blocks the signals that end us, except while waiting: the mask for that.
sigset_t prepare_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = 1; };
  sigset_t ends;
  sigemptyset(&ends);
  for (const int signal : {SIGTERM, SIGINT}) {
    sigaction(signal, &action, nullptr);
    sigaddset(&ends, signal);
  }
  sigset_t before;
  sigprocmask(SIG_BLOCK, &ends, &before);
  sigdelset(&before, SIGTERM);
  sigdelset(&before, SIGINT);
  return before;
}

} // namespace

int main(int argc, char** argv) {
  try {
    const sigset_t while_waiting = prepare_signals();
    // Timers of the default slack would make every packet 50 µs late.
    prctl(PR_SET_TIMERSLACK, 1);
    relay r{parse(argc, argv)};
    std::puts("ready");
    std::fflush(stdout);
    r.run(while_waiting, stop_requested);
    print(r.counts());
    return EXIT_SUCCESS;
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "relay: %s\n\n%s", e.what(), usage.data());
    return 64;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "relay: %s\n", e.what());
    return EXIT_FAILURE;
  }
}
