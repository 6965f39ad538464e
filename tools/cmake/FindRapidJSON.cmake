# JSON (RapidJSON, headers only) -> RapidJSON::rapidjson
include(FromPkgConfig)
concert_find_by_pkg_config(RapidJSON RapidJSON RapidJSON::rapidjson)
if(RapidJSON_FOUND)
  set_property(TARGET RapidJSON::rapidjson APPEND PROPERTY
               INTERFACE_COMPILE_DEFINITIONS RAPIDJSON_HAS_STDSTRING=1)
endif()
