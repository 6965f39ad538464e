#include "tests/actors/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::actors::testing {

namespace {

constexpr const char* pool = "pool.example";

std::string member(int i) {
  return "203.0.113." + std::to_string(i);
}

/// A pool of good servers 203.0.113.1 to 203.0.113.<count>.
void make_pool(machine& m, int count) {
  for (int i = 1; i <= count; ++i) {
    m.server(member(i));
    m.sim().network().name(pool).addresses.push_back(
      ntp::ip_address::parse(member(i)).value());
  }
}

bool uses(machine& m, int i) {
  const auto all = m.source_addresses();
  return std::find(all.begin(), all.end(), member(i)) != all.end();
}

} // namespace

TEST_CASE("a name that does not exist is asked for ever more rarely, and used "
          "once it does") {
  machine m;
  m.start(server_source("ntp.example"));
  m.run_for(30min);
  const auto lookups = m.sim().network().lookups("ntp.example");
  REQUIRE(lookups.size() >= 5);
  CHECK(lookups.size() < 15);
  for (std::size_t i = 2; i < lookups.size(); ++i) {
    const auto before = (lookups[i - 1] - lookups[i - 2]).count();
    const auto wait = (lookups[i] - lookups[i - 1]).count();
    CHECK(wait > before);
    CHECK(wait < 4 * before);
    CHECK(wait % 1'000'000'000 != 0);
  }
  CHECK(m.state() == "starting");
  m.sim().network().name("ntp.example").addresses
    = {ntp::ip_address::parse(machine::a).value()};
  CHECK(m.run_until(30min, [&] { return m.state() == "synchronized"; }));
}

TEST_CASE("name servers that do not answer stop nobody else") {
  machine m;
  m.sim().network().name("ntp.example").hangs = true;
  m.start(machine::usual_config() + server_source("ntp.example"));
  m.run_for(10min);
  CHECK(m.state() == "synchronized");
  CHECK(m.sim().network().lookups("ntp.example").size() > 2);
  CHECK(m.sim().network().lookups("ntp.example").size() < 12);
  m.stop();
  CHECK_FALSE(m.sim().is_running());
}

TEST_CASE("a network change is a reason to ask for a failed name again") {
  machine m;
  m.start(server_source("ntp.example"));
  m.run_for(30min);
  const auto before = m.sim().network().lookups("ntp.example").size();
  m.sim().world().network_changes();
  m.run_for(1s);
  CHECK(m.sim().network().lookups("ntp.example").size() == before + 1);
}

TEST_CASE("a pool has as many members as wanted, and asks once") {
  machine m;
  make_pool(m, 6);
  m.start(pool_source(pool, 4));
  m.run_for(1h);
  CHECK(m.state() == "synchronized");
  CHECK(m.source_addresses().size() == 4);
  CHECK(m.sim().network().lookups(pool).size() == 1);
}

TEST_CASE("a falseticker of a pool is replaced") {
  machine m;
  make_pool(m, 6);
  m.server(member(2)).error_s = 0.4;
  m.start(pool_source(pool, 4));
  m.run_for(5min);
  CHECK(uses(m, 2));
  CHECK(m.source_state(member(2)) == "falseticker");
  CHECK(m.run_until(3h, [&] { return !uses(m, 2); }));
  m.run_for(1h);
  CHECK_FALSE(uses(m, 2));
  CHECK(m.source_addresses().size() == 4);
}

TEST_CASE("a silent member of a pool is replaced") {
  machine m;
  make_pool(m, 6);
  m.server(member(3)).silent = true;
  m.start(pool_source(pool, 4));
  m.run_for(2s);
  CHECK(uses(m, 3));
  CHECK(m.run_until(1h, [&] { return !uses(m, 3); }));
  CHECK(m.source_addresses().size() == 4);
  // Another one later, when it has been good for long.
  m.run_for(1h);
  m.server(member(1)).silent = true;
  CHECK(m.run_until(12h, [&] { return !uses(m, 1); }));
  CHECK(m.source_addresses().size() == 4);
}

TEST_CASE("an address that refuses us is not asked again") {
  machine m;
  make_pool(m, 6);
  m.server(member(4)).kiss = ntp::code_of("DENY");
  m.start(pool_source(pool, 4));
  m.run_for(2s);
  CHECK(uses(m, 4));
  CHECK(m.run_until(1h, [&] { return !uses(m, 4); }));
  const auto asked = m.server(member(4)).asked();
  m.run_for(3h);
  CHECK(m.server(member(4)).asked() == asked);
  CHECK(m.source_addresses().size() == 4);
}

TEST_CASE("the only server that refuses us is left alone for hours") {
  machine m;
  m.server(machine::a).kiss = ntp::code_of("DENY");
  m.start(server_source(machine::a));
  m.run_for(3h);
  CHECK(m.server(machine::a).asked() <= 8);
}

TEST_CASE("our own address and ignored ones are never members of a pool") {
  machine m;
  make_pool(m, 4);
  m.sim().network().own_addresses.push_back(
    ntp::ip_address::parse(member(1)).value());
  m.start(pool_source(pool, 4, "ignore = [\"" + member(2) + "\"]"));
  m.run_for(1h);
  CHECK(m.source_addresses() == std::vector<std::string>{member(3), member(4)});
  CHECK(m.server(member(1)).asked() == 0);
  CHECK(m.server(member(2)).asked() == 0);
}

TEST_CASE("a server whose name moves is followed to its new address") {
  machine m;
  auto& name = m.sim().network().name("ntp.example");
  name.addresses = {ntp::ip_address::parse(machine::a).value()};
  m.start(server_source("ntp.example"));
  m.run_for(30min);
  CHECK(m.source_addresses() == std::vector<std::string>{machine::a});
  name.addresses = {ntp::ip_address::parse(machine::b).value()};
  m.server(machine::a).silent = true;
  CHECK(m.run_until(12h, [&] {
    return m.source_addresses() == std::vector<std::string>{machine::b};
  }));
  CHECK(m.run_until(10min, [&] { return m.state() == "synchronized"; }));
}

} // namespace concert::actors::testing
