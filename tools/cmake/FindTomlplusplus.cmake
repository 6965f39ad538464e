# TOML (toml++, as the shared library: its header costs seconds otherwise) -> Tomlplusplus::tomlplusplus
include(FromPkgConfig)
concert_find_by_pkg_config(Tomlplusplus tomlplusplus Tomlplusplus::tomlplusplus)
