#include "tools/ntp_load/options.hpp"

#include "ctl/format.hpp"
#include "tools/ntp_load/client_addresses.hpp"
#include "tools/ntp_load/messages.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace concert::load {

namespace {

constexpr std::uint16_t ntp_port = 123;
constexpr std::uint16_t ke_port = 4460;
constexpr double highest_rate = 1e8;
constexpr std::uint64_t most_meter_clients = 1 << 16;
constexpr std::uint64_t most_flood_clients = 10'000'000;
constexpr std::uint32_t largest_window = 1 << 16;
constexpr std::uint32_t most_connections = 4096;
constexpr std::uint32_t most_sessions = 1024;

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw CLI::ValidationError(where, why);
}

double span_of(const std::string& name, const std::string& text,
               double longest) {
  const auto s = ctl::parse_span(text);
  if (!s || *s > longest)
    refuse(name, "\"" + text + "\" is no length of time such as 500ms or 10s");
  return *s;
}

ntp::endpoint target_of(const std::string& text, const std::string& where,
                        std::uint16_t default_port) {
  if (const auto whole = ntp::endpoint::parse(text); whole && whole->port != 0)
    return *whole;
  auto bare = text;
  if (bare.size() > 2 && bare.front() == '[' && bare.back() == ']')
    bare = bare.substr(1, bare.size() - 2);
  const auto address = ntp::ip_address::parse(bare);
  if (!address)
    refuse(where, "\"" + text
                    + "\" is no numeric address such as 127.0.0.1, "
                      "127.0.0.1:11123 or [::1]:11123");
  return {*address, default_port};
}

/// All that is said to ntp-load, and CLI11's parser for it.
class command_line {
public:
  command_line() {
    app_.name("ntp-load");
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.set_version_flag("-V,--version",
                          std::string{"ntp-load "} + CONCERT_VERSION,
                          "Print the version and exit");
    app_.require_subcommand(1);
    auto* meter = app_.add_subcommand("meter", "Ask, and check every answer");
    meter->callback([this] { result_.what = command::meter; });
    add_target(*meter, ntp_port);
    add_requests(*meter);
    add_loop(*meter);
    add_checks(*meter);
    add_search(*meter);
    add_nts(*meter);
    auto* flood
      = app_.add_subcommand("flood", "Send as much as can be, read nothing");
    flood->callback([this] { result_.what = command::flood; });
    add_target(*flood, ntp_port);
    add_requests(*flood);
    flood->get_option("--duration")->required();
    flood
      ->add_option("--batch", result_.batch,
                   "Requests of one client in a row, 1 to 64 (default 64)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
    auto* handshakes = app_.add_subcommand(
      "handshakes", "Exchange NTS keys as often as can be");
    handshakes->callback([this] { result_.what = command::handshakes; });
    add_target(*handshakes, ke_port);
    add_certificates(*handshakes);
    handshakes
      ->add_option("--connections", result_.connections,
                   "So many at a time (default 16)")
      ->check(CLI::Range(1U, most_connections))
      ->type_name("N");
  }

  tl::expected<options, usage_answer>
  parse(std::vector<std::string> arguments) {
    std::ranges::reverse(arguments);
    try {
      app_.parse(std::move(arguments));
      complete();
      check();
    } catch (const CLI::ParseError& e) {
      return tl::unexpected{answer(e)};
    }
    return result_;
  }

private:
  void add_span(CLI::App& to, const char* name, const char* text, double& into,
                double longest) {
    to.add_option_function<std::string>(
        name,
        [&into, name, longest](const std::string& value) {
          into = span_of(name, value, longest);
        },
        text)
      ->type_name("TIME");
  }

  void add_target(CLI::App& to, std::uint16_t port) {
    to.add_option_function<std::string>(
        "ADDRESS",
        [this, port](const std::string& text) {
          result_.target = target_of(text, "ADDRESS", port);
        },
        "Numeric address of the server, with :PORT if it is not "
          + std::to_string(port))
      ->required();
    add_span(to, "--duration", "How long to send (default 10s)",
             result_.duration_s, 86400);
    to.add_option("--cpu", result_.cpu, "Stay on this CPU")
      ->check(CLI::Range(0, 1023))
      ->type_name("N");
    to.add_flag("--json", result_.json, "Print JSON instead of text");
    to.add_flag("--quiet", result_.quiet, "Say nothing of the progress");
    to.add_flag("--i-own-the-target", result_.own_target,
                "Ask a server that is not on this machine");
  }

  void add_requests(CLI::App& to) {
    to.add_option("--rate", result_.rate, "Requests a second")
      ->check(CLI::Range(1e-3, highest_rate))
      ->type_name("R");
    to.add_option("--clients", result_.clients,
                  "Source addresses to use in turn (default 1)")
      ->check(CLI::Range(std::uint64_t{1}, most_flood_clients))
      ->type_name("N");
    to.add_option_function<std::string>(
        "--client-prefix",
        [this](const std::string& text) {
          result_.prefix = ntp::ip_prefix::parse(text);
          if (!result_.prefix)
            refuse("--client-prefix",
                   "\"" + text + "\" is no prefix such as 127.0.0.0/8");
        },
        "Where they come from (default 127.0.0.0/8 for 127.x.y.z)")
      ->type_name("PREFIX");
    to.add_option("--version", result_.version, "NTP version (default 4)")
      ->check(CLI::Range(3, 4))
      ->type_name("3|4");
  }

  void add_loop(CLI::App& to) {
    to.add_option("--window", result_.window,
                  "Closed loop: so many requests in flight")
      ->excludes("--rate")
      ->check(CLI::Range(1U, largest_window))
      ->type_name("N");
    to.add_flag("--poisson", result_.poisson,
                "Random gaps between requests instead of even ones")
      ->excludes("--window");
    add_span(to, "--warm-up", "Before anything counts (default 500ms)",
             result_.warm_up_s, 3600);
    add_span(to, "--timeout", "An answer is lost after this (default 500ms)",
             result_.timeout_s, 10);
  }

  void add_checks(CLI::App& to) {
    to.add_flag("--interleaved", result_.interleaved,
                "Ask in interleaved mode (RFC 9769)");
    to.add_flag("--same-clock", result_.same_clock,
                "The server serves this machine's clock: check its stamps");
    to.add_option("--size", result_.size,
                  "Octets of a request: 48, or in version 4 with an extension "
                  "field 76 to 1024 (default 48)")
      ->type_name("N");
    to.add_option("--sample", result_.sample,
                  "Stamp 1 request in N (default: about 5000 a second)")
      ->check(CLI::Range(1U, 1U << 20))
      ->type_name("N");
  }

  void add_search(CLI::App& to) {
    to.add_flag("--search", result_.search,
                "Look for the highest rate that is carried; --rate is the "
                "first to try (default 20000)")
      ->excludes("--window");
    add_span(to, "--step", "How long each rate is tried (default 2s)",
             result_.step_s, 3600);
    to.add_option("--max-loss", result_.max_loss,
                  "Share of lost requests that is still good (default 0.001)")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE");
  }

  void add_certificates(CLI::App& to) {
    to.add_option("--certificate-authority", result_.ke.authorities,
                  "PEM file to trust besides the system's roots; may be "
                  "repeated")
      ->type_name("FILE");
    to.add_option("--name", result_.ke.name,
                  "That the certificate must be for (default: the address)")
      ->type_name("NAME");
  }

  void add_nts(CLI::App& to) {
    auto* nts = to.add_flag("--nts", result_.nts,
                            "Make requests authentic (RFC 8915), with the same "
                            "cookies over and over");
    nts->excludes("--size");
    to.add_option_function<std::string>(
        "--ke",
        [this](const std::string& text) {
          result_.ke.address = target_of(text, "--ke", ke_port);
        },
        "Where keys are exchanged (default: the server's address, port 4460)")
      ->needs(nts)
      ->type_name("ADDRESS[:PORT]");
    add_certificates(to);
    to.add_option("--sessions", result_.sessions,
                  "Key exchanges at the start; requests use their keys and "
                  "cookies at random (default 16)")
      ->needs(nts)
      ->check(CLI::Range(1U, most_sessions))
      ->type_name("N");
    to.add_option("--verify", result_.verify,
                  "Check the authenticator of 1 answer in N (default 1)")
      ->needs(nts)
      ->check(CLI::Range(1U, 1U << 20))
      ->type_name("N");
  }

  /// What follows from the target.
  void complete() {
    auto& ke = result_.ke;
    if (result_.what == command::handshakes)
      ke.address = result_.target;
    else if (ke.address.port == 0)
      ke.address = {result_.target.address, ke_port};
    if (ke.name.empty())
      ke.name = ke.address.address.to_string();
  }

  void check() const {
    const auto& o = result_;
    if (o.duration_s <= 0 || o.step_s <= 0 || o.timeout_s <= 0)
      refuse("--duration", "there is nothing to do in no time");
    if (!is_request_size(o.size, o.version))
      refuse("--size",
             "a request has 48 octets, or in version 4 a multiple of 4 from "
             "76 to 1024");
    if (o.version != 4 && o.interleaved)
      refuse("--interleaved", "is for version 4");
    if (o.version != 4 && o.nts)
      refuse("--nts", "is for version 4");
    if (o.what == command::meter && o.clients > most_meter_clients)
      refuse("--clients",
             "the meter remembers at most 65536; flood takes more");
    const auto prefix = o.client_prefix();
    if (o.clients > 1 && !prefix)
      refuse("--clients", "needs --client-prefix, for this target");
    if (prefix && prefix->network.is_v4() != o.target.address.is_v4())
      refuse("--client-prefix", "is not of the target's family");
    if (prefix && client_addresses{*prefix}.capacity() < o.clients)
      refuse("--clients", prefix->to_string() + " has not so many addresses");
  }

  usage_answer answer(const CLI::ParseError& e) const {
    if (e.get_exit_code() == 0) {
      std::ostringstream out;
      std::ostringstream err;
      app_.exit(e, out, err);
      return {0, out.str()};
    }
    return {static_cast<int>(exit_code::usage),
            std::string{"ntp-load: "} + e.what()
              + "\nntp-load --help shows what can be said.\n"};
  }

  options result_;
  CLI::App app_{"Measures NTP servers under load."};
};

} // namespace

std::optional<ntp::ip_prefix> options::client_prefix() const {
  if (prefix || clients == 1)
    return prefix;
  return target.address.is_v4() && target.address.is_loopback()
           ? ntp::ip_prefix::parse("127.0.0.0/8")
           : std::nullopt;
}

tl::expected<options, usage_answer>
parse_options(std::vector<std::string> arguments) {
  return command_line{}.parse(std::move(arguments));
}

} // namespace concert::load
