#pragma once

#include "actors/ke_channel.hpp"
#include "platform/error.hpp"

#include <asio.hpp>

#include <memory>

namespace concert::actors {

/// Connects to `server`, which is told about by the channel's events. All of it
/// takes no longer than `limit`. To be used on the thread of `io`, which must
/// outlive the channel.
std::unique_ptr<ke_channel>
connect_ke_channel(asio::io_context& io, const ntp::endpoint& server,
                   std::unique_ptr<platform::tls_session> session,
                   std::chrono::milliseconds limit);

/// Listens for TCP connections; an IPv6 endpoint is for IPv6 only. Errors are
/// those of sockets: `in_use`, `permission`, `unavailable`….
platform::result<std::unique_ptr<ke_listener>>
open_ke_listener(asio::io_context& io, const ke_listener_options& options,
                 ke_listener_events events);

} // namespace concert::actors
