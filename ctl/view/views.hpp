#pragma once

#include "ctl/observation.hpp"

#include <string>

/// The plain outputs of ntp-ctl: an observation in, text for people out.
namespace concert::ctl {

/// Everything on one screen.
std::string status_view(const observation& o);

/// One line a source, and one more with the reason where it is not used.
std::string sources_view(const observation& o);

/// The system in the order that users of `chronyc tracking` expect.
std::string tracking_view(const observation& o);

/// For each address what came in and what became of it.
std::string servers_view(const observation& o);

/// The same without the clients that ask most.
std::string servers_summary(const observation& o);

} // namespace concert::ctl
