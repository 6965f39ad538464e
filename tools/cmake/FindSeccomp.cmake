# System call filters (libseccomp) -> Seccomp::seccomp
include(FromPkgConfig)
concert_find_by_pkg_config(Seccomp libseccomp Seccomp::seccomp)
