# HTTP (cpp-httplib, as the shared library: its header costs seconds otherwise) -> Httplib::httplib
include(FromPkgConfig)
concert_find_by_pkg_config(Httplib cpp-httplib Httplib::httplib)
