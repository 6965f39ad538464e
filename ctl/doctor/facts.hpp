#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What `ntp-ctl doctor` knows of the machine. Everything is absent that could
/// not be read; all text is printable.
namespace concert::ctl {

/// A process that keeps time, or may.
struct time_program {
  std::string name; ///< "chronyd"
  int pid = 0;
};

/// A running ntp-daemon of this kind.
struct daemon_process {
  int pid = 0;
  std::uint32_t uid = 0;
  /// Effective capabilities of all its threads together.
  std::uint64_t capabilities = 0;
};

/// A network interface that a default route goes through.
struct interface_facts {
  std::string name;
  bool known = false;       ///< whether the kernel told the next ones
  bool hardware = false;    ///< stamps both directions in hardware
  bool software = false;    ///< stamps both directions in the kernel
  std::optional<int> clock; ///< N of /dev/ptpN
};

struct conntrack_facts {
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> limit;
};

struct leap_file_facts {
  std::filesystem::path path;
  bool configured = false; ///< else the system's, which we do not read
  bool readable = false;
  std::optional<std::int64_t> updated; ///< Unix time, s
  std::optional<std::int64_t> expires; ///< Unix time, s
};

struct state_folder_facts {
  std::filesystem::path path;
  bool exists = false;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint32_t mode = 0; ///< permission bits
};

/// What adjtimex tells without changing anything.
struct kernel_clock_facts {
  bool synchronized = false;
  double max_error_s = 0;
};

/// The configuration, judged by the code of `validate`.
struct config_facts {
  std::filesystem::path path;
  bool exists = false;
  bool valid = true;
  std::vector<std::string> problems; ///< errors, or else warnings
  std::uint32_t sources = 0;         ///< remotes that it asks for
  bool serves = false;               ///< has a `[[server]]`
  bool adjusts = true;               ///< steers the system's clock
};

/// What a socket of the daemon answered.
struct socket_facts {
  bool wanted = false; ///< whether the configuration has it
  bool answers = false;
  std::string problem; ///< why not
};

struct machine_facts {
  std::int64_t now = 0;                    ///< Unix time, s
  std::vector<time_program> time_programs; ///< others than ours
  std::vector<std::string> enabled_units;  ///< of other time daemons
  std::vector<daemon_process> daemons;     ///< ours
  bool unit_installed = false;             ///< ours, for systemd
  std::vector<interface_facts> interfaces;
  std::optional<conntrack_facts> conntrack; ///< absent: not loaded
  /// Parts of the kernel that filter packets: "nf_tables", "ip_tables"…
  std::vector<std::string> packet_filters;
  std::vector<leap_file_facts> leap_files;
  std::string clock_source; ///< empty: unknown
  std::vector<std::string> clock_sources;
  bool hypervisor = false;
  std::string vendor;                  ///< of the (virtual) machine, by DMI
  std::string container;               ///< "docker"…; empty: none that shows
  std::vector<std::string> ptp_clocks; ///< "ptp0: KVM virtual PTP"
  std::vector<time_program> guest_tools; ///< may set the clock by the host's
  bool rtc_local = false; ///< the real-time clock keeps local time
  std::optional<state_folder_facts> state_folder;
  std::optional<kernel_clock_facts> kernel_clock;
  config_facts config;
  socket_facts observe;
  socket_facts control;
  std::string clock_kind; ///< as the daemon tells it; empty: it does not
  std::string state;      ///< the same: "synchronized"
  std::string state_reason;
};

} // namespace concert::ctl
