# JSON (RapidJSON, headers only) -> RapidJSON::rapidjson
include(FromPkgConfig)
concert_find_by_pkg_config(RapidJSON RapidJSON RapidJSON::rapidjson)
if(RapidJSON_FOUND)
  set_property(TARGET RapidJSON::rapidjson APPEND PROPERTY
               INTERFACE_COMPILE_DEFINITIONS RAPIDJSON_HAS_STDSTRING=1)
  # It adds to null pointers where a stack is still empty.
  if(CONCERT_SANITIZERS MATCHES "undefined"
     AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set_property(TARGET RapidJSON::rapidjson APPEND PROPERTY
                 INTERFACE_COMPILE_OPTIONS -fno-sanitize=pointer-overflow)
  endif()
endif()
