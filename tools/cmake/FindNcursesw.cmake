# Terminal (ncurses, wide characters) -> Ncursesw::ncursesw
include(FromPkgConfig)
concert_find_by_pkg_config(Ncursesw ncursesw Ncursesw::ncursesw)
if(Ncursesw_FOUND)
  # Its feature test macros would narrow the headers of everything that links it.
  set_property(TARGET PkgConfig::Ncursesw_PC
               PROPERTY INTERFACE_COMPILE_OPTIONS "")
endif()
