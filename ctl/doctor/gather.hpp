#pragma once

#include "ctl/doctor/facts.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace concert::ctl {

/// Reads the part of the facts that stands in files under `root` ("/" for this
/// machine, a folder in tests): processes, units, routes (`interfaces` with
/// their names only), modules, clock source, virtualisation, leap-second files
/// and the real-time clock. Reads little of each file and never blocks; what
/// cannot be read stays unknown.
machine_facts read_machine(const std::filesystem::path& root);

/// Expiry and age of a leap-seconds.list, and whether it can be read.
leap_file_facts read_leap_file(const std::filesystem::path& path,
                               bool configured);

/// Owner and permissions.
state_folder_facts read_state_folder(const std::filesystem::path& path);

/// Asks the kernel how this interface stamps packets.
void read_stamping(interface_facts& interface);

/// Asks the kernel about its clock.
std::optional<kernel_clock_facts> read_kernel_clock();

} // namespace concert::ctl
