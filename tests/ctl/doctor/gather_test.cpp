#include "ctl/doctor/gather.hpp"

#include "ctl/commands.hpp"
#include "tests/ctl/fake_daemon.hpp"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace concert::ctl {

namespace {

namespace fs = std::filesystem;

/// A machine made of files.
class fake_machine {
public:
  const fs::path& root() const { return folder_.path(); }

  void file(const std::string& path, const std::string& text) const {
    fs::create_directories((root() / path).parent_path());
    std::ofstream{root() / path} << text;
  }
  void process(int pid, const std::string& name,
               const std::string& cgroup
               = "0::/system.slice/x.service\n") const {
    const std::string p = "proc/" + std::to_string(pid);
    file(p + "/comm", name + "\n");
    file(p + "/cgroup", cgroup);
  }
  void thread(int pid, int id, const std::string& capabilities) const {
    file("proc/" + std::to_string(pid) + "/task/" + std::to_string(id)
           + "/status",
         "Name:\tntp-daemon\nUid:\t107\t107\t107\t107\nCapEff:\t" + capabilities
           + "\n");
  }

private:
  scratch_folder folder_;
};

} // namespace

TEST_CASE("time daemons are told apart from ours and from everything else") {
  const fake_machine m;
  m.process(1, "systemd");
  m.process(20, "chronyd");
  m.process(21, "systemd-timesyn");
  m.process(22, "ntp-daemon", "0::/system.slice/ntpd-rs.service\n");
  m.process(23, "ntp-daemon");
  m.thread(23, 23, "0000000002000400");
  m.thread(23, 24, "0000000000000000");
  m.process(24, "VBoxService");
  m.file("proc/self/comm", "chronyd\n");
  m.file("proc/version", "Linux\n");
  const auto facts = read_machine(m.root());
  REQUIRE(facts.time_programs.size() == 3);
  for (const auto& p : facts.time_programs)
    CHECK((p.name == "chronyd" || p.name == "systemd-timesyncd"
           || p.name == "ntpd-rs"));
  REQUIRE(facts.daemons.size() == 1);
  CHECK(facts.daemons[0].pid == 23);
  CHECK(facts.daemons[0].uid == 107);
  CHECK(facts.daemons[0].capabilities == 0x2000400);
  REQUIRE(facts.guest_tools.size() == 1);
}

TEST_CASE("units that start with the machine are links in a target's folder") {
  const fake_machine m;
  m.file("lib/systemd/system/ntp-daemon.service", "[Unit]\n");
  fs::create_directories(m.root()
                         / "etc/systemd/system/multi-user.target.wants");
  fs::create_symlink(
    "/lib/systemd/system/chrony.service",
    m.root() / "etc/systemd/system/multi-user.target.wants/chrony.service");
  const auto facts = read_machine(m.root());
  CHECK(facts.enabled_units == std::vector<std::string>{"chrony.service"});
  CHECK(facts.unit_installed);
}

TEST_CASE("interfaces are those of the default routes of both families") {
  const fake_machine m;
  m.file("proc/net/route",
         "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n"
         "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
         "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
  const std::string none(32, '0');
  m.file("proc/net/ipv6_route",
         none + " 00 " + none + " 00 fe800000000000000000000000000001 00000400 "
           + "00000001 00000000 00000003     eth2\n" + none + " 00 " + none
           + " 00 " + none + " ffffffff 00000001 00000000 00200200       lo\n");
  const auto facts = read_machine(m.root());
  REQUIRE(facts.interfaces.size() == 2);
  CHECK(facts.interfaces[0].name == "eth0");
  CHECK(facts.interfaces[1].name == "eth2");
}

TEST_CASE("the kernel's modules tell of packet filters and tracking") {
  const fake_machine m;
  CHECK_FALSE(read_machine(m.root()).conntrack);
  m.file("proc/modules", "nf_conntrack 172032 2 nf_nat, Live 0x0\n"
                         "nf_tables 286720 1 - Live 0x0\n"
                         "ext4 1 1 - Live 0x0\n");
  CHECK(read_machine(m.root()).conntrack);
  m.file("proc/sys/net/netfilter/nf_conntrack_count", "77\n");
  m.file("proc/sys/net/netfilter/nf_conntrack_max", "262144\n");
  const auto facts = read_machine(m.root());
  CHECK(facts.conntrack->entries == 77);
  CHECK(facts.conntrack->limit == 262144);
  CHECK(facts.packet_filters == std::vector<std::string>{"nf_tables"});
}

TEST_CASE("clock source, virtual machine and real-time clock are read") {
  const fake_machine m;
  const std::string clock = "sys/devices/system/clocksource/clocksource0/";
  m.file(clock + "current_clocksource", "kvm-clock\n");
  m.file(clock + "available_clocksource", "kvm-clock tsc acpi_pm \n");
  m.file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu vme hypervisor lm\n");
  m.file("sys/class/dmi/id/sys_vendor", "QEMU\n");
  m.file("sys/class/dmi/id/product_name", "Standard PC\n");
  m.file("sys/class/ptp/ptp0/clock_name", "KVM virtual PTP\n");
  m.file("etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n");
  m.file(".dockerenv", "");
  const auto facts = read_machine(m.root());
  CHECK(facts.clock_source == "kvm-clock");
  CHECK(facts.clock_sources
        == std::vector<std::string>{"kvm-clock", "tsc", "acpi_pm"});
  CHECK(facts.hypervisor);
  CHECK(facts.vendor == "QEMU Standard PC");
  CHECK(facts.container == "docker");
  CHECK(facts.ptp_clocks == std::vector<std::string>{"ptp0: KVM virtual PTP"});
  CHECK(facts.rtc_local);
}

TEST_CASE("a leap second file tells when it was made and when it ends") {
  const fake_machine m;
  m.file("leap", "#$\t 3929093563\n#@\t3960057600\n2272060800 10\n");
  const auto facts = read_leap_file(m.root() / "leap", true);
  CHECK(facts.readable);
  CHECK(facts.updated == 1'720'104'763);
  CHECK(facts.expires == 1'751'068'800);
  CHECK_FALSE(read_leap_file(m.root() / "none", true).readable);
  m.file("odd", "#@ never\n#$\n");
  const auto odd = read_leap_file(m.root() / "odd", true);
  CHECK(odd.readable);
  CHECK_FALSE(odd.expires);
}

TEST_CASE("files that nobody should have do no harm") {
  const fake_machine m;
  m.process(7, std::string(1000, 'a') + "\x1b\xff");
  m.file("proc/net/route", std::string(300'000, 'x'));
  m.file("proc/modules", std::string("\0\0\n\n \n", 6));
  m.file("proc/cpuinfo", "flags");
  m.file("etc/adjtime", "");
  m.file("proc/9/comm", "ntp-daemon\n");
  fs::create_directories(m.root() / "proc/10/comm");
  fs::create_directories(m.root() / "sys/hypervisor");
  ::mkfifo((m.root() / "sys/hypervisor/type").c_str(), 0600);
  const auto facts = read_machine(m.root());
  CHECK(facts.interfaces.empty());
  CHECK_FALSE(facts.hypervisor);
  REQUIRE(facts.daemons.size() == 1);
  CHECK(facts.daemons[0].capabilities == 0);
}

TEST_CASE("the doctor finds a machine without a daemon wanting") {
  const fake_machine m;
  m.file("ntp.toml", "[[source]]\nmode = \"server\"\naddress = \"192.0.2.1\"\n"
                     "[observability]\nobservation-path = \""
                       + (m.root() / "observe").string() + "\"\n");
  options o;
  o.what = command::doctor;
  o.config = m.root() / "ntp.toml";
  o.form = output_form::json;
  const outcome r = run_doctor(o);
  CHECK(r.code == 1);
  rapidjson::Document d;
  d.Parse(r.out.c_str());
  REQUIRE(d.IsObject());
  CHECK(d["findings"][0]["weight"] == "problem");
  o.form = output_form::plain;
  CHECK(run_doctor(o).out.find("configuration") != std::string::npos);
}

} // namespace concert::ctl
