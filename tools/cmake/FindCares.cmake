# Asynchronous DNS (c-ares) -> Cares::cares
include(FromPkgConfig)
concert_find_by_pkg_config(Cares libcares Cares::cares)
