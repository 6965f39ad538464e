# Manual pages from docs/man/<name>.<section>.scd, where scdoc is there.
include(GNUInstallDirs)

find_program(CONCERT_SCDOC scdoc)
mark_as_advanced(CONCERT_SCDOC)
if(NOT CONCERT_SCDOC)
  message(STATUS "no scdoc: the manual pages are left out")
  return()
endif()

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.scd")
foreach(source IN LISTS sources)
  cmake_path(GET source STEM LAST_ONLY name)
  string(REGEX MATCH "[0-9]$" section "${name}")
  set(page "${PROJECT_BINARY_DIR}/man/${name}")
  add_custom_command(OUTPUT "${page}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/man"
    COMMAND sh -c "'${CONCERT_SCDOC}' <'${source}' >'${page}'"
    DEPENDS "${source}"
    VERBATIM)
  list(APPEND pages "${page}")
  install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
endforeach()
add_custom_target(manual_pages ALL DEPENDS ${pages})
