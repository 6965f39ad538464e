#include "tests/actors/machine.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace concert::actors::testing {

scratch::scratch() {
  auto name
    = (std::filesystem::temp_directory_path() / "concert-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string server_source(const std::string& address, const std::string& more) {
  return "[[source]]\nmode = \"server\"\naddress = \"" + address + "\"\n" + more
         + "\n";
}

std::string pool_source(const std::string& name, int count,
                        const std::string& more) {
  return "[[source]]\nmode = \"pool\"\naddress = \"" + name
         + "\"\ncount = " + std::to_string(count) + "\n" + more + "\n";
}

machine::machine(std::uint64_t seed, const simulated_clock_options& clock)
  : sim_(seed, clock) {
  platform::log::set_level(platform::log::level::info);
  REQUIRE(platform::log::to_file(scratch_.path() / "log"));
  double delay = 5e-3;
  for (const auto* address : {a, b, c}) {
    server(address);
    auto& path = sim_.network().path(address);
    path.forward_s = path.backward_s = delay;
    delay += 1e-3;
  }
}

std::string machine::usual_config() {
  return server_source(a) + server_source(b) + server_source(c)
         + "[[server]]\nlisten = \"" + listen + "\"\n";
}

std::filesystem::path machine::state_file() const {
  return scratch_.path() / "state";
}

std::string machine::log() const {
  std::ifstream in{scratch_.path() / "log"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

bool machine::logged(std::string_view what) const {
  return log().find(what) != std::string::npos;
}

void machine::write_config(const std::string& text) {
  std::ofstream out{scratch_.path() / "ntp.toml"};
  out << "state-file = \"" << state_file().string() << "\"\n"
      << "[observability]\nobservation-path = \""
      << (scratch_.path() / "observe").string() << "\"\n"
      << text;
}

void machine::start(const std::string& text) {
  write_config(text);
  const auto path = scratch_.path() / "ntp.toml";
  auto loaded = config::load(path, true);
  if (!loaded)
    FAIL(loaded.error().front().to_string());
  sim_.start(std::move(loaded->config), path);
}

void machine::reload(const std::string& text) {
  write_config(text);
  sim_.world().signal(SIGHUP);
  sim_.run_for(1s);
}

void machine::stop() {
  sim_.world().signal(SIGTERM);
  sim_.run_for(1s);
}

bool machine::run_until(std::chrono::seconds limit,
                        const std::function<bool()>& done) {
  for (auto passed = 0s; passed < limit; passed += 1s) {
    if (done())
      return true;
    run_for(1s);
  }
  return done();
}

ctl::observation machine::status() {
  const auto text = sim_.document();
  if (!text)
    return {};
  auto read = ctl::read_observation(*text);
  REQUIRE(read);
  return *read;
}

std::string machine::source_state(const std::string& address) {
  for (const auto& s : status().sources)
    if (s.address == address + ":123")
      return s.state;
  return {};
}

std::vector<std::string> machine::source_addresses() {
  std::vector<std::string> result;
  for (const auto& s : status().sources)
    result.push_back(s.address.substr(0, s.address.rfind(':')));
  std::sort(result.begin(), result.end());
  return result;
}

double machine::worst_error(std::chrono::seconds span) {
  double worst = std::abs(error());
  for (auto passed = 0s; passed < span; passed += 1s) {
    run_for(1s);
    worst = std::max(worst, std::abs(error()));
  }
  return worst;
}

std::optional<client_query> machine::ask_server() {
  const auto query = sim_.network().ask(listen, client);
  run_for(1s);
  if (!query->reply)
    return {};
  return *query;
}

} // namespace concert::actors::testing
