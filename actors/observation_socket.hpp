#pragma once

#include "actors/runtime.hpp"

#include <asio.hpp>

#include <functional>
#include <memory>
#include <string>

namespace concert::actors {

/// Listens on a Unix socket and never reads: each connection gets one framed
/// document and is closed. At most eight at a time, half a second each.
platform::result<std::unique_ptr<observation_port>>
open_observation_socket(asio::io_context& io, const std::string& path,
                        std::uint32_t mode,
                        std::function<void(document_sink)> on_reader);

} // namespace concert::actors
