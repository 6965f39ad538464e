#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>

namespace concert::platform {

enum class errc : std::uint8_t {
  permission,  ///< EPERM, EACCES
  in_use,      ///< the address or file belongs to somebody else
  unavailable, ///< no such address, device or feature here
  unreachable, ///< no route, network or host down, connection refused
  would_block, ///< nothing to read, or no room to send, now
  invalid,     ///< the kernel or a parser refused the values
  corrupt,     ///< a file fails its checks
  io,          ///< anything else
};

/// What went wrong, with a sentence that names the object and the cause.
struct error {
  errc code = errc::io;
  std::string text;
};

template <class T>
using result = tl::expected<T, error>;

/// An error for the system error number `number`, e.g.
/// "cannot bind 192.0.2.1:123: Address already in use".
error system_error(std::string what, int number);

} // namespace concert::platform
