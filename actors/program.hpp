#pragma once

namespace concert::actors {

/// The program `ntp-daemon`; returns its exit code (ntp-daemon(8)).
int run_program(int argc, char** argv);

} // namespace concert::actors
