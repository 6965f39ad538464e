# The C++ Actor Framework -> Caf::core
#
# Debian's package brings neither CMake nor pkg-config files. The base class of
# our actors overrides internals of 0.17, so that no other series will do.
find_path(Caf_INCLUDE_DIR NAMES caf/config.hpp)
find_library(Caf_CORE_LIBRARY NAMES caf_core)
mark_as_advanced(Caf_INCLUDE_DIR Caf_CORE_LIBRARY)

if(Caf_INCLUDE_DIR)
  file(STRINGS "${Caf_INCLUDE_DIR}/caf/config.hpp" Caf_number
       REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+$" Caf_number "${Caf_number}")
  math(EXPR Caf_major "${Caf_number} / 10000")
  math(EXPR Caf_minor "${Caf_number} / 100 % 100")
  math(EXPR Caf_patch "${Caf_number} % 100")
  set(Caf_VERSION "${Caf_major}.${Caf_minor}.${Caf_patch}")
  if(Caf_VERSION VERSION_GREATER_EQUAL 0.17 AND Caf_VERSION VERSION_LESS 0.18)
    set(Caf_series_fits TRUE)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Caf
  REQUIRED_VARS Caf_CORE_LIBRARY Caf_INCLUDE_DIR Caf_series_fits
  VERSION_VAR Caf_VERSION
  REASON_FAILURE_MESSAGE "CAF 0.17.x is needed, found '${Caf_VERSION}'")

if(Caf_FOUND AND NOT TARGET Caf::core)
  find_package(Threads REQUIRED)
  add_library(Caf::core UNKNOWN IMPORTED)
  set_target_properties(Caf::core PROPERTIES
    IMPORTED_LOCATION "${Caf_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Caf_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
