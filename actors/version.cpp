#include "actors/version.hpp"

// All four come from CMake.
namespace concert::actors {

std::string_view version() {
  return CONCERT_VERSION;
}

std::string_view build_commit() {
  return CONCERT_COMMIT;
}

std::string_view build_commit_date() {
  return CONCERT_COMMIT_DATE;
}

std::chrono::nanoseconds build_time() {
  return std::chrono::seconds{CONCERT_COMMIT_TIME};
}

} // namespace concert::actors
