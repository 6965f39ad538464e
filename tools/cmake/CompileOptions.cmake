# Language, warnings, sanitizers and compiler launcher for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# The debugger's -Og, not CMake's -O0: the tests run several times faster.
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g -DNDEBUG")

# Not CMAKE_POSITION_INDEPENDENT_CODE: that compiles libraries with -fPIC and
# programs with -fPIE, which then cannot share a precompiled header.
add_compile_options(-fPIE)
add_link_options(-pie)

add_compile_options(-Wall -Wextra -Wpedantic)
if(CONCERT_WERROR)
  add_compile_options(-Werror)
endif()

# What a room links but a program of it does not use is left out.
add_link_options(-Wl,--as-needed)

if(CONCERT_SANITIZERS)
  add_compile_options(-fsanitize=${CONCERT_SANITIZERS}
                      -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CONCERT_SANITIZERS})
endif()

if(CONCERT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "fuzz targets need clang (libFuzzer)")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CONCERT_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

if(CONCERT_HARDENING)
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE
                      -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro -Wl,-z,now)
endif()

# ccache keeps objects that use a precompiled header only with this sloppiness,
# and only if the compiler does not put time stamps into the header.
find_program(CONCERT_CCACHE ccache)
mark_as_advanced(CONCERT_CCACHE)
if(CONCERT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros "${CONCERT_CCACHE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  else()
    set(CMAKE_PCH_INSTANTIATE_TEMPLATES OFF)
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
