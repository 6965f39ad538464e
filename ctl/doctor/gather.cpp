#include "ctl/doctor/gather.hpp"

#include "ctl/text.hpp"

#include <fmt/format.h>

#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

namespace concert::ctl {

namespace {

namespace fs = std::filesystem;

/// More of a file is not read.
constexpr std::size_t most_octets = 256 * 1024;
/// More entries of a folder are not looked at.
constexpr int most_entries = 100'000;
/// Seconds from 1900 to 1970.
constexpr std::int64_t ntp_to_unix = 2'208'988'800;

std::string read(const fs::path& path) {
  std::error_code failed;
  // A pipe or a device would not end.
  const auto kind = fs::status(path, failed).type();
  if (failed || kind != fs::file_type::regular)
    return {};
  std::ifstream file{path, std::ios::binary};
  std::string text(most_octets, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(
    static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

std::string first_line(const fs::path& path) {
  const std::string text = read(path);
  return printable(std::string_view{text}.substr(0, text.find('\n')));
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(printable(word));
  return words;
}

template <class T>
std::optional<T> number_of(std::string_view text, int base = 10) {
  T value{};
  const auto [end, failed]
    = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failed != std::errc{} || end == text.data())
    return {};
  return value;
}

/// Calls `use` with each entry of a folder, if there is one.
void for_each_entry(const fs::path& folder, const auto& use) {
  std::error_code failed;
  int left = most_entries;
  for (fs::directory_iterator i{folder, failed}, end;
       !failed && i != end && left-- > 0; i.increment(failed))
    use(i->path());
}

// -- processes ----------------------------------------------------------------

/// The kernel keeps 15 letters of a name.
constexpr std::array<std::string_view, 9> others{
  "chronyd", "ntpd",   "systemd-timesyn", "openntpd",    "ptp4l",
  "phc2sys", "ts2phc", "timesyncd",       "busybox-ntpd"};
constexpr std::array<std::string_view, 4> guest_programs{
  "vmtoolsd", "VBoxService", "prltoolsd", "xe-daemon"};

/// The value of "Name:\tvalue" in a process's status.
std::string_view status_value(std::string_view status, std::string_view key) {
  const auto at = status.find(key);
  if (at == std::string_view::npos)
    return {};
  auto value = status.substr(at + key.size());
  value = value.substr(0, value.find('\n'));
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  return value;
}

daemon_process read_daemon(const fs::path& process, int pid) {
  daemon_process d{.pid = pid};
  for_each_entry(process / "task", [&](const fs::path& thread) {
    const std::string status = read(thread / "status");
    d.uid = number_of<std::uint32_t>(status_value(status, "\nUid:"))
              .value_or(d.uid);
    d.capabilities
      |= number_of<std::uint64_t>(status_value(status, "\nCapEff:"), 16)
           .value_or(0);
  });
  return d;
}

void read_processes(const fs::path& proc, machine_facts& facts) {
  for_each_entry(proc, [&](const fs::path& process) {
    const auto pid = number_of<int>(process.filename().string());
    if (!pid)
      return;
    const std::string name = first_line(process / "comm");
    const auto in = [&](const auto& list) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    // Another daemon has the name of ours; its unit tells them apart.
    const bool foreign
      = read(process / "cgroup").find("ntpd-rs") != std::string::npos;
    if (in(others) || (name == "ntp-daemon" && foreign))
      facts.time_programs.push_back({name == "systemd-timesyn"
                                       ? "systemd-timesyncd"
                                     : foreign ? "ntpd-rs"
                                               : name,
                                     *pid});
    else if (name == "ntp-daemon")
      facts.daemons.push_back(read_daemon(process, *pid));
    else if (in(guest_programs))
      facts.guest_tools.push_back({name, *pid});
  });
}

void read_units(const fs::path& root, machine_facts& facts) {
  constexpr std::array<std::string_view, 10> units{
    "chrony.service",  "chronyd.service",
    "ntp.service",     "ntpd.service",
    "ntpsec.service",  "openntpd.service",
    "ntpd-rs.service", "systemd-timesyncd.service",
    "phc2sys.service", "ptp4l.service"};
  std::set<std::string> found;
  for (const char* target : {"multi-user.target.wants", "sysinit.target.wants",
                             "network-online.target.wants"})
    for (const auto unit : units) {
      std::error_code ignored;
      if (fs::is_symlink(root / "etc/systemd/system" / target / unit, ignored))
        found.emplace(unit);
    }
  facts.enabled_units.assign(found.begin(), found.end());
  for (const char* folder :
       {"etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system"}) {
    std::error_code ignored;
    facts.unit_installed
      |= fs::exists(root / folder / "ntp-daemon.service", ignored);
  }
}

// -- network ------------------------------------------------------------------

void read_routes(const fs::path& root, machine_facts& facts) {
  std::set<std::string> names;
  std::istringstream v4{read(root / "proc/net/route")};
  for (std::string line; std::getline(v4, line);) {
    const auto f = words_of(line);
    if (f.size() >= 8 && f[1] == "00000000" && f[7] == "00000000")
      names.insert(f[0]);
  }
  std::istringstream v6{read(root / "proc/net/ipv6_route")};
  for (std::string line; std::getline(v6, line);) {
    const auto f = words_of(line);
    if (f.size() >= 10 && f[0] == std::string(32, '0') && f[1] == "00"
        && f[9] != "lo")
      names.insert(f[9]);
  }
  for (const auto& name : names)
    facts.interfaces.push_back({.name = name, .clock = {}});
}

void read_filters(const fs::path& root, machine_facts& facts) {
  const fs::path folder = root / "proc/sys/net/netfilter";
  const auto count = first_line(folder / "nf_conntrack_count");
  const auto limit = first_line(folder / "nf_conntrack_max");
  if (!count.empty() || !limit.empty())
    facts.conntrack = conntrack_facts{number_of<std::uint64_t>(count),
                                      number_of<std::uint64_t>(limit)};
  constexpr std::array<std::string_view, 5> filters{
    "nf_tables", "nf_nat", "ip_tables", "ip6_tables", "ebtables"};
  std::istringstream modules{read(root / "proc/modules")};
  for (std::string line; std::getline(modules, line);) {
    const std::string name = line.substr(0, line.find(' '));
    if (std::find(filters.begin(), filters.end(), name) != filters.end())
      facts.packet_filters.push_back(name);
    if (name == "nf_conntrack" && !facts.conntrack)
      facts.conntrack.emplace();
  }
}

// -- the machine --------------------------------------------------------------

void read_clock_source(const fs::path& root, machine_facts& facts) {
  const fs::path folder = root / "sys/devices/system/clocksource/clocksource0";
  facts.clock_source = first_line(folder / "current_clocksource");
  facts.clock_sources = words_of(first_line(folder / "available_clocksource"));
  // The kernel ends the names with a space.
  facts.clock_source.erase(facts.clock_source.find_last_not_of(' ') + 1);
}

void read_virtualisation(const fs::path& root, machine_facts& facts) {
  const std::string cpu = read(root / "proc/cpuinfo");
  const auto flags = status_value(cpu, "\nflags");
  facts.hypervisor = flags.find(" hypervisor") != std::string_view::npos
                     || !first_line(root / "sys/hypervisor/type").empty();
  const fs::path dmi = root / "sys/class/dmi/id";
  facts.vendor = first_line(dmi / "sys_vendor");
  const std::string product = first_line(dmi / "product_name");
  if (!product.empty())
    facts.vendor += (facts.vendor.empty() ? "" : " ") + product;
  std::error_code ignored;
  facts.container = first_line(root / "run/systemd/container");
  if (facts.container.empty() && fs::exists(root / ".dockerenv", ignored))
    facts.container = "docker";
  for_each_entry(root / "sys/class/ptp", [&](const fs::path& clock) {
    facts.ptp_clocks.push_back(fmt::format("{}: {}",
                                           printable(clock.filename().string()),
                                           first_line(clock / "clock_name")));
  });
  std::sort(facts.ptp_clocks.begin(), facts.ptp_clocks.end());
}

void read_rtc(const fs::path& root, machine_facts& facts) {
  std::istringstream adjtime{read(root / "etc/adjtime")};
  std::string line;
  for (int i = 0; i < 3; ++i)
    std::getline(adjtime, line);
  facts.rtc_local = adjtime && line == "LOCAL";
}

} // namespace

machine_facts read_machine(const fs::path& root) {
  machine_facts facts;
  read_processes(root / "proc", facts);
  read_units(root, facts);
  read_routes(root, facts);
  read_filters(root, facts);
  read_clock_source(root, facts);
  read_virtualisation(root, facts);
  read_rtc(root, facts);
  const fs::path system_list = root / "usr/share/zoneinfo/leap-seconds.list";
  std::error_code ignored;
  if (fs::exists(system_list, ignored))
    facts.leap_files.push_back(read_leap_file(system_list, false));
  return facts;
}

leap_file_facts read_leap_file(const fs::path& path, bool configured) {
  leap_file_facts facts{
    .path = path, .configured = configured, .updated = {}, .expires = {}};
  std::istringstream file{read(path)};
  const auto time = [](const std::string& line) -> std::optional<std::int64_t> {
    const auto f = words_of(line.substr(2));
    const auto seconds
      = f.empty() ? std::nullopt : number_of<std::uint32_t>(f[0]);
    if (!seconds)
      return {};
    return std::int64_t{*seconds} - ntp_to_unix;
  };
  for (std::string line; std::getline(file, line);) {
    facts.readable = true;
    if (line.starts_with("#$"))
      facts.updated = time(line);
    else if (line.starts_with("#@"))
      facts.expires = time(line);
  }
  return facts;
}

state_folder_facts read_state_folder(const fs::path& path) {
  state_folder_facts facts{.path = path};
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0 || !S_ISDIR(about.st_mode))
    return facts;
  facts.exists = true;
  facts.owner = about.st_uid;
  facts.group = about.st_gid;
  facts.mode = about.st_mode & 07777;
  return facts;
}

void read_stamping(interface_facts& interface) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  ethtool_ts_info info{};
  info.cmd = ETHTOOL_GET_TS_INFO;
  ifreq request{};
  const auto length
    = std::min(interface.name.size(), sizeof request.ifr_name - 1);
  std::memcpy(request.ifr_name, interface.name.data(), length);
  request.ifr_data = reinterpret_cast<char*>(&info);
  if (::ioctl(fd, SIOCETHTOOL, &request) == 0) {
    const auto all = [&](std::uint32_t wanted) {
      return (info.so_timestamping & wanted) == wanted;
    };
    interface.known = true;
    interface.hardware
      = all(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE
            | SOF_TIMESTAMPING_RAW_HARDWARE);
    interface.software
      = all(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE
            | SOF_TIMESTAMPING_SOFTWARE);
    if (info.phc_index >= 0)
      interface.clock = info.phc_index;
  }
  ::close(fd);
}

std::optional<kernel_clock_facts> read_kernel_clock() {
  timex status{}; // no modes: nothing is set
  const int state = ::adjtimex(&status);
  if (state < 0)
    return {};
  return kernel_clock_facts{state != TIME_ERROR
                              && (status.status & STA_UNSYNC) == 0,
                            static_cast<double>(status.maxerror) * 1e-6};
}

} // namespace concert::ctl
