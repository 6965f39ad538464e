# concert_room(<name> [ROOMS …] [PACKAGES …] [LIBRARIES …] [PRECOMPILE …])
#
# Makes the library of one room out of all its sources except the main files.
# ROOMS are the rooms that it may look into, PACKAGES are found before LIBRARIES
# are linked. A room of headers only is an INTERFACE library. A room outside
# CONCERT_ROOMS is left out, and its packages are not needed.
function(concert_room name)
  cmake_parse_arguments(arg "" "" "ROOMS;PACKAGES;LIBRARIES;PRECOMPILE" ${ARGN})
  if(NOT name IN_LIST CONCERT_ROOMS)
    return()
  endif()
  foreach(room IN LISTS arg_ROOMS)
    if(NOT TARGET ${room})
      message(FATAL_ERROR "room ${name} needs ${room} in CONCERT_ROOMS")
    endif()
  endforeach()
  foreach(package IN LISTS arg_PACKAGES)
    find_package(${package} REQUIRED)
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
       "${PROJECT_SOURCE_DIR}/${name}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/([a-z0-9_]+_)?main\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    set(scope PUBLIC)
    if(arg_PRECOMPILE)
      target_precompile_headers(${name} PRIVATE ${arg_PRECOMPILE})
    endif()
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${name} ${scope} "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${name} ${scope}
                             CONCERT_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${name} ${scope} ${arg_ROOMS} ${arg_LIBRARIES})
endfunction()

# concert_reuse_precompiled(<target> <room>)
#
# Lets <target> share the precompiled header of <room>, if that has one.
function(concert_reuse_precompiled target room)
  get_target_property(type ${room} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  get_target_property(headers ${room} PRECOMPILE_HEADERS)
  if(headers)
    target_precompile_headers(${target} REUSE_FROM ${room})
  endif()
endfunction()

# concert_program(<name> <main file> ROOM <room>)
#
# Makes a program out of one main file and its room, as soon as both exist.
function(concert_program name main)
  cmake_parse_arguments(arg "" "ROOM" "" ${ARGN})
  if(NOT TARGET ${arg_ROOM})
    return()
  endif()
  file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${main}")
  if(NOT found)
    return()
  endif()
  add_executable(${name} ${found})
  target_link_libraries(${name} PRIVATE ${arg_ROOM})
  concert_reuse_precompiled(${name} ${arg_ROOM})
  install(TARGETS ${name} RUNTIME)
endfunction()

# concert_tool(<name> ROOMS … [PACKAGES …] [LIBRARIES …])
#
# Makes a program out of tools/<folder>, <folder> being its name with '_' for
# '-', as soon as all the rooms that it looks into are built. All but its main
# file is the library <folder>, which its tests link.
function(concert_tool name)
  cmake_parse_arguments(arg "" "" "ROOMS;PACKAGES;LIBRARIES" ${ARGN})
  string(REPLACE "-" "_" folder ${name})
  foreach(room IN LISTS arg_ROOMS)
    if(NOT TARGET ${room})
      return()
    endif()
  endforeach()
  foreach(package IN LISTS arg_PACKAGES)
    find_package(${package} REQUIRED)
  endforeach()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
       "${PROJECT_SOURCE_DIR}/tools/${folder}/*.cpp")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  add_library(${folder} STATIC ${sources})
  target_link_libraries(${folder} PUBLIC ${arg_ROOMS} ${arg_LIBRARIES})
  concert_program(${name} tools/${folder}/main.cpp ROOM ${folder})
endfunction()
