# What the program says of its own origin: actors/version.cpp gets the newest
# commit. Configuring is repeated when a commit is made.

set(CONCERT_COMMIT "-")
set(CONCERT_COMMIT_DATE "-")
set(CONCERT_COMMIT_TIME 0)
find_package(Git QUIET)
if(Git_FOUND AND EXISTS "${PROJECT_SOURCE_DIR}/.git")
  execute_process(
    COMMAND "${GIT_EXECUTABLE}" log -1 --format=%h:%cs:%ct
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed AND line MATCHES "^([^:]+):([^:]+):([0-9]+)$")
    set(CONCERT_COMMIT "${CMAKE_MATCH_1}")
    set(CONCERT_COMMIT_DATE "${CMAKE_MATCH_2}")
    set(CONCERT_COMMIT_TIME "${CMAKE_MATCH_3}")
  endif()
  if(EXISTS "${PROJECT_SOURCE_DIR}/.git/logs/HEAD")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                 "${PROJECT_SOURCE_DIR}/.git/logs/HEAD")
  endif()
endif()
set_source_files_properties("${PROJECT_SOURCE_DIR}/actors/version.cpp"
  PROPERTIES COMPILE_DEFINITIONS
  "CONCERT_COMMIT=\"${CONCERT_COMMIT}\";CONCERT_COMMIT_DATE=\"${CONCERT_COMMIT_DATE}\";CONCERT_COMMIT_TIME=${CONCERT_COMMIT_TIME}")
