# Capabilities (libcap-ng) -> CapNg::cap-ng
include(FromPkgConfig)
concert_find_by_pkg_config(CapNg libcap-ng CapNg::cap-ng)
