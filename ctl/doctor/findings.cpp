#include "ctl/doctor/findings.hpp"

#include "ctl/format.hpp"

#include <fmt/format.h>

#include <linux/capability.h>

#include <algorithm>
#include <array>

namespace concert::ctl {

namespace {

using findings = std::vector<finding>;

/// A leap-second file that ends sooner should be replaced.
constexpr double leap_renewal_s = 30 * 86400.0;
/// Of the table of connections.
constexpr double conntrack_nearly_full = 0.8;

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string joined(const std::vector<time_program>& programs) {
  std::vector<std::string> parts;
  parts.reserve(programs.size());
  for (const auto& p : programs)
    parts.push_back(fmt::format("{} (process {})", p.name, p.pid));
  return joined(parts);
}

bool has(const daemon_process& d, int capability) {
  return (d.capabilities >> capability & 1) != 0;
}

/// Whether the daemon steers this machine's clock, or is meant to.
bool steers(const machine_facts& m) {
  return m.clock_kind.empty() ? m.config.adjusts : m.clock_kind == "system";
}

findings configuration(const machine_facts& m) {
  const config_facts& c = m.config;
  constexpr auto subject = "configuration";
  if (!c.exists)
    return {{weight::warning, subject,
             c.path.string() + " is not there, so that nothing is configured",
             "write one: `man ntp.toml` has an example, `ntp-ctl migrate` "
             "translates chrony's or ntpd's"}};
  const std::string first = c.problems.empty() ? "" : c.problems.front();
  if (!c.valid)
    return {{weight::problem, subject, "cannot be used: " + first,
             "`ntp-ctl validate` names everything that is wrong"}};
  findings result;
  if (!c.problems.empty())
    result.push_back(
      {weight::note, subject, first, "`ntp-ctl validate` shows all warnings"});
  if (c.sources == 0)
    result.push_back({weight::warning, subject,
                      "no [[source]] is configured: there is nothing to learn "
                      "the time from",
                      "add one, or `ntp-ctl source add`"});
  else if (c.sources < 3)
    result.push_back(
      {weight::note, subject,
       fmt::format("{} source{} configured: when one is wrong nobody can tell "
                   "which",
                   c.sources, c.sources == 1 ? " is" : "s are"),
       "configure four, so that one may fail and another one lie"});
  if (result.empty())
    result.push_back(
      {weight::ok, subject, fmt::format("valid, {} sources", c.sources), {}});
  return result;
}

findings daemon(const machine_facts& m) {
  constexpr auto subject = "daemon";
  findings result;
  if (m.observe.answers) {
    const bool bad = m.state == "panic" || m.state == "contested"
                     || m.state == "unsynchronized";
    result.push_back(
      {bad ? weight::problem : weight::ok, subject,
       fmt::format("answers; {}: {}", m.state, m.state_reason),
       bad ? "`ntp-ctl status` and `ntp-ctl why SOURCE` tell more" : ""});
  } else if (m.daemons.empty()) {
    result.push_back(
      {weight::problem, subject, "no ntp-daemon is running",
       m.unit_installed
         ? "`systemctl enable --now ntp-daemon`"
         : "start it, by `systemctl` where its unit is installed"});
  } else {
    result.push_back({weight::problem, subject,
                      fmt::format("process {} runs, but does not answer: {}",
                                  m.daemons.front().pid, m.observe.problem),
                      "give its socket by --socket or its configuration by "
                      "--config, or restart it"});
  }
  if (m.observe.answers && m.control.wanted && !m.control.answers)
    result.push_back(
      {weight::warning, subject,
       "its control socket does not answer: " + m.control.problem,
       "without it nothing can be changed while it runs"});
  return result;
}

findings other_daemons(const machine_facts& m) {
  constexpr auto subject = "other daemons";
  const weight how = steers(m) ? weight::problem : weight::note;
  findings result;
  if (!m.time_programs.empty())
    result.push_back({how, subject, "running: " + joined(m.time_programs),
                      "two programs that steer one clock spoil it: stop and "
                      "disable the other one, or run this one with --no-adjust "
                      "or --shadow"});
  if (!m.enabled_units.empty())
    result.push_back({steers(m) ? weight::warning : weight::note, subject,
                      "start with the machine: " + joined(m.enabled_units),
                      "`systemctl disable --now` them"});
  if (result.empty())
    result.push_back({weight::ok, subject, "none is running", {}});
  return result;
}

findings permission(const machine_facts& m) {
  constexpr auto subject = "permission";
  if (m.daemons.empty() || !steers(m))
    return {};
  const bool any
    = std::any_of(m.daemons.begin(), m.daemons.end(),
                  [](const auto& d) { return has(d, CAP_SYS_TIME); });
  if (!any)
    return {{m.clock_kind == "system" ? weight::problem : weight::warning,
             subject,
             fmt::format("process {} may not set the clock", m.daemons[0].pid),
             "give it CAP_SYS_TIME, as its systemd unit does "
             "(AmbientCapabilities); in a container `--cap-add SYS_TIME`"}};
  findings result{{weight::ok, subject, "the daemon may set the clock", {}}};
  const auto rich
    = std::find_if(m.daemons.begin(), m.daemons.end(), [](const auto& d) {
        constexpr std::uint64_t enough
          = 1ULL << CAP_SYS_TIME | 1ULL << CAP_NET_BIND_SERVICE;
        return (d.capabilities & ~enough) != 0;
      });
  if (rich != m.daemons.end())
    result.push_back(
      {weight::note, subject,
       fmt::format("process {} has more rights than it needs", rich->pid),
       "set `user` in the configuration, or start it by its "
       "systemd unit"});
  return result;
}

findings stamping(const machine_facts& m) {
  constexpr auto subject = "time stamps";
  if (m.interfaces.empty())
    return {{weight::warning,
             subject,
             "there is no default route: only servers on the link can be asked",
             {}}};
  findings result;
  for (const interface_facts& i : m.interfaces) {
    if (!i.known)
      result.push_back({weight::note,
                        subject,
                        i.name + " does not tell how it stamps packets",
                        {}});
    else if (i.hardware)
      result.push_back(
        {weight::ok,
         subject,
         i.name + " stamps packets in hardware"
           + (i.clock ? fmt::format(" (/dev/ptp{})", *i.clock) : ""),
         {}});
    else if (i.software)
      result.push_back({weight::ok,
                        subject,
                        i.name
                          + " stamps packets in the kernel, not in "
                            "hardware",
                        {}});
    else
      result.push_back({weight::note, subject,
                        i.name
                          + " does not stamp what it sends: the daemon "
                            "must, some 10 us less exactly",
                        "another driver, or another virtual interface (virtio "
                        "instead of a bridge), may do better"});
  }
  return result;
}

findings firewall(const machine_facts& m) {
  constexpr auto subject = "firewall";
  findings result;
  if (m.packet_filters.empty())
    result.push_back({weight::ok,
                      subject,
                      "no packet filter shows among the kernel's modules",
                      {}});
  else
    result.push_back(
      {weight::note, subject,
       "packets may be filtered: " + joined(m.packet_filters)
         + (m.config.serves ? "; UDP port 123 must be open for clients" : ""),
       "root sees the rules: `nft list ruleset`, `iptables-save`"});
  if (!m.conntrack)
    return result;
  const auto& c = *m.conntrack;
  if (!c.entries || !c.limit || *c.limit == 0) {
    result.push_back({weight::note,
                      subject,
                      "connections are tracked; how many is not told",
                      {}});
    return result;
  }
  const double full
    = static_cast<double>(*c.entries) / static_cast<double>(*c.limit);
  const bool tight = full > conntrack_nearly_full;
  const std::string fill = fmt::format(
    "connections are tracked, {} of {} entries in use", *c.entries, *c.limit);
  const std::string untrack
    = "exempt UDP port 123: `nft add rule inet raw prerouting udp dport 123 "
      "notrack`, and the same for what leaves";
  if (tight)
    result.push_back(
      {weight::problem, subject, fill + ": packets will be lost", untrack});
  else if (m.config.serves)
    result.push_back({weight::note, subject,
                      fill + "; each client of the server takes one", untrack});
  else
    result.push_back({weight::ok, subject, fill, {}});
  return result;
}

finding leap_file(const leap_file_facts& f, std::int64_t now) {
  constexpr auto subject = "leap seconds";
  const std::string path = f.path.string();
  const std::string renew
    = "get a new leap-seconds.list, from the IERS or with the tzdata package";
  if (!f.readable)
    return {weight::problem, subject, path + " cannot be read", renew};
  if (!f.expires)
    return {weight::problem, subject, path + " does not tell when it expires",
            renew};
  const auto left_s = static_cast<double>(*f.expires - now);
  const std::string old
    = f.updated ? fmt::format(", made {} ago",
                              age(static_cast<double>(now - *f.updated)))
                : "";
  if (left_s <= 0)
    return {f.configured ? weight::warning : weight::note, subject,
            fmt::format("{} expired {} ago{}", path, age(-left_s), old), renew};
  return {left_s < leap_renewal_s && f.configured ? weight::warning
                                                  : weight::ok,
          subject,
          fmt::format("{} is good for {}{}{}", path, age(left_s), old,
                      f.configured ? "" : "; the daemon does not read it"),
          left_s < leap_renewal_s ? renew : ""};
}

findings leap_seconds(const machine_facts& m) {
  constexpr auto subject = "leap seconds";
  findings result;
  for (const auto& f : m.leap_files)
    result.push_back(leap_file(f, m.now));
  const bool configured
    = std::any_of(m.leap_files.begin(), m.leap_files.end(),
                  [](const auto& f) { return f.configured; });
  if (configured)
    return result;
  const auto good = std::find_if(
    m.leap_files.begin(), m.leap_files.end(),
    [&](const auto& f) { return f.expires && *f.expires > m.now; });
  result.push_back({weight::note, subject,
                    "they come from what the sources announce alone",
                    good == m.leap_files.end()
                      ? ""
                      : "leap-seconds-file = \"" + good->path.string() + '"'});
  return result;
}

findings clock_source(const machine_facts& m) {
  constexpr auto subject = "clock source";
  const std::string& now = m.clock_source;
  if (now.empty())
    return {{weight::note, subject, "the kernel does not tell it", {}}};
  constexpr std::array<std::string_view, 5> poor{"hpet", "acpi_pm", "jiffies",
                                                 "refined-jiffies", "pit"};
  const bool tsc
    = std::find(m.clock_sources.begin(), m.clock_sources.end(), "tsc")
      != m.clock_sources.end();
  if (std::find(poor.begin(), poor.end(), now) != poor.end())
    return {{weight::warning, subject, now + " is slow to read and coarse",
             tsc ? "tsc is available: `echo tsc > /sys/devices/system/"
                   "clocksource/clocksource0/current_clocksource`, and "
                   "clocksource=tsc for the kernel at boot"
                 : "the kernel distrusts the TSC (`dmesg` says why); firmware "
                   "or the virtual machine's settings may help"}};
  if (now == "kvm-clock" && tsc)
    return {{weight::note, subject,
             "kvm-clock, while tsc is available and steadier where the host "
             "never moves this machine",
             "clocksource=tsc for the kernel at boot"}};
  return {{weight::ok, subject, now, {}}};
}

findings virtualisation(const machine_facts& m) {
  constexpr auto subject = "virtualisation";
  findings result;
  const weight how = steers(m) ? weight::warning : weight::note;
  if (!m.guest_tools.empty())
    result.push_back(
      {how, subject, joined(m.guest_tools) + " may set the clock by the host's",
       "switch its time synchronisation off: `vmware-toolbox-cmd "
       "timesync disable`, `VBoxService --disable-timesync`"});
  if (!m.container.empty())
    result.push_back(
      {weight::note, subject,
       "this is a container (" + m.container
         + "): its clock is that of the whole machine",
       steers(m) ? "let one daemon steer it, best outside" : ""});
  if (m.hypervisor)
    result.push_back({weight::note,
                      subject,
                      "this is a virtual machine"
                        + (m.vendor.empty() ? "" : " (" + m.vendor + ")")
                        + ": its clock jumps when the host stops or moves it",
                      {}});
  for (const auto& clock : m.ptp_clocks)
    if (m.hypervisor)
      result.push_back({weight::note,
                        subject,
                        "/dev/" + clock + " may show the host's time",
                        {}});
  if (result.empty())
    result.push_back({weight::ok, subject, "none shows", {}});
  return result;
}

findings real_time_clock(const machine_facts& m) {
  constexpr auto subject = "real-time clock";
  if (!m.rtc_local)
    return {{weight::ok, subject, "keeps UTC", {}}};
  return {{weight::warning, subject,
           "keeps local time (/etc/adjtime): the kernel does not set it, and "
           "after a boot in another season the clock is an hour wrong",
           "`timedatectl set-local-rtc 0`"}};
}

findings state_folder(const machine_facts& m) {
  constexpr auto subject = "state";
  if (!m.state_folder)
    return {};
  const auto& s = *m.state_folder;
  const std::string path = s.path.string();
  if (!s.exists)
    return {{m.daemons.empty() ? weight::note : weight::warning, subject,
             path
               + " is not there: what the daemon learnt of the oscillator "
                 "is lost when it ends",
             "make it, for the daemon's user; its systemd unit does "
             "(StateDirectory)"}};
  if (m.daemons.empty())
    return {{weight::ok, subject, path + " is there", {}}};
  const auto uid = m.daemons.front().uid;
  const bool writable = (uid == 0) || (s.owner == uid && (s.mode & 0200) != 0)
                        || (s.mode & 0022) != 0;
  if (writable)
    return {{weight::ok, subject, "the daemon can write to " + path, {}}};
  return {{weight::warning, subject,
           fmt::format("{} belongs to user {}, the daemon is user {}: it "
                       "cannot keep what it learns",
                       path, s.owner, uid),
           fmt::format("`chown {} {}`", uid, path)}};
}

findings kernel_clock(const machine_facts& m) {
  constexpr auto subject = "kernel";
  if (!m.kernel_clock)
    return {{weight::note, subject, "does not tell about its clock", {}}};
  const auto& k = *m.kernel_clock;
  if (k.synchronized)
    return {
      {weight::ok,
       subject,
       "holds its clock to be synchronized, within " + span(k.max_error_s),
       {}}};
  const bool ours = m.state == "synchronized" && steers(m);
  return {{ours ? weight::warning : weight::note, subject,
           "holds its clock to be not synchronized",
           ours ? "the daemon says otherwise: something resets the kernel's "
                  "status"
                : "programs that ask the kernel will distrust the time"}};
}

} // namespace

std::string_view to_string(weight w) {
  switch (w) {
    case weight::ok:
      return "ok";
    case weight::note:
      return "note";
    case weight::warning:
      return "warning";
    case weight::problem:
      break;
  }
  return "problem";
}

std::vector<finding> examine(const machine_facts& facts) {
  findings all;
  for (const auto check :
       {configuration, daemon, other_daemons, permission, kernel_clock,
        clock_source, virtualisation, stamping, firewall, leap_seconds,
        real_time_clock, state_folder}) {
    findings more = check(facts);
    std::move(more.begin(), more.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.how > b.how; });
  return all;
}

} // namespace concert::ctl
