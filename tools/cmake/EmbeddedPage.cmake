# Makes the files of the exporter's status page part of its room, so that the
# program needs no file to run: a generated exporter_page.cpp defines what
# exporter/page_files.hpp declares.
if(NOT TARGET exporter)
  return()
endif()

find_path(CONCERT_DYGRAPHS dygraph.min.js
          PATHS /usr/share/javascript/dygraphs NO_DEFAULT_PATH REQUIRED)
mark_as_advanced(CONCERT_DYGRAPHS)

set(files
    "${CONCERT_DYGRAPHS}/dygraph.min.js"
    "${CONCERT_DYGRAPHS}/dygraph.min.css"
    "${PROJECT_SOURCE_DIR}/exporter/page/page.js"
    "${PROJECT_SOURCE_DIR}/exporter/page/page.css")
set(script "${PROJECT_SOURCE_DIR}/tools/cmake/embed.cmake")
set(source "${PROJECT_BINARY_DIR}/generated/exporter_page.cpp")
add_custom_command(OUTPUT "${source}"
  COMMAND "${CMAKE_COMMAND}" "-DFILES=${files}" "-DOUTPUT=${source}"
          -P "${script}"
  DEPENDS ${files} "${script}"
  VERBATIM)
target_sources(exporter PRIVATE "${source}")
