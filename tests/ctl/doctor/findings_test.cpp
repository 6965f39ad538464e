#include "ctl/doctor/findings.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace concert::ctl {

namespace {

constexpr std::uint64_t both_rights = 1ULL << 25 | 1ULL << 10;
constexpr std::int64_t day = 86400;

/// A machine where everything is as it should be.
machine_facts healthy() {
  machine_facts m;
  m.now = 1'795'404'000;
  m.daemons = {{412, 107, both_rights}};
  m.unit_installed = true;
  m.interfaces = {{"eth0", true, true, true, 0}};
  m.leap_files = {{"/etc/leap-seconds.list", true, true, m.now - 60 * day,
                   m.now + 120 * day}};
  m.clock_source = "tsc";
  m.clock_sources = {"tsc", "hpet", "acpi_pm"};
  m.state_folder = state_folder_facts{"/var/lib/concert", true, 107, 107, 0750};
  m.kernel_clock = kernel_clock_facts{true, 0.002};
  m.config = {"/etc/concert/ntp.toml", true, true, {}, 4, false, true};
  m.observe = {true, true, {}};
  m.control = {true, true, {}};
  m.clock_kind = "system";
  m.state = "synchronized";
  m.state_reason = "4 of 4 usable sources agree";
  return m;
}

/// The worst finding on a subject.
finding about(const machine_facts& m, std::string_view subject) {
  const auto all = examine(m);
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& f) {
    return f.subject == subject;
  });
  REQUIRE_MESSAGE(found != all.end(), subject);
  return *found;
}

bool says(const finding& f, std::string_view text) {
  return f.text.find(text) != std::string::npos;
}

} // namespace

TEST_CASE("a healthy machine has nothing but good findings") {
  for (const auto& f : examine(healthy())) {
    CHECK_MESSAGE(f.how == weight::ok, f.subject << ": " << f.text);
    CHECK_MESSAGE(f.advice.empty(), f.subject << ": " << f.advice);
  }
}

TEST_CASE("findings come sorted, the worst first, and bad ones have advice") {
  auto m = healthy();
  m.clock_source = "hpet";
  m.daemons[0].capabilities = 0;
  m.config.sources = 2;
  const auto all = examine(m);
  CHECK(
    std::is_sorted(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.how > b.how; }));
  CHECK(all.front().how == weight::problem);
  for (const auto& f : all)
    if (f.how >= weight::warning)
      CHECK_FALSE(f.advice.empty());
}

TEST_CASE("another daemon is a problem only where ours steers the same clock") {
  auto m = healthy();
  m.time_programs = {{"chronyd", 99}};
  m.enabled_units = {"chrony.service"};
  CHECK(about(m, "other daemons").how == weight::problem);
  CHECK(says(about(m, "other daemons"), "chronyd (process 99)"));
  m.clock_kind = "read-only";
  CHECK(about(m, "other daemons").how == weight::note);
}

TEST_CASE("a daemon without the right to set the clock is found out") {
  auto m = healthy();
  m.daemons[0].capabilities = 1ULL << 10;
  CHECK(about(m, "permission").how == weight::problem);
  m.daemons[0].capabilities = ~0ULL;
  CHECK(about(m, "permission").how == weight::note);
  // One that never sets it needs no right.
  m.daemons[0].capabilities = 0;
  m.clock_kind = "virtual";
  for (const auto& f : examine(m))
    CHECK(f.subject != "permission");
}

TEST_CASE("a daemon that is absent, mute or in need of help is told apart") {
  auto m = healthy();
  m.state = "panic";
  CHECK(about(m, "daemon").how == weight::problem);
  m.observe = {true, false, "no answer within 5 s"};
  CHECK(says(about(m, "daemon"), "process 412 runs, but does not answer"));
  m.daemons.clear();
  CHECK(says(about(m, "daemon"), "no ntp-daemon is running"));
  m = healthy();
  m.control.answers = false;
  CHECK(about(m, "daemon").how == weight::warning);
}

TEST_CASE("what the configuration lacks is said") {
  auto m = healthy();
  m.config.exists = false;
  CHECK(about(m, "configuration").how == weight::warning);
  m = healthy();
  m.config.valid = false;
  m.config.problems = {"ntp.toml:3:1: error: unknown key"};
  CHECK(about(m, "configuration").how == weight::problem);
  CHECK(says(about(m, "configuration"), "ntp.toml:3:1"));
  m = healthy();
  m.config.sources = 0;
  CHECK(about(m, "configuration").how == weight::warning);
  m.config.sources = 2;
  CHECK(about(m, "configuration").how == weight::note);
}

TEST_CASE("stamping is told for each interface with a default route") {
  auto m = healthy();
  m.interfaces = {{"eth0", true, false, true, {}},
                  {"veth1", true, false, false, {}},
                  {"tun0", false, false, false, {}}};
  int told = 0;
  for (const auto& f : examine(m))
    if (f.subject == "time stamps") {
      ++told;
      if (says(f, "eth0"))
        CHECK(f.how == weight::ok);
      else
        CHECK(f.how == weight::note);
    }
  CHECK(told == 3);
  m.interfaces.clear();
  CHECK(about(m, "time stamps").how == weight::warning);
}

TEST_CASE("a table of connections that is nearly full loses packets") {
  auto m = healthy();
  m.conntrack = conntrack_facts{100, 1000};
  CHECK(about(m, "firewall").how == weight::ok);
  m.config.serves = true;
  CHECK(about(m, "firewall").how == weight::note);
  m.conntrack = conntrack_facts{900, 1000};
  CHECK(about(m, "firewall").how == weight::problem);
  CHECK(about(m, "firewall").advice.find("notrack") != std::string::npos);
  m.conntrack = conntrack_facts{{}, 0};
  CHECK(about(m, "firewall").how == weight::note);
}

TEST_CASE("a leap second file that ends is to be replaced") {
  auto m = healthy();
  auto& file = m.leap_files[0];
  file.expires = m.now + 10 * day;
  CHECK(about(m, "leap seconds").how == weight::warning);
  CHECK(says(about(m, "leap seconds"), "good for 10 d"));
  file.expires = m.now - day;
  CHECK(says(about(m, "leap seconds"), "expired 24 h ago"));
  file.expires.reset();
  CHECK(about(m, "leap seconds").how == weight::problem);
  file.readable = false;
  CHECK(says(about(m, "leap seconds"), "cannot be read"));
  m.leap_files.clear();
  CHECK(about(m, "leap seconds").how == weight::note);
}

TEST_CASE("a slow clock source is a warning, with what else there is") {
  auto m = healthy();
  m.clock_source = "hpet";
  CHECK(about(m, "clock source").how == weight::warning);
  CHECK(about(m, "clock source").advice.find("tsc is available")
        != std::string::npos);
  m.clock_sources = {"hpet", "acpi_pm"};
  CHECK(about(m, "clock source").advice.find("distrusts") != std::string::npos);
  m.clock_source = "kvm-clock";
  CHECK(about(m, "clock source").how == weight::ok);
  m.clock_source.clear();
  CHECK(about(m, "clock source").how == weight::note);
}

TEST_CASE("tools of the host that set the clock are warned of") {
  auto m = healthy();
  m.hypervisor = true;
  m.vendor = "innotek VirtualBox";
  CHECK(about(m, "virtualisation").how == weight::note);
  m.guest_tools = {{"VBoxService", 12}};
  CHECK(about(m, "virtualisation").how == weight::warning);
}

TEST_CASE("the rest of the machine is judged too") {
  auto m = healthy();
  m.rtc_local = true;
  CHECK(about(m, "real-time clock").how == weight::warning);
  m.kernel_clock = kernel_clock_facts{false, 16};
  CHECK(about(m, "kernel").how == weight::warning);
  m.state = "starting";
  CHECK(about(m, "kernel").how == weight::note);
  m.state_folder->owner = 0;
  CHECK(about(m, "state").how == weight::warning);
  m.state_folder->exists = false;
  CHECK(says(about(m, "state"), "is not there"));
}

} // namespace concert::ctl
