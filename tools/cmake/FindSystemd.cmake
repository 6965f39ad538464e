# Readiness, watchdog and journal (libsystemd) -> Systemd::systemd
include(FromPkgConfig)
concert_find_by_pkg_config(Systemd libsystemd Systemd::systemd)
