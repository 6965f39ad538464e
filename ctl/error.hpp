#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>

namespace concert::ctl {

/// What can go wrong between a reader and the daemon.
enum class errc : std::uint8_t {
  bad_path,    ///< no name that a Unix socket can have
  no_daemon,   ///< nobody listens there
  timeout,     ///< somebody listens, but does not answer in time
  io,          ///< the operating system refused
  cut_off,     ///< the answer ended early
  too_large,   ///< the answer is longer than a document may be
  malformed,   ///< the answer is no observation document
  interrupted, ///< the person at the terminal does not want to wait
};

/// A failure with a sentence for people.
struct error {
  errc code{};
  std::string text;
};

template <class T>
using result = tl::expected<T, error>;

} // namespace concert::ctl
