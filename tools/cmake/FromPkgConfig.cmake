# concert_find_by_pkg_config(<Name> <pkg-config module> <imported target>)
#
# The body of a find module for a library that brings a .pc file: sets
# <Name>_FOUND and <Name>_VERSION and makes the imported target.
include(FindPackageHandleStandardArgs)

macro(concert_find_by_pkg_config name module target)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(${name}_PC QUIET IMPORTED_TARGET ${module})
  endif()
  find_package_handle_standard_args(${name}
    REQUIRED_VARS ${name}_PC_FOUND
    VERSION_VAR ${name}_PC_VERSION
    REASON_FAILURE_MESSAGE
      "pkg-config does not know ${module}: see tools/packages")
  if(${name}_FOUND AND NOT TARGET ${target})
    add_library(${target} INTERFACE IMPORTED)
    target_link_libraries(${target} INTERFACE PkgConfig::${name}_PC)
  endif()
endmacro()
