# The whole terminal (ncurses with wide characters) -> Ncurses::ncurses
include(FromPkgConfig)
concert_find_by_pkg_config(Ncurses ncursesw Ncurses::ncurses)
