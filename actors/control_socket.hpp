#pragma once

#include "actors/runtime.hpp"

#include <asio.hpp>

#include <functional>
#include <memory>

namespace concert::actors {

/// Listens on a Unix socket that everybody may connect to, and reads requests,
/// a line each. Bounded in connections, octets and requests a second; who reads
/// too slowly is cut off.
platform::result<std::unique_ptr<control_port>>
open_control_socket(asio::io_context& io, const config::control_config& config,
                    std::function<void(control_received)> on_request);

} // namespace concert::actors
