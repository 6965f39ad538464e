#include "platform/error.hpp"

#include <cerrno>
#include <system_error>

namespace concert::platform {

namespace {

errc code_of(int number) {
  switch (number) {
    case EPERM:
    case EACCES:
    case EROFS:
      return errc::permission;
    case EADDRINUSE:
    case EBUSY:
    case EEXIST:
      return errc::in_use;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOSYS:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EOPNOTSUPP:
      return errc::unavailable;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
      return errc::unreachable;
    case EAGAIN:
    case ENOBUFS:
      return errc::would_block;
    case EINVAL:
    case ERANGE:
    case EDOM:
      return errc::invalid;
    default:
      return errc::io;
  }
}

} // namespace

error system_error(std::string what, int number) {
  what += ": ";
  what += std::generic_category().message(number);
  return {code_of(number), std::move(what)};
}

} // namespace concert::platform
